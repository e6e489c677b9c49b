"""Properties that hold for generated input: messages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.messages import Headers, end_to_end


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=4), st.binary(max_size=4)), max_size=5))
def test_any_bytes_can_be_read(pairs: list[tuple[bytes, bytes]]) -> None:
    fields = Headers(pairs)
    assert sum(len(fields.lines(name)) for name in fields.names()) == len(pairs)
    assert len(end_to_end(fields)) <= len(pairs)
