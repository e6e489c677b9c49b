"""Events to print: one request, answered one way or another."""

import io
from dataclasses import replace
from typing import Any

from app.core.decisions import Fwd, Result, Verdict
from app.core.messages import Headers, Request
from app.core.reasons import Reason
from app.journal import Event

KEY = "GET http localhost:8080 /blog"
REQUEST = Request("GET", "http", "localhost:8080", "/blog", Headers())
MISS = Verdict(Result.MISS, Reason.URI_MISS, KEY, fwd=Fwd.URI_MISS, stored=True, ttl=60, age=0, stale_for=300)
HIT = Verdict(Result.HIT, Reason.FRESH, KEY, ttl=58, age=2, stale_for=300)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def event(verdict: Verdict = MISS, **changes: Any) -> Event:
    """One request, answered in 212 ms at 2023-11-14 22:13:20 UTC."""
    return replace(Event(1_700_000_000.113, REQUEST, 200, verdict, 0.212, size=18_231, origin_duration=0.21), **changes)


def asking(method: str = "GET", target: str = "/blog", **fields: str) -> Request:
    headers = Headers.of(*((name.replace("_", "-"), value) for name, value in fields.items()))
    return Request(method, "http", "localhost:8080", target, headers)
