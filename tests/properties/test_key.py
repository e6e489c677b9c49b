"""Properties that hold for generated input: key."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.key import cache_key, selecting_fields, selects
from app.core.messages import Headers, Request
from tests.core.build import RFC


def _key(authority: str, target: str, rsc: str | None) -> str:
    headers = Headers([] if rsc is None else [(b"rsc", rsc.encode("latin-1"))])
    return cache_key(Request("GET", "http", authority, target, headers), RFC)


_TARGETS = st.text(st.sampled_from('/?=&%"1rsc\xe9'), max_size=6)  # no space: a request line could not carry one


_RSC = st.none() | st.text(st.sampled_from('1 =%"rsc\\\xe9;'), max_size=4).map(str.strip)


_PARTS = st.tuples(st.sampled_from(["a", "b", "a:1"]), _TARGETS, _RSC)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(_PARTS, _PARTS)
def test_no_two_requests_share_a_key(one: tuple[str, str, str | None], other: tuple[str, str, str | None]) -> None:
    assert (_key(*one) == _key(*other)) is (one == other)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.text(st.sampled_from('en,;q=0.1 "\\*x-'), max_size=14), st.text(st.sampled_from("en,-"), max_size=4))
def test_any_preference_can_be_compared(value: str, language: str) -> None:
    headers = Headers([(b"accept-language", value.encode()), (b"accept", value.encode())])
    asked = Request("GET", "http", "a", "/", headers)
    assert selects(selecting_fields(asked, ("accept", "accept-language")), asked, language)
    selects((("accept-language", "other"),), asked, language)
