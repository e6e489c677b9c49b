"""The one verdict on a request, from what was decided."""

from __future__ import annotations

import pytest

from app.core.decisions import Forward, Freshen, Fwd, Hit, Outcome, Pass, Refuse, Result, Save, ServeStale, Verdict
from app.core.reasons import Reason
from app.core.reasons import Reason as R
from app.core.verdicts import of_hit, of_outcome, of_refusal, waited_along
from tests.core.build import INVALIDATED, NOW, exchange, forward, res, row, stored

FRESH = stored("200 | cc: max-age=60, stale-while-revalidate=30")
PASSED = res("200 | cc: private")

HITS = [
    #                        reason                    after result      ttl age
    row("fresh",             R.FRESH,                  7,  Result.HIT,   53, 7),
    row("stale",             R.STALE_WHILE_REVALIDATE, 67, Result.STALE, -7, 67),
    row("a clock went back", R.FRESH,                  -7, Result.HIT,   60, 0),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "after", "result", "ttl", "age"), HITS)
def test_of_hit(reason: Reason, after: float, result: Result, ttl: int, age: int) -> None:
    assert of_hit(Hit(reason, FRESH), "k", NOW + after) == Verdict(
        result, reason, "k", ttl=ttl, age=age, stale_for=30, source="cache-control: max-age", filled_at=NOW
    )


def test_what_a_purge_made_stale_has_no_time_left() -> None:
    verdict = of_hit(Hit(R.STALE_PURGED, FRESH.purged(INVALIDATED)), "k", NOW + 7)
    assert (verdict.result, verdict.ttl, verdict.age) == (Result.STALE, 0, 7)


def test_of_refusal() -> None:
    assert of_refusal(Refuse(R.ONLY_IF_CACHED, 504), "k") == Verdict(Result.ERROR, R.ONLY_IF_CACHED, "k")


MISSED = forward("GET /")
STALE = forward("GET /", FRESH, reason=R.EXPIRED, fwd=Fwd.STALE)
BYPASS = forward("GET /", reason=R.REQUEST_RANGE, fwd=Fwd.BYPASS)
METHOD = forward("POST /", reason=R.METHOD, fwd=Fwd.METHOD)

OUTCOMES = [
    #   going   outcome                                 status error collapsed result         why
    row("stored, where nothing was",
        MISSED, Save(FRESH),                            200, None, False, Result.MISS,        R.URI_MISS),
    row("stored, where a purge had deleted",
        forward("GET /", reason=R.DELETED), Save(FRESH), 200, None, False, Result.RENEWED,    R.DELETED),
    row("stored, for who showed the token",
        forward("GET /", reason=R.REQUEST_RENEWAL), Save(FRESH), 200, None, False, Result.RENEWED, R.REQUEST_RENEWAL),
    row("stored, and waited for",
        MISSED, Save(FRESH),                            200, None, True,  Result.MISS,        R.COLLAPSED),
    row("stored in place of what was",
        STALE,  Save(FRESH),                            200, None, False, Result.EXPIRED,     R.EXPIRED),
    row("confirmed",
        STALE,  Freshen(FRESH),                         304, None, False, Result.REVALIDATED, R.VALIDATED),
    row("confirmed, and waited for",
        STALE,  Freshen(FRESH),                         304, None, True,  Result.REVALIDATED, R.COLLAPSED),
    row("stale, after an error",
        STALE,  ServeStale(R.STALE_IF_ERROR, FRESH),    503, None, False, Result.STALE,       R.STALE_IF_ERROR),
    row("stale, without an answer",
        STALE,  ServeStale(R.STALE_ERROR, FRESH),       502, "connection_refused",
                                                                   True,  Result.STALE,       R.STALE_ERROR),
    row("not to be stored",
        MISSED, Pass(R.PRIVATE, PASSED),                200, None, False, Result.NOSTORE,     R.PRIVATE),
    row("a method that does not meet the cache",
        METHOD, Pass(R.METHOD, PASSED),                 200, None, False, Result.PASS,        R.METHOD),
    row("a request that does not",
        BYPASS, Pass(R.REQUEST_RANGE, PASSED),          206, None, False, Result.PASS,        R.REQUEST_RANGE),
    row("no answer",
        MISSED, Pass(R.ORIGIN_UNREACHABLE, res("502")), 502, "connection_refused",
                                                                   False, Result.ERROR,       R.ORIGIN_UNREACHABLE),
    row("no answer to what does not meet the cache",
        BYPASS, Pass(R.REQUEST_RANGE, res("502")),      502, "connection_refused",
                                                                   False, Result.ERROR,       R.REQUEST_RANGE),
]  # fmt: skip


@pytest.mark.parametrize(("going", "outcome", "status", "error", "collapsed", "result", "why"), OUTCOMES)
def test_of_outcome(
    *, going: Forward, outcome: Outcome, status: int, error: str | None, collapsed: bool, result: Result, why: Reason
) -> None:
    came = exchange("GET /", str(status), proxy_error=error)
    verdict = of_outcome(going, outcome, came, "k", NOW + 7)
    verdict = waited_along(verdict) if collapsed else verdict
    assert (verdict.result, verdict.reason, verdict.key, verdict.fwd) == (result, why, "k", going.fwd)
    assert (verdict.collapsed, verdict.proxy_error) == (collapsed, error)
    assert verdict.fwd_status == (None if error else status)
    assert verdict.stored is isinstance(outcome, Save | Freshen)
    times = (verdict.ttl, verdict.age, verdict.stale_for)
    assert times == ((None, None, None) if isinstance(outcome, Pass) else (53, 7, 30))


SOURCES = [
    #                                          response                            source
    row("a lifetime and where it was said",    "200 | cc: s-maxage=60, max-age=5", "cache-control: s-maxage"),
    row("a field for this cache alone",        "200 | cdn: max-age=5",             "cdn-cache-control: max-age"),
    row("no lifetime",                         "200",                              None),
    row("Expires is no part of Cache-Control", "200 | expires: @+9",               "expires"),
    row("nor is a heuristic",                  "200 | lm: @-99",                   "heuristic"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "source"), SOURCES)
def test_source(response: str, source: str | None) -> None:
    assert of_hit(Hit(R.FRESH, stored(response)), "k", NOW).source == source
