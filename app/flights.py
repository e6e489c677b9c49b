"""One fetch per key, shared by everybody who waits for it (collapsing). A refresh is a flight that nobody has to wait
for: whoever cannot be served stale any more joins it like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from app.core.decisions import Exchange, Outcome
from app.core.forwarding import Forwarding
from app.core.rules import Rules
from app.spool import Spool

T = TypeVar("T")


class ClientGone(Exception):
    """The client left before it had its answer."""


class Presence(Protocol):
    """A client that may leave."""

    async def stays(self, work: Coroutine[Any, Any, T]) -> T:
        """Work for this client, for as long as it is there; raises ClientGone when it leaves."""


class ClientSilent(ClientGone):
    """The client is there, but has stopped in the middle of its request body."""


@dataclass(frozen=True, slots=True)
class OwnBody:
    """A body that one client alone reads. `aclose` ends it, read to the end or not."""

    chunks: AsyncIterator[bytes]
    aclose: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Landing:
    """What a fetch brought. `own` is the body for the one who led it; others read along in `spool`, if there is one.

    `page` is a body that is at hand as a whole: one that came with its head, or that was made here because the origin
    gave none; `detail` says in words what happened. `duration`: seconds of real time until the origin's head was there.
    """

    outcome: Outcome
    exchange: Exchange
    duration: float
    own: OwnBody | None = None
    spool: Spool | None = None
    page: bytes = b""
    detail: str | None = None

    @property
    def joinable(self) -> bool:
        """Whether somebody may still begin to read the body; there may be none that would have to be read."""
        return self.spool is None or not self.spool.overflowed

    def for_follower(self) -> Landing:
        """The same for one who waited along, who reads from the first byte too."""
        if self.spool is None:
            return replace(self, own=None)
        reader = self.spool.reader()
        return replace(self, own=OwnBody(reader, reader.aclose))

    async def discard(self) -> None:
        """Nobody wants the body."""
        if self.own is not None:
            await self.own.aclose()


# What says how a request is sent on and what becomes of the answer: both may change while it is under way.
Terms = tuple[Rules, Forwarding]


class Flight:
    """A fetch under way, by its `task`. `fetched_under`: the number of the last purge that it regards. `terms`: by
    what it was asked for, and is judged. `wanted`: also when nobody waits for it. `given_up`: it is being cancelled,
    and brings nothing any more."""

    def __init__(self, fetched_under: int, terms: Terms, landing: asyncio.Future[Landing]) -> None:
        self.fetched_under, self.terms = fetched_under, terms
        self.abandoned = False
        self.waiters = 0
        self.wanted = False
        self.given_up = False
        self.task: asyncio.Task[None] | None = None
        self._landing = landing

    @property
    def joinable(self) -> bool:
        if self.given_up:
            return False
        return not self._landing.done() or (self.landing is not None and self.landing.joinable)

    @property
    def landing(self) -> Landing | None:
        """What it brought; None while it flies, or if it crashed."""
        done = self._landing.done() and self._landing.exception() is None
        return self._landing.result() if done else None

    async def landed(self) -> Landing:
        """Wait for it. A waiter that is cancelled leaves the flight and the other waiters alone."""
        self.waiters += 1
        try:
            return await asyncio.shield(self._landing)
        finally:
            self.waiters -= 1

    def land(self, landing: Landing) -> None:
        self._landing.set_result(landing)

    def crash(self, error: BaseException) -> None:
        self._landing.set_exception(error)
        self._landing.exception()  # a refresh has no waiter that would take note of it


class Flights:
    """The flights under way, by key. `refreshing`: how many of them nobody waits for. `leasing`: the keys for which it
    is being asked whether we are the one to refresh them."""

    def __init__(self) -> None:
        self.refreshing = 0
        self.leasing: set[str] = set()
        self._flying: dict[str, Flight] = {}

    def __len__(self) -> int:
        return len(self._flying)

    def find(self, key: str) -> Flight | None:
        """A flight that can still be joined."""
        flight = self._flying.get(key)
        return flight if flight is not None and flight.joinable else None

    def depart(self, key: str, fetched_under: int, terms: Terms, landing: asyncio.Future[Landing]) -> Flight:
        flight = self._flying[key] = Flight(fetched_under, terms, landing)
        return flight

    def end(self, key: str, flight: Flight) -> None:
        """Forget it, unless a later one has taken its place."""
        if self._flying.get(key) is flight:
            del self._flying[key]
