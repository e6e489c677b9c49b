"""One line a request: coloured text for people, JSON for programs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from io import TextIOWrapper
from typing import Literal, TextIO

from app.core.decisions import Result
from app.core.messages import Headers
from app.core.reasons import MEANINGS, Phase, Reason
from app.journal import Address, Event, Replay, Unmade
from app.request_log import identifier, iso, line_of
from app.wording import advice, cause, elapsed, visible

Mode = Literal["text", "json", "off"]

# Lines for a program are written together: at most so many seconds after the first of them, and so many at a time.
FLUSH_AFTER = 0.1
FLUSH_LINES = 500

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
    """A listener for the journal. On a terminal each line appears at once; elsewhere lines are written together, and
    may wait for `patience` seconds.

    A stream that breaks is not written to again: a log must not stop requests. Call `flush` at the end.
    """

    def __init__(self, mode: Mode, stream: TextIO, color: bool, dialect: str) -> None:
        self._line = {"text": self._text, "json": self._json, "off": None}[mode]
        self._stream = stream
        self._color = color
        self._dialect = dialect
        self._terminal = stream.isatty()
        self.patience = 0.0 if self._terminal else FLUSH_AFTER
        self._again = Again(self._json) if mode == "json" else None
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

    def replayed(self, replays: Sequence[Unmade]) -> None:
        """Answers that were given again."""
        if self._again is None:
            for replay, head, at, client in replays:
                self(replay.event(head, at, client))
        elif self._line is not None:
            self._waiting += self._again.lines(replays)
            self.flush()

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
        return json.dumps(line_of(event, self._dialect)) + "\n"


class Again:
    """The JSON of answers that were given again: written once, but for what differs from one to the next."""

    def __init__(self, line: Callable[[Event], str]) -> None:
        self._line = line
        self._cut: dict[Replay, list[str]] = {}
        self._millis, self._time = -1, ""

    def lines(self, replays: Iterable[Unmade]) -> list[str]:
        return [self._one(*one) for one in replays]

    def _one(self, replay: Replay, head: bytes, at: float, client: Address) -> str:
        cut = self._cut.get(replay) or self._written(replay, head)
        if int(at * 1000) != self._millis:
            self._millis, self._time = int(at * 1000), iso(at)
        folded = head.lower()
        if b"\nx-request-id:" not in folded and b"\ntraceparent:" not in folded:
            return f"{cut[0]}{self._time}{cut[1]}null{cut[2]}null{cut[3]}"
        headers = replay.read(head, client).headers
        told = [json.dumps(identifier(headers, name)) for name in ("x-request-id", "traceparent")]
        return f"{cut[0]}{self._time}{cut[1]}{told[0]}{cut[2]}{told[1]}{cut[3]}"

    def _written(self, replay: Replay, head: bytes) -> list[str]:
        """Its line, cut where the time and the identifiers stand. Those of a second ago are not asked for again."""
        if len(self._cut) >= FLUSH_LINES:
            self._cut.clear()
        event = replay.event(head, 0.0, None)
        told = Headers.of(("x-request-id", "{id}"), ("traceparent", "{parent}"))
        line = self._line(replace(event, request=event.request.with_headers(told)))
        ts, rest = line.split(iso(0.0), 1)
        middle, identifiers = rest.rsplit('"{id}"', 1)
        self._cut[replay] = cut = [ts, middle, *identifiers.rsplit('"{parent}"', 1)]
        return cut
