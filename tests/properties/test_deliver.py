"""Properties that hold for generated input: deliver."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.deliver import deliver_stored
from app.core.messages import Headers, Request
from tests.core.build import NOW, stored


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.integers(1, 40), st.text(st.sampled_from("0123456789-,"), max_size=12), st.sampled_from(["GET", "HEAD"]))
def test_lengths_add_up(size: int, ranges: str, method: str) -> None:
    asked = Request(method, "http", "a", "/", Headers([(b"range", f"bytes={ranges}".encode())]))
    delivery = deliver_stored(asked, stored("200 | ct: text/plain", size=size), NOW)
    sent = sum(len(part) if isinstance(part, bytes) else part[1] - part[0] for part in delivery.parts or ())
    if method == "GET":
        assert delivery.response.headers.lines("content-length") == [str(sent)]
    else:
        assert sent == 0
    spans = [part for part in delivery.parts or () if isinstance(part, tuple)]
    assert all(0 <= first < last <= size for first, last in spans)
