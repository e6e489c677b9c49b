"""What happened: one event a request, a ring of the last ones, and counters."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf
from operator import itemgetter

from app.core.decisions import Exchange, Verdict
from app.core.messages import Request
from app.core.purging import Mode
from app.counters import Counters

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


@dataclass(frozen=True, slots=True)
class Page:
    """Events with their numbers, the oldest first. `last`: up to which number was looked. `missed`: how many after the
    number that was asked for are no longer known."""

    events: list[tuple[int, Event]]
    last: int
    missed: int


Address = tuple[str, int] | None


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """What all events have in common in which one finished answer was given again. Each is like itself alone.

    `read` makes the request of the head with which it came, and of its client's address.
    """

    read: Callable[[bytes, Address], Request]
    status: int
    verdict: Verdict
    size: int

    def event(self, head: bytes, at: float, client: Address) -> Event:
        """One of them."""
        return Event(at, self.read(head, client), self.status, self.verdict, 0.0, self.size)


# One of them that has not been made yet: with its request's head, when it was in HTTP time, and its client's address.
Unmade = tuple[Replay, bytes, float, Address]
Fits = Callable[[Verdict, int], bool]  # whether an event with that verdict and status is wanted
OnEvent = Callable[[Event], None]
OnReplays = Callable[[Sequence[Unmade]], None]


class Journal:
    """The ring of events, the counters, and the last exchange of each key for `swerve why`. Events are numbered
    from 1 in the order in which they are recorded.

    `replays` are those that nobody has counted yet; who appends to them calls `replayed` after the first of them, and
    when there are `most_replays`. They are made into events when somebody looks: there may be two hundred thousand a
    second. How long one took is not known, and is 0.
    """

    def __init__(self, size: int = RING) -> None:
        self.exchanges: OrderedDict[str, Exchange] = OrderedDict()
        self.replays: list[Unmade] = []
        self.most_replays = size
        self._ring: deque[Event | Unmade] = deque(maxlen=size)
        self._counters = Counters()
        self._last = 0
        self._most_replays = size
        self._listeners: list[tuple[OnEvent, OnReplays, float]] = []
        self._patience = inf

    @property
    def events(self) -> list[Event]:
        """The last ones, the newest at the end."""
        self.settle()
        made = [one if isinstance(one, Event) else _made(*one) for one in self._ring]
        self._ring.clear()
        self._ring.extend(made)
        return made

    @property
    def counters(self) -> Counters:
        self.settle()
        return self._counters

    @property
    def last(self) -> int:
        """The number of the last event."""
        self.settle()
        return self._last

    def skip(self, count: int) -> None:
        """Leave out so many numbers, those of events that nobody knows. What came before them is forgotten."""
        self._ring.clear()
        self._last += count

    def since(self, number: int, most: int, fits: Fits | None = None) -> Page:
        """The first events after that number, at most so many of those that fit."""
        first = self.last + 1 - len(self._ring)
        begin, place = max(number + 1, first), max(number, first - 1)
        found: list[tuple[int, Event]] = []
        for place, one in enumerate(islice(self._ring, begin - first, None), begin):
            event = one if isinstance(one, Event) else one[0]
            if fits is None or fits(event.verdict, event.status):
                found.append((place, one if isinstance(one, Event) else _made(*one)))
                if len(found) == most:
                    break
        return Page(found, place, begin - number - 1)

    def reset(self) -> None:
        """Forget what has happened. The numbers go on."""
        self.settle()
        self._counters = Counters()
        self._ring.clear()
        self.exchanges.clear()

    def listen(self, listener: OnEvent, on_replays: OnReplays | None = None, patience: float = 0.0) -> None:
        """Have every later event handed to `listener`, in the order in which they are recorded, and replays in one call
        to `on_replays`, if there is one. Replays may be held back for `patience` seconds, so that there are several."""

        def one_by_one(replays: Sequence[Unmade]) -> None:
            for one in replays:
                listener(_made(*one))

        self._listeners.append((listener, on_replays or one_by_one, patience))
        self._be_patient()

    def unlisten(self, listener: OnEvent) -> None:
        """Hand nothing to it any more. It has had what there was until now."""
        self.settle()
        self._listeners = [one for one in self._listeners if one[0] is not listener]
        self._be_patient()

    def _be_patient(self) -> None:
        self._patience = min((patience for *_, patience in self._listeners), default=inf)
        self.most_replays = self._most_replays if self._patience else 1

    def record(self, event: Event) -> None:
        if self.replays:
            self.settle()
        self._ring.append(event)
        self._last += 1
        self._count(event.verdict, event.status, event.size, 1, event.duration)
        for listener, *_ in self._listeners:
            listener(event)

    def replayed(self) -> None:
        """There is something in `replays`: it is counted at once or soon."""
        if len(self.replays) >= self.most_replays:
            self.settle()
        elif self._listeners:
            asyncio.get_running_loop().call_later(self._patience, self.settle)

    def fetched(self, key: str, exchange: Exchange, cause: str, took: float) -> None:
        """Remember what the origin answered for a key, after so many seconds; the oldest of too many is forgotten."""
        self._counters.origin_requests[cause] += 1
        self._counters.origin_durations[cause].observe(took)
        self.exchanges.pop(key, None)
        self.exchanges[key] = exchange
        if len(self.exchanges) > EXPLAINED:
            self.exchanges.popitem(last=False)

    def purged(self, mode: Mode) -> None:
        """One more purge was put into the log by this process."""
        self._counters.purges[mode] += 1

    def settle(self) -> None:
        """Count the replays, and tell whoever listens."""
        replays = self.replays[:]
        self.replays.clear()  # the list stays, for others append to it
        for replay, times in Counter(map(itemgetter(0), replays)).items():
            self._count(replay.verdict, replay.status, replay.size, times, 0.0)
        self._ring.extend(replays)
        self._last += len(replays)
        for _, on_replays, _ in self._listeners:
            on_replays(replays)

    def _count(self, verdict: Verdict, status: int, size: int, times: int, duration: float) -> None:
        counters = self._counters
        counters.requests += times
        counters.results[verdict.result] += times
        counters.reasons[verdict.reason] += times
        counters.answers[verdict.result, status // 100] += times
        counters.durations[verdict.result].observe(duration, times)
        counters.collapsed += verdict.collapsed * times
        counters.bytes_sent += size * times


def _made(replay: Replay, head: bytes, at: float, client: Address) -> Event:
    return replay.event(head, at, client)
