"""An event in words: what happened to one request and why, as one sentence, safe to print on a terminal."""

from __future__ import annotations

import re

from app.core.decisions import Result, Verdict
from app.core.reasons import MEANINGS, Phase, Reason
from app.journal import Event

_USERINFO = re.compile(r"(^|://|\s)[^/?#@\s]*@")
_UNITS = ((172_800, 86_400, "d"), (7_200, 3_600, "h"), (600, 60, "min"))  # from how many seconds on, how many in one


def visible(text: str) -> str:
    """Without user names and passwords, and with everything escaped that is no printable ASCII (log injection)."""
    if "@" in text:
        text = _USERINFO.sub(r"\1", text)
    if text.isascii() and text.isprintable():
        return text
    return text.encode("unicode_escape").decode("ascii")


def span(seconds: float) -> str:
    """Seconds for reading: exact below ten minutes, above it in whole minutes, hours or days."""
    for least, one, unit in _UNITS:
        if seconds >= least:
            return f"{seconds / one:.0f} {unit}"
    return f"{seconds:.0f} s"


def elapsed(seconds: float) -> str:
    """Real time that something took."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else f"{seconds * 1000:.1f} ms"


def cause(event: Event) -> str:
    """Why the request was answered as it was."""
    verdict = event.verdict
    match verdict.result:
        case Result.HIT:
            said = f"age {span(verdict.age or 0)}, fresh for {span(verdict.ttl or 0)} more"
        case Result.STALE:
            since = f"stale for {span(-verdict.ttl)}; " if verdict.ttl else ""
            said = f"age {span(verdict.age or 0)}, {since}{_why_stale(event)}"
        case Result.MISS:
            said = f"{_FIRST.get(verdict.reason) or meaning(verdict.reason)}; {_stored(verdict)}"
        case Result.EXPIRED | Result.RENEWED:
            said = f"{meaning(verdict.reason)}; {_stored(verdict)}"
        case Result.REVALIDATED:
            said = f"{meaning(verdict.reason)}; {_kept(verdict)}"
        case Result.NOSTORE:
            refused = MEANINGS[verdict.reason].phase is Phase.RESPONSE
            said = f"{'response refused' if refused else 'not stored'}: {meaning(verdict.reason)}"
        case Result.PASS:
            said = meaning(verdict.reason)
        case Result.ERROR:
            said = visible(event.proxy_detail) if event.proxy_detail else meaning(verdict.reason)
    if event.broken is None:
        return said
    return f"{said}; {event.broken}" if event.stored or not verdict.stored else f"not stored: {event.broken}"


def meaning(reason: Reason) -> str:
    return MEANINGS[reason].meaning


def advice(reason: Reason) -> str:
    """What to do about it, or nothing."""
    return MEANINGS[reason].advice


# A miss that was to be expected needs few words.
_FIRST = {
    Reason.URI_MISS: "first time",
    Reason.VARY_MISS: "first time for these values of the fields in Vary",
    Reason.COLLAPSED: "waited for the fetch that another request began",
}


def _why_stale(event: Event) -> str:
    verdict = event.verdict
    if verdict.reason is Reason.STALE_WHILE_REVALIDATE:
        left = (verdict.stale_for or 0) + (verdict.ttl or 0)
        return f"refreshed in the background, {span(max(0, left))} of stale-while-revalidate left"
    detail = f": {visible(event.proxy_detail)}" if event.proxy_detail else ""
    return f"{_STALE.get(verdict.reason) or meaning(verdict.reason)}{detail}"


_STALE = {
    Reason.STALE_IF_ERROR: "stale-if-error allows it, and the origin failed",
    Reason.STALE_ERROR: "the last refresh failed, the next one waits a little",
    Reason.REQUEST_MAX_STALE: "the client said with max-stale that it may be",
}


def _stored(verdict: Verdict) -> str:
    if not verdict.stored:
        return "not stored"
    window = f" + {span(verdict.stale_for)} stale-while-revalidate" if verdict.stale_for else ""
    if (verdict.ttl or 0) <= 0 and not window:
        return "stored, to be validated at each use"
    return f"stored {span(max(0, verdict.ttl or 0))} fresh{window}"


def _kept(verdict: Verdict) -> str:
    return f"fresh for {span(verdict.ttl)} more" if (verdict.ttl or 0) > 0 and verdict.ttl else "validated at each use"
