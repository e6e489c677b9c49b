"""Who waits for whose fetch: one at a time per key, for clients and refreshes alike (RFC 5861 §3, RFC 9211 §2.7)."""

from __future__ import annotations

import asyncio

from app.core.decisions import Forward
from app.core.messages import Request
from app.core.sharing import shareable_with
from app.fetching import Fetcher
from app.flights import ClientGone, Flight, Landing, Terms
from app.surroundings import Surroundings

# For how many seconds one of several may be the only one that refreshes a key, should it die meanwhile.
LEASE = 15.0


class Collapsing:
    """Begins fetches that others may join, and joins them."""

    def __init__(self, around: Surroundings, fetcher: Fetcher) -> None:
        self.around, self.fetcher, self.flights = around, fetcher, around.flights
        self.rules_of = around.ruling.of

    async def land(self, request: Request, forward: Forward, key: str) -> tuple[Landing, bool]:
        """What a fetch brings for a request, and whether it was another's: wait for the one who is fetching it already,
        or be that one. Who may not share asks for itself, at once."""
        flight = self.flights.find(key)
        if flight is None or not self.may_join(request, flight, key):
            return await self.lead(key, forward), False
        landing = await self.wait(flight)
        if self.may_share(request, landing):
            return landing.for_follower(), True
        return await self.fetcher.fetch(key, forward), False

    def may_join(self, request: Request, flight: Flight, key: str) -> bool:
        """Whether to wait for a flight: not when a purge has spoiled it, when other rules held as it began and hold for
        what it brings, or when its head is here and will not do."""
        if self.around.store.purged_since(key, flight.fetched_under) or flight.terms != self.terms(request):
            return False
        return flight.landing is None or self.may_share(request, flight.landing)

    def may_share(self, request: Request, landing: Landing) -> bool:
        rules, now = self.rules_of(request), self.around.clock.now()
        return landing.joinable and shareable_with(landing.outcome, landing.exchange, request, rules, now)

    async def lead(self, key: str, forward: Forward) -> Landing:
        """Wait for a flight of our own."""
        flight = self.depart(key, forward)
        try:
            return await self.wait(flight)
        except asyncio.CancelledError:
            self.abandon(flight)
            raise

    def refresh(self, key: str, forward: Forward) -> None:
        """Renew a stored response in the background, once at a time per key."""
        if not self.may_refresh(key):
            return
        if self.around.store.shared:
            self.flights.leasing.add(key)
            self.around.tasks.start(self._lease(key, forward), f"lease {key}")
        else:
            self.depart(key, forward)

    def may_refresh(self, key: str) -> bool:
        """Whether nobody is fetching it already, and not too much else is being refreshed."""
        flights = self.flights
        busy = key in flights.leasing or flights.find(key) is not None
        return not busy and flights.refreshing + len(flights.leasing) < self.around.limits.refreshes

    async def _lease(self, key: str, forward: Forward) -> None:
        """Refresh if nobody else who shares the store does."""
        try:
            ours = await self.around.store.lease(key, LEASE)
        finally:
            self.flights.leasing.discard(key)
        if ours and self.may_refresh(key):
            self.depart(key, forward)

    def depart(self, key: str, forward: Forward) -> Flight:
        """Start a fetch that others may join. It is nobody's own: no client that leaves takes it down."""
        under, landing = self.fetcher.sent_under(forward), self.around.tasks.loop.create_future()
        flight = self.flights.depart(key, under, self.terms(forward.request), landing)
        self.flights.refreshing += int(forward.background)
        flight.task = self.around.tasks.start(self._fly(key, forward, flight), f"fetch {key}")
        flight.wanted = forward.background
        return flight

    def terms(self, request: Request) -> Terms:
        """By what a request is sent on and its answer judged, as the settings are now."""
        return self.rules_of(request), self.around.forwarding

    async def wait(self, flight: Flight) -> Landing:
        """Wait for a flight to land. When the last who waits has left before its head came, nobody wants it any more:
        or clients that come and go would hold every connection to the origin."""
        try:
            return await flight.landed()
        except asyncio.CancelledError:
            if flight.waiters == 0 and flight.landing is None and not flight.wanted and flight.task is not None:
                flight.given_up = True
                flight.task.cancel()
            raise

    def abandon(self, flight: Flight) -> None:
        """The client that led a flight has gone: it flies on for the others, but nobody wants the leader's own body."""
        flight.abandoned = True
        if flight.landing is not None:
            self.around.tasks.start(flight.landing.discard(), "discard")

    async def _fly(self, key: str, forward: Forward, flight: Flight) -> None:
        def ended() -> None:
            self.flights.end(key, flight)
            self.flights.refreshing -= int(forward.background)
            if forward.background and self.around.store.shared:
                self.around.tasks.start(self.around.store.release(key), f"release {key}")

        try:
            landing = await self.fetcher.fetch(key, forward, ended=ended)
        except asyncio.CancelledError:
            ended()
            flight.crash(ClientGone())
            raise
        except BaseException as error:
            ended()
            flight.crash(error)
            raise
        if landing.spool is None:
            ended()
        flight.land(landing)
        if forward.background or flight.abandoned:
            await landing.discard()
