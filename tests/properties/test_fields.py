"""Properties that hold for generated input: fields."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.fields import (
    MAX_DELTA,
    EntityTag,
    format_date,
    parse_date,
    parse_delta,
    split_list,
    unquote,
)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.integers(0, 253_402_300_799))
def test_a_date_is_read_as_it_was_written(seconds: int) -> None:
    assert parse_date(format_date(seconds)) == seconds
    assert parse_date(format_date(seconds + 0.9)) == seconds


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.text(st.sampled_from('ab,"\\ \t=\xe9\n'), max_size=12))
def test_any_text_can_be_split(value: str) -> None:
    members = list(split_list(value))
    assert all(members)
    assert list(split_list(", ".join(member for member in members if '"' not in member))) == [
        member for member in members if '"' not in member
    ]


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.text(max_size=12))
def test_any_text_can_be_read(value: str) -> None:
    parse_date(value)
    assert (seconds := parse_delta(value)) is None or 0 <= seconds <= MAX_DELTA
    assert len(unquote(value)) <= len(value)
    assert len(EntityTag.parse(value).opaque) <= len(value)
