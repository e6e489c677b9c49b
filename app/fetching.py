"""One trip to the origin: send, conclude, and put the conclusion into effect (RFC 9111 §3, §4.3, §4.4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from time import perf_counter

from app.core.concluding import conclude
from app.core.decisions import (
    Exchange,
    Forward,
    Freshen,
    Pass,
    Reuse,
    Save,
    ServeStale,
    StoredResponse,
    WithoutBody,
)  # fmt: skip
from app.core.forwarding import outbound
from app.core.invalidation import PERHAPS_CARRIED_OUT, perhaps_spoiled_by, spoiled_by
from app.core.key import sent_target
from app.core.messages import Headers, Request, Response, end_to_end
from app.core.moving import moved
from app.core.purging import Kind, Mode, Purge, Selector
from app.core.sharing import reusable, speaks_of_the_key
from app.flights import ClientGone, Flight, Landing, OwnBody, Terms
from app.intake import Intake
from app.pages import failed
from app.store.base import StoreError, marked, unmarked
from app.surroundings import Surroundings
from app.upstream.client import Answer
from app.upstream.errors import UpstreamError

# For how many seconds one of several may be the only one that refreshes a key, should it die meanwhile.
LEASE = 15.0


class Fetcher:
    """Fetches, by the rules of its surroundings, and what they leave behind."""

    def __init__(self, around: Surroundings) -> None:
        self.around, self.flights = around, around.flights
        self.rules_of = around.ruling.of
        self.intake = Intake(around)

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
        under, landing = self._sent_under(forward), self.around.tasks.loop.create_future()
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
            landing = await self.fetch(key, forward, ended=ended)
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

    async def fetch(
        self, key: str, forward: Forward, body: AsyncIterator[bytes] | None = None,
        *, ended: Callable[[], None] = lambda: None,
    ) -> Landing:  # fmt: skip
        """Ask the origin and settle what it means. Returns when the head of the answer is there; `ended` is called when
        a body that is taken in has come to its end."""
        try:
            landing = await self._ask(key, forward, body)
        except BaseException:  # the client has left, with its request on the way
            perhaps = perhaps_spoiled_by(forward.request, self.rules_of(forward.request), self.around.clock.now())
            if perhaps:
                self.around.tasks.start(self._spoil(perhaps), f"spoil {key}")
            raise
        try:
            spoiled = self._spoiled(forward.request, landing.exchange)
            numbers = await self._spoil(spoiled)
            match landing.outcome:
                case Save(stored):
                    stored = _after(numbers, stored)
                    self._remember(key, forward, reusable(stored, self.around.clock.now()))
                    return await self.intake.take(forward, landing, stored, ended)
                case outcome:
                    await self._settle(outcome, key, forward, landing)
                    return landing
        except BaseException:
            await landing.discard()
            raise

    def _spoiled(self, request: Request, exchange: Exchange) -> Sequence[Purge]:
        rules, now = self.rules_of(request), self.around.clock.now()
        if exchange.proxy_error in PERHAPS_CARRIED_OUT:
            return perhaps_spoiled_by(request, rules, now)
        return spoiled_by(request, exchange.response, rules, now)

    async def _spoil(self, purges: Sequence[Purge]) -> Sequence[int | None]:
        return [await self._purge(purge) for purge in purges]

    async def _settle(self, outcome: WithoutBody, key: str, forward: Forward, landing: Landing) -> None:
        """Put into effect what brought no new body to keep. What answers from the store needs no body of its own."""
        match outcome:
            case Freshen(stored):
                await self.around.store.replace(_asked_about(forward), stored)
                self._remember(key, forward, reusable(stored, self.around.clock.now()))
            case ServeStale(_, stored):
                await self.around.store.replace(_asked_about(forward), stored)
                self.around.journal.counters.refresh_failures += int(forward.background)
            case Reuse(_, _, forget):
                await self._forget(forget)
            case Pass(_, _, forget):
                await self._forget(forget)
                if speaks_of_the_key(outcome, landing.exchange, self.rules_of(forward.request)):
                    self._remember(key, forward, False)
                return
        await landing.discard()

    async def _forget(self, stored: StoredResponse | None) -> None:
        if stored is not None:
            await self.around.store.remove(stored)

    def _remember(self, key: str, forward: Forward, cacheable: bool) -> None:
        """Whether who comes next should wait for another's fetch of this key, or ask for itself."""
        if cacheable or forward.shareable:
            self.around.uncacheable.remember(key, cacheable=cacheable)

    async def _ask(self, key: str, forward: Forward, body: AsyncIterator[bytes] | None) -> Landing:
        """The exchange with the origin, concluded. A failure becomes a response of our own, judged like any other."""
        around, request, rules = self.around, forward.request, self.rules_of(forward.request)
        under, request_time, started = self._sent_under(forward), around.clock.now(), perf_counter()
        proxy_error, own, detail = None, None, None
        try:
            head = outbound(request, around.forwarding)
            target = sent_target(request.target, rules).encode("latin-1")
            answer = await around.upstream.send(request.method, target, head.pairs, body)
            response, own, page = _received(answer, around.clock.offset)
        except UpstreamError as error:
            proxy_error, detail = str(error.error), error.detail
            response, page = failed(proxy_error, error.status, error.detail)
        response_time, took = around.clock.now(), perf_counter() - started
        exchange = Exchange(
            request, response, rules.directives(response.headers, response.status), request_time, response_time,
            proxy_error, fetched_under=under, number=around.ordinals.next(),
            deployment=await self._deployment(response),
        )  # fmt: skip
        around.journal.fetched(key, exchange, "refresh" if forward.background else "request", took)
        try:
            outcome = conclude(forward, exchange, key, rules)
        except BaseException:
            if own is not None:
                await own.aclose()
            raise
        return Landing(outcome, exchange, took, own, page=page, detail=detail)

    def _sent_under(self, forward: Forward) -> int:
        """The number of the last purge, now. What was deleted since somebody decided to validate it counts as deleted
        whatever the origin says to that: «not modified» would put it back."""
        number, stored = self.around.store.purge_number(), forward.stored
        if stored is None or stored.fetched_under == number:
            return number
        now, found = self.around.clock.now(), marked(self.around.store.log, unmarked(stored))
        deleted_since = found.purged_as(now) is Mode.HARD and stored.purged_as(now) is not Mode.HARD
        return stored.fetched_under if deleted_since else number

    async def _deployment(self, response: Response) -> str | None:
        """Which deployment answered: as it says itself, else the current one. One that was not heard of before is the
        current one from now on."""
        log, field = self.around.store.log, self.around.limits.deployment_field
        announced = None if field is None else response.headers.get(field)
        if announced is None:
            return log.deployment
        if announced not in log.deployments:
            new = Selector(Kind.DEPLOYMENT, announced)
            await self._purge(Purge(Mode.SOFT, new, at=self.around.clock.now()))
        return announced

    async def _purge(self, purge: Purge) -> int | None:
        """A purge that nobody has asked for; its number. Where it is not acknowledged (None), the store says so and
        tells the others later: no reason for the client to go without its answer."""
        with suppress(StoreError):
            number = await self.around.store.purge(purge)
            self.around.journal.purged(purge.mode)
            return number
        return None


def _after(own: Sequence[int | None], stored: StoredResponse) -> StoredResponse:
    """A POST's own answer came after what it spoiled. Where others have purged while it was under way, it counts as
    fetched before: of theirs nobody asks which have named it."""
    first = stored.fetched_under + 1
    alone = own and list(own) == list(range(first, first + len(own)))
    return replace(stored, fetched_under=first + len(own) - 1) if alone else stored


def _received(answer: Answer, ahead: float) -> tuple[Response, OwnBody | None, bytes]:
    """The head, by a clock that is so many seconds ahead, and the body: to be read, or at hand."""
    response = Response(answer.status, moved(end_to_end(Headers(answer.headers)), ahead))
    if answer.whole is not None:
        return response, None, answer.whole
    return response, OwnBody(answer.body, answer.aclose), b""


def _asked_about(forward: Forward) -> StoredResponse:
    assert forward.stored is not None, "nothing else is confirmed, or served stale"
    return forward.stored
