"""Every process that answers clients, seen as one: what they have counted, seen and under way, whichever did it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from app.core.decisions import Exchange
from app.counters import Counters
from app.journal import RING, Event, Fits, Page
from app.store.base import State
from app.surroundings import Lasting


@dataclass(frozen=True, slots=True)
class Report:
    """What was counted up to now, how the store is, and how many fetches are under way, and refreshes among them."""

    counters: Counters
    store: State
    flights: int
    refreshing: int


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a key outside the store: the origin's last answer, whether it is being fetched, and whether its
    answers have proved to be for one client each."""

    exchange: Exchange | None
    in_flight: bool
    uncacheable: bool


@dataclass(frozen=True, slots=True)
class Workforce:
    """How many processes there are to answer clients, how many of them are up, and how often one was replaced."""

    wanted: int
    up: int
    restarts: int


class Fleet(Protocol):
    """Whoever cannot be asked in time is left out, and named on the log: an answer never fails."""

    async def report(self) -> Report:
        """Exact at the moment at which each process is asked."""

    async def events(self, limit: int = RING) -> list[Event]:
        """The last ones, the newest at the end."""

    async def since(self, number: int, most: int, fits: Fits | None = None) -> Page:
        """As `Journal.since`, by numbers that are the same whoever is asked next."""

    async def last(self) -> int:
        """The number of the last event."""

    async def about(self, key: str) -> About: ...

    async def reset(self) -> None:
        """Forget what was counted and seen, and which keys proved uncacheable."""

    @property
    def workforce(self) -> Workforce: ...


class OneProcess:
    """This process alone."""

    workforce = Workforce(1, 1, 0)

    def __init__(self, lasting: Lasting) -> None:
        self._journal, self._store = lasting.journal, lasting.store
        self._flights, self._uncacheable = lasting.flights, lasting.uncacheable

    async def report(self) -> Report:
        return self.present()

    def present(self) -> Report:
        """The same without waiting."""
        flights = self._flights
        return Report(self._journal.counters, self._store.state(), len(flights), flights.refreshing)

    async def events(self, limit: int = RING) -> list[Event]:
        return self._journal.events[-limit:]

    async def since(self, number: int, most: int, fits: Fits | None = None) -> Page:
        return self._journal.since(number, most, fits)

    async def last(self) -> int:
        return self._journal.last

    def newest(self, after: int, most: int) -> Page:
        """The last events after that number, at most so many; `missed` are those before them."""
        begin = max(after, self._journal.last - most)
        page = self._journal.since(begin, most)
        return replace(page, missed=page.missed + begin - after)

    async def about(self, key: str) -> About:
        in_flight = self._flights.find(key) is not None
        return About(self._journal.exchanges.get(key), in_flight, key in self._uncacheable)

    async def reset(self) -> None:
        self._journal.reset()
        self._uncacheable.forget()
