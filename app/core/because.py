"""The reason in one sentence, with the numbers that made it so."""

from __future__ import annotations

from app.core.decisions import Forward, Fwd, Lookup, StoredResponse
from app.core.last_answer import LastAnswer
from app.core.reasons import MEANINGS, Reason
from app.core.rules import LifetimeSource


def because(lookup: Lookup, chosen: StoredResponse | None, last: LastAnswer | None, now: float) -> str:
    """`chosen` is the stored response that the request selects, `last` the origin's last answer."""
    meaning = MEANINGS[lookup.reason].meaning
    if chosen is not None and lookup.reason in _TIMED:
        return _in_time(lookup.reason, chosen, now)
    if chosen is not None and chosen.purge is not None and lookup.reason in _PURGED:
        return f"{meaning}: {chosen.purge.mode} {chosen.purge.selector.words}, {span(now - chosen.purge.at)} ago"
    if isinstance(lookup, Forward) and lookup.fwd in _MISSING and last is not None:
        return f"{meaning}; {_last(last)}"
    return meaning


_TIMED = frozenset({Reason.FRESH, Reason.STALE_WHILE_REVALIDATE, Reason.STALE_ERROR, Reason.EXPIRED})
_PURGED = frozenset({Reason.STALE_PURGED, Reason.DELETED, Reason.INVALIDATED})
_MISSING = frozenset({Fwd.URI_MISS, Fwd.VARY_MISS, Fwd.PARTIAL})


def _in_time(reason: Reason, stored: StoredResponse, now: float) -> str:
    fresh = stored.freshness
    left, window = fresh.ttl(now), fresh.stale_while_revalidate
    if reason is Reason.FRESH:
        return f"{lifetime_words(stored)} keeps it fresh for {span(left)} more"
    ended = f"{lifetime_words(stored)} ended {span(left)} ago"
    if reason is Reason.STALE_WHILE_REVALIDATE:
        return f"{ended}, and stale-while-revalidate={delta(window)} allows stale for {span(left + window)} more"
    if reason is Reason.STALE_ERROR:
        return f"{ended}; the last refresh failed, and the next one waits {span(stored.held_until - now)} more"
    if window:
        ended += f", and stale-while-revalidate={delta(window)} ended {span(left + window)} ago"
    if fresh.within(fresh.stale_if_error, now):
        return f"{ended}; should the origin fail, stale-if-error={delta(fresh.stale_if_error)} still allows stale"
    return ended


def _last(last: LastAnswer) -> str:
    when = f"the origin's last answer, {span(last.ago)} ago"
    if last.judgement is None:
        return f"{when}, is no longer stored" if not last.kept else f"{when}, is stored for others"
    found = next((f" ({check.found})" for check in last.checks if check.reason is last.judgement.reason), "")
    return f"{when}, was not stored: {last.judgement.meaning}{found}"


def lifetime_words(stored: StoredResponse) -> str:
    """What gave the lifetime."""
    fresh = stored.freshness
    match fresh.source:
        case None:
            return "its lifetime of 0 s"
        case LifetimeSource.EXPIRES:
            return "Expires"
        case LifetimeSource.ROUTE:
            return f"the route's lifetime of {span(fresh.lifetime)}"
        case LifetimeSource.HEURISTIC:
            return f"a guess of {span(fresh.lifetime)} from Last-Modified"
        case directive:
            return f"{directive}={delta(fresh.lifetime)}"


def delta(seconds: float) -> str:
    """Delta-seconds, as a directive has them (RFC 9111 §1.2.2): a year is 31536000."""
    return f"{seconds:.0f}"


def span(seconds: float) -> str:
    """A duration, whichever its sign: 48 s, 1m17s, 2h05m, 3d04h."""
    whole = int(abs(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole // 60 % 60:02}m"
    return f"{whole // 86_400}d{whole // 3600 % 24:02}h"
