"""What the admin side may ask and do: the one place that knows where the answers come from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.admin.purges import Purging
from app.core.decisions import Exchange
from app.core.rules import Rules
from app.engine import Engine
from app.journal import Counters, Event, Fits, Page
from app.settings import Settings
from app.store.base import Store


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a key outside the store: the origin's last answer, whether it is being fetched, and whether its
    answers have proved to be for one client each."""

    exchange: Exchange | None
    in_flight: bool
    uncacheable: bool


@dataclass(frozen=True, slots=True)
class Flights:
    """Fetches under way, and background refreshes among them."""

    under_way: int
    refreshing: int


class Access:
    """`stopping` is set once the process is told to end."""

    def __init__(self, engine: Engine, settings: Settings, stopping: asyncio.Event) -> None:
        self.engine, self.around, self.settings, self.stopping = engine, engine.around, settings, stopping
        self.purging = Purging(self.around.store, self.around.tasks)
        self.streams = 0

    @property
    def store(self) -> Store:
        return self.around.store

    @property
    def rules(self) -> Rules:
        return self.engine.rules

    def now(self) -> float:
        """HTTP time."""
        return self.around.clock.now()

    # What clients were told.

    async def counters(self) -> Counters:
        return self.around.journal.counters

    async def flights(self) -> Flights:
        return Flights(len(self.engine.fetcher.flights), self.engine.fetcher.refreshing)

    async def events(self) -> list[Event]:
        """The last ones, the newest at the end."""
        return self.around.journal.events

    async def since(self, number: int, most: int, fits: Fits | None = None) -> Page:
        """As `Journal.since`."""
        return self.around.journal.since(number, most, fits)

    async def last(self) -> int:
        """The number of the last event."""
        return self.around.journal.last

    async def about(self, key: str) -> About:
        fetcher = self.engine.fetcher
        in_flight = fetcher.flights.find(key) is not None
        return About(self.around.journal.exchanges.get(key), in_flight, key in fetcher.uncacheable)

    async def forget(self) -> None:
        """Forget what was counted and seen, and which keys proved uncacheable."""
        self.around.journal.reset()
        self.engine.fetcher.uncacheable.forget()
