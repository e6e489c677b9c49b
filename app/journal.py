"""What happened: one event a request, a ring of the last ones, and counters."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from app.core.decisions import Exchange, Verdict
from app.core.messages import Request

# Heads of a few KiB each: together they stay small beside the smallest sensible store.
RING = 1_000
EXPLAINED = 500

# How logs show a client that left before it had its answer: the status as nginx writes it.
CLIENT_CLOSED_REQUEST = 499
CLIENT_LEFT = "the client left"


@dataclass(frozen=True, slots=True)
class Event:
    """One request, answered. `at` is HTTP time in seconds; `duration` and `origin_duration` are seconds of real time.

    `size` counts the bytes of body that were handed to the server; `broken` says in words why not all of them were.
    `proxy_detail` says in words what went wrong with the origin.
    """

    at: float
    request: Request
    status: int
    verdict: Verdict
    duration: float
    size: int = 0
    origin_duration: float | None = None
    broken: str | None = None
    proxy_detail: str | None = None

    @property
    def stored(self) -> bool:
        """Whether the store has it now: what the origin broke off is kept by nobody, whatever its head had promised."""
        return self.verdict.stored and self.broken in (None, CLIENT_LEFT)


@dataclass(slots=True)
class Counters:
    """Counts since the start. `origin_requests` by cause: request or refresh."""

    requests: int = 0
    results: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    origin_requests: Counter[str] = field(default_factory=Counter)
    collapsed: int = 0
    bytes_sent: int = 0
    refresh_failures: int = 0


class Journal:
    """The ring of events, the counters, and the last exchange of each key for `swerve why`."""

    def __init__(self, size: int = RING) -> None:
        self.events: deque[Event] = deque(maxlen=size)
        self.counters = Counters()
        self.exchanges: dict[str, Exchange] = {}
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have every later event handed to `listener`, in the order in which they are recorded."""
        self._listeners.append(listener)

    def record(self, event: Event) -> None:
        self.events.append(event)
        counters = self.counters
        counters.requests += 1
        counters.results[event.verdict.result] += 1
        counters.reasons[event.verdict.reason] += 1
        counters.collapsed += event.verdict.collapsed
        counters.bytes_sent += event.size
        for listener in self._listeners:
            listener(event)

    def fetched(self, key: str, exchange: Exchange, cause: str) -> None:
        """Remember what the origin answered for a key; the oldest of too many is forgotten."""
        self.counters.origin_requests[cause] += 1
        self.exchanges.pop(key, None)
        self.exchanges[key] = exchange
        if len(self.exchanges) > EXPLAINED:
            del self.exchanges[next(iter(self.exchanges))]
