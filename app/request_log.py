"""A line of the request log, as names and values: on stdout, on the admin side, wherever a program reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

from app.core.decisions import Fwd, Result
from app.core.messages import Headers
from app.core.reasons import Reason
from app.journal import Event
from app.wording import cause, visible

# A client chooses these values; what is longer helps nobody.
LONGEST_ID = 128


class Line(TypedDict):
    """One request, answered. `ts` is HTTP time (ISO 8601), `age` and `ttl` are seconds; the durations are real time."""

    ts: str
    level: str
    msg: str
    method: str
    host: str
    path: str
    status: int
    duration_ms: float
    bytes: int
    complete: bool
    cache: Result
    reason: Reason
    detail: str
    key: str
    age: int | None
    ttl: int | None
    ttl_from: str | None
    fwd: Fwd | None
    stored: bool
    origin_ms: float | None
    proxy_error: str | None
    coalesced: bool
    background: bool
    dialect: str
    req_id: str | None
    traceparent: str | None


def line_of(event: Event, dialect: str) -> Line:
    """The names are public. No value of a cookie or a credential."""
    request, verdict = event.request, event.verdict
    return {
        "ts": iso(event.at),
        "level": "error" if verdict.result is Result.ERROR else "info" if event.broken is None else "warning",
        "msg": "request",
        "method": visible(request.method),
        "host": visible(request.authority),
        "path": visible(request.target),
        "status": event.status,
        "duration_ms": round(event.duration * 1000, 3),
        "bytes": event.size,
        "complete": event.broken is None,
        "cache": verdict.result,
        "reason": verdict.reason,
        "detail": cause(event),
        "key": visible(verdict.key),
        "age": verdict.age, "ttl": verdict.ttl,
        "ttl_from": verdict.source,
        "fwd": verdict.fwd,
        "stored": event.stored,
        "origin_ms": None if event.origin_duration is None else round(event.origin_duration * 1000, 3),
        "proxy_error": verdict.proxy_error,
        "coalesced": verdict.collapsed,
        "background": verdict.reason is Reason.STALE_WHILE_REVALIDATE,
        "dialect": dialect,
        "req_id": identifier(request.headers, "x-request-id"),
        "traceparent": identifier(request.headers, "traceparent"),
    }  # fmt: skip


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def identifier(headers: Headers, field: str) -> str | None:
    value = headers.get(field)
    return None if value is None else visible(value[:LONGEST_ID])
