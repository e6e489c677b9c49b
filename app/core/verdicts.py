"""The one verdict on a request, from what was decided."""

from __future__ import annotations

from dataclasses import replace

from app.core.decisions import (
    Exchange,
    Forward,
    Freshen,
    Fwd,
    Hit,
    Outcome,
    Pass,
    Refuse,
    Result,
    Reuse,
    Save,
    ServeStale,
    StoredResponse,
    Verdict,
)  # fmt: skip
from app.core.reasons import Reason
from app.core.rules import LifetimeSource

_STORED = (Save, Freshen)
_INELIGIBLE = frozenset({Fwd.METHOD, Fwd.BYPASS})


def of_refusal(refuse: Refuse, key: str) -> Verdict:
    return Verdict(Result.ERROR, refuse.reason, key)


def of_hit(hit: Hit, key: str, now: float) -> Verdict:
    fresh = hit.stored.purge is None and hit.stored.freshness.is_fresh(now)
    result = Result.HIT if fresh else Result.STALE
    ttl, age, stale_for, source = _life(hit.stored, now)
    return Verdict(
        result, hit.reason, key, ttl=ttl, age=age, stale_for=stale_for, source=source, number=hit.stored.number,
        filled_at=hit.stored.stored_at,
    )  # fmt: skip


def of_outcome(forward: Forward, outcome: Outcome, exchange: Exchange, key: str, now: float) -> Verdict:
    """The verdict on a request that went to the origin."""
    ttl, age, stale_for, source = _NO_LIFE if isinstance(outcome, Pass) else _life(outcome.stored, now)
    return Verdict(
        _result(forward, outcome, exchange),
        _reason(forward, outcome),
        key,
        fwd=forward.fwd,
        fwd_status=None if exchange.proxy_error else exchange.response.status,
        stored=isinstance(outcome, _STORED),
        ttl=ttl,
        age=age,
        stale_for=stale_for,
        source=source,
        proxy_error=exchange.proxy_error,
        number=exchange.number,
        filled_at=exchange.response_time if isinstance(outcome, Pass) else outcome.stored.stored_at,
    )


def waited_along(verdict: Verdict) -> Verdict:
    """The same verdict for a request that waited for somebody else's fetch (RFC 9211 §2.6)."""
    return replace(verdict, reason=Reason.COLLAPSED if verdict.stored else verdict.reason, collapsed=True)


def _result(forward: Forward, outcome: Outcome, exchange: Exchange) -> Result:
    match outcome:
        case Save():
            return _saved(forward)
        case Freshen() | Reuse():
            return Result.REVALIDATED
        case ServeStale():
            return Result.STALE
        case Pass():
            if exchange.proxy_error is not None:
                return Result.ERROR
            return Result.PASS if forward.fwd in _INELIGIBLE else Result.NOSTORE


def _saved(forward: Forward) -> Result:
    if forward.reason in (Reason.DELETED, Reason.REQUEST_RENEWAL):
        return Result.RENEWED
    if forward.stored is None:
        return Result.MISS
    return Result.RENEWED if forward.fwd is Fwd.REQUEST else Result.EXPIRED


def _reason(forward: Forward, outcome: Outcome) -> Reason:
    match outcome:
        case ServeStale(reason, _) | Reuse(reason, _, _) | Pass(reason, _, _):
            return reason
        case Freshen():
            return Reason.VALIDATED
        case Save():
            return forward.reason


Life = tuple[int | None, int | None, int | None, str | None]
_NO_LIFE: Life = (None, None, None, None)


def _life(stored: StoredResponse, now: float) -> Life:
    """What a verdict says of a stored response: ttl, age, stale_for and source."""
    fresh = stored.freshness
    age = int(fresh.age(now))
    # So that age and ttl add up to the lifetime, as people expect; what a purge made stale has none left.
    ttl = int(fresh.lifetime) - age
    return ttl if stored.purge is None else min(ttl, 0), age, int(fresh.stale_while_revalidate), source_words(stored)


def source_words(stored: StoredResponse) -> str | None:
    """Where the lifetime was found: a directive with its field, a field, or a heuristic."""
    source = stored.freshness.source
    if source in (LifetimeSource.S_MAXAGE, LifetimeSource.MAX_AGE):
        return f"{stored.control.source}: {source}"
    return source
