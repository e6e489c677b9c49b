"""Properties that hold for generated input: invalidation."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.invalidation import same_origin_target
from app.core.messages import Request
from tests.core.build import head


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.text(st.sampled_from("htp:/?#[]@.%\\ \t\xe9\u2100example1"), max_size=12))
def test_any_reference_can_be_read(reference: str) -> None:
    target = same_origin_target(Request("POST", "http", "example.com", "/a", head("")), reference)
    assert target is None or target.startswith("/")
