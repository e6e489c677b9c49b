"""Properties that hold for generated input: freshness."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.freshness import freshness
from app.core.messages import Headers, Response
from tests.core.build import RFC

_TIMES = st.integers(-(10**10), 10**10)


_NAMES = st.sampled_from([b"age", b"date", b"expires", b"last-modified", b"cache-control", b"cdn-cache-control"])


_VALUES = st.sampled_from([b"0", b"5", b"x", b"", b"max-age=5", b"Sun, 09 Sep 2001 01:46:40 GMT", b"99999999999"])


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=6), _TIMES, _TIMES, st.lists(_TIMES, min_size=2, max_size=5))
def test_age_grows_with_time_and_is_never_negative(
    pairs: list[tuple[bytes, bytes]], sent: int, took: int, moments: list[int]
) -> None:
    response = Response(200, Headers(pairs))
    found = freshness(response, RFC.directives(response.headers, response.status), RFC, sent, sent + took)
    ages = [found.age(moment) for moment in sorted(moments)]
    assert ages == sorted(ages)
    assert min(ages) >= 0
    assert found.lifetime >= 0
    assert all(found.ttl(moment) <= found.lifetime for moment in moments)
