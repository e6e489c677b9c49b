"""Properties that hold for generated input: ranges."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.messages import Headers, Request
from app.core.ranges import (
    MAX_RANGES,
    ContentRange,
    range_applies,
    requested_spans,
)  # fmt: skip
from tests.core.build import head

_SPECS = st.text(st.sampled_from("0129-, "), max_size=9)


_VALUES = st.text(st.sampled_from("bytes=0123459-, */"), max_size=14) | _SPECS.map("bytes={}".format)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(_VALUES, st.none() | st.integers(0, 30))
def test_any_range_can_be_read(value: str, length: int | None) -> None:
    asked = Request("GET", "http", "a", "/", Headers([(b"range", value.encode()), (b"if-range", value.encode())]))
    spans = requested_spans(asked, length) or []
    assert all(0 <= first < last <= (10**18 if length is None else length) for first, last in spans)
    assert len(spans) <= MAX_RANGES
    assert not range_applies(asked, head('etag: "a"'))
    ContentRange.parse(value)
