"""Properties that hold for generated input: directives."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.directives import VALUELESS
from app.core.fields import MAX_DELTA
from app.core.governing import Governing, Syntax, governing_directives
from app.core.messages import Headers

_LIKELY = st.text(st.sampled_from('=,;"\\ ()@:%?-_*.01aex\xe9') | st.characters(max_codepoint=255), max_size=12)


_MEMBERS = st.lists(st.sampled_from(["max-age", "private", "no-cache", "no-store", *'=,"1()']), max_size=6)


@pytest.mark.parametrize("syntax", Syntax)
def test_any_value_can_be_read(syntax: Syntax) -> None:
    @settings(max_examples=20, derandomize=True, deadline=None)
    @given(_LIKELY | _MEMBERS.map("".join))
    def read(value: str) -> None:
        headers = Headers([(b"x", value.encode("latin-1"))])
        directives = governing_directives(headers, (Governing("x", syntax),), "us")
        numbers = [getattr(directives, one.name) for one in fields(directives)]
        assert all(VALUELESS <= number <= MAX_DELTA for number in numbers if type(number) is int)

    read()
