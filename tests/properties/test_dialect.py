"""Properties that hold for generated input: dialect."""

from __future__ import annotations

from typing import Any

import http_sf
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.decisions import Fwd, Result, Verdict
from app.core.dialect import (
    cache_status,
)  # fmt: skip
from app.core.reasons import Reason as R

_VERDICTS = st.builds(
    Verdict, st.sampled_from(Result), st.sampled_from(R), st.text(max_size=6), st.none() | st.sampled_from(Fwd),
    st.none() | st.integers(200, 599), st.booleans(), st.booleans(), st.none() | st.integers(-(2**31), 2**31),
)  # fmt: skip


@settings(max_examples=25, derandomize=True, deadline=None)
@given(_VERDICTS, st.integers(200, 599))
def test_every_cache_status_is_a_list_of_one(verdict: Verdict, status: int) -> None:
    parsed: Any = http_sf.parse(cache_status("x", verdict, status).encode("ascii"), tltype="list")
    ((name, parameters),) = parsed
    assert str(name) == "x"
    assert ("hit" in parameters) is ("fwd" not in parameters)
    assert parameters.get("key", verdict.key) == verdict.key
    assert str(parameters["detail"]) == verdict.reason
