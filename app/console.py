"""One line a request: coloured text for people, JSON for programs."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Literal, TextIO

from app.core.decisions import Result
from app.core.reasons import MEANINGS, Phase, Reason
from app.journal import Event
from app.wording import advice, cause, elapsed, visible

Mode = Literal["text", "json", "off"]

# Lines for a program are written together: at most so many seconds after the first of them, and so many at a time.
FLUSH_AFTER = 0.1
FLUSH_LINES = 500
# A client chooses these values; what is longer helps nobody.
LONGEST_ID = 128

_RESET, _DIM = "\x1b[0m", "\x1b[2m"
_COLORS = {
    Result.HIT: "\x1b[32m",
    Result.STALE: "\x1b[33m",
    Result.MISS: "\x1b[36m",
    Result.EXPIRED: "\x1b[36m",
    Result.RENEWED: "\x1b[36m",
    Result.REVALIDATED: "\x1b[32m",
    Result.NOSTORE: "\x1b[35m",
    Result.PASS: "\x1b[34m",
    Result.ERROR: "\x1b[31m",
}


def mode_of(log: str, stream: TextIO) -> Mode:
    """The setting `log`, with `auto` decided: text for people, JSON for programs."""
    match log:
        case "text" | "json" | "off":
            return log
        case _:
            return "text" if stream.isatty() else "json"


class Console:
    """A listener for the journal. On a terminal each line appears at once; elsewhere lines are written together.

    A stream that breaks is not written to again: a log must not stop requests. Call `flush` at the end.
    """

    def __init__(self, mode: Mode, stream: TextIO, color: bool, dialect: str) -> None:
        self._line = {"text": self._text, "json": self._json, "off": None}[mode]
        self._stream = stream
        self._color = color
        self._dialect = dialect
        self._terminal = stream.isatty()
        self._waiting: list[str] = []
        self._advised: set[Reason] = set()
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def __call__(self, event: Event) -> None:
        if self._line is None:
            return
        self._waiting.append(self._line(event))
        if self._terminal or len(self._waiting) >= FLUSH_LINES:
            self.flush()
        elif len(self._waiting) == 1:
            self._flush_soon()

    def _flush_soon(self) -> None:
        try:
            asyncio.get_running_loop().call_later(FLUSH_AFTER, self.flush)
        except RuntimeError:  # no loop, so nobody who would come back
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        lines, self._waiting = self._waiting, []
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except (OSError, ValueError):  # the reader went away, or the stream was closed
            self._line = None

    def _text(self, event: Event) -> str:
        request, verdict = event.request, event.verdict
        clock = time.strftime("%H:%M:%S", time.localtime(event.at))
        what = f"{visible(request.method)} {visible(request.target)}"
        word = f"{verdict.result.upper():<11}"
        if self._color:
            clock, word = f"{_DIM}{clock}{_RESET}", f"{_COLORS[verdict.result]}{word}{_RESET}"
        taken = f"{elapsed(event.duration):>8}"
        return f"  {clock}  {what:<24}  {event.status}  {word} {taken}   {cause(event)}{self._advice(verdict.reason)}\n"

    def _advice(self, reason: Reason) -> str:
        """The first time that it is worth something: said on every line it would only be noise."""
        if reason in self._advised or MEANINGS[reason].phase is Phase.LOOKUP or not advice(reason):
            return ""
        self._advised.add(reason)
        said = f"  → {advice(reason)}"
        return f"{_DIM}{said}{_RESET}" if self._color else said

    def _json(self, event: Event) -> str:
        """The names are public. No value of a cookie or a credential; times are HTTP time, durations real time."""
        request, verdict = event.request, event.verdict
        return json.dumps({
            "ts": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
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
            "age": verdict.age,
            "ttl": verdict.ttl,
            "ttl_from": verdict.source,
            "fwd": verdict.fwd,
            "stored": event.stored,
            "origin_ms": None if event.origin_duration is None else round(event.origin_duration * 1000, 3),
            "proxy_error": verdict.proxy_error,
            "coalesced": verdict.collapsed,
            "background": verdict.reason is Reason.STALE_WHILE_REVALIDATE,
            "dialect": self._dialect,
            "req_id": _identifier(event, "x-request-id"),
            "traceparent": _identifier(event, "traceparent"),
        }) + "\n"  # fmt: skip


def _identifier(event: Event, field: str) -> str | None:
    value = event.request.headers.get(field)
    return None if value is None else visible(value[:LONGEST_ID])
