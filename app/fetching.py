"""One trip to the origin: send, conclude, and put the conclusion into effect (RFC 9111 §3, §4.3, §4.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from time import perf_counter

from cachetools import TTLCache

from app.clock import Clock
from app.core.decisions import Exchange, Forward, Freshen, Pass, Reuse, Save, ServeStale, StoredResponse, WithoutBody
from app.core.dialect import Dialect
from app.core.forwarding import Forwarding, outbound
from app.core.invalidation import spoiled_by
from app.core.messages import Headers, Response, end_to_end
from app.core.storing import conclude, hold, speaks_of_the_key
from app.flights import Flight, Flights, Landing, OwnBody
from app.journal import Journal
from app.pages import failed
from app.spool import Budget, Spool, SpoolError
from app.store.base import Store
from app.tasks import Tasks
from app.upstream.client import Upstream
from app.upstream.errors import UpstreamError

# How many keys are remembered as uncacheable; forgetting one costs a moment of collapsing, nothing else.
UNCACHEABLE_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds: background refreshes at a time, bytes that bodies in flight may hold together."""

    refreshes: int = 100
    spooled: int = 64 * 2**20


@dataclass(slots=True)
class Surroundings:
    """What the request path works with."""

    store: Store
    upstream: Upstream
    dialect: Dialect
    forwarding: Forwarding
    clock: Clock
    journal: Journal
    tasks: Tasks
    limits: Limits


class Fetcher:
    """Fetches under way, and what they leave behind."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.rules = around.dialect.rules
        self.flights = Flights()
        self.refreshing = 0
        self._budget = Budget(around.limits.spooled)
        self._uncacheable: TTLCache[str, bool] = TTLCache(
            UNCACHEABLE_KEYS, self.rules.uncacheable_memory, around.clock.now
        )

    def is_uncacheable(self, key: str) -> bool:
        """Whether the key's last answer could not be shared, so that nobody should wait for the next one."""
        return key in self._uncacheable

    def refresh(self, key: str, forward: Forward) -> None:
        """Renew a stored response in the background, once at a time per key."""
        if self.flights.find(key) is None and self.refreshing < self.around.limits.refreshes:
            self.depart(key, forward)

    def depart(self, key: str, forward: Forward) -> Flight:
        """Start a fetch that others may join. It is nobody's own: no client that leaves takes it down."""
        flight = self.flights.depart(key, self.around.store.purge_number())
        self.refreshing += forward.background
        self.around.tasks.start(self._fly(key, forward, flight), f"fetch {key}")
        return flight

    def abandon(self, flight: Flight) -> None:
        """The client that led a flight has gone: it flies on for the others, but nobody wants the leader's own body."""
        flight.abandoned = True
        if flight.landing is not None:
            self.around.tasks.start(flight.landing.discard(), "discard")

    async def _fly(self, key: str, forward: Forward, flight: Flight) -> None:
        try:
            landing = await self.fetch(key, forward, flight=flight)
            if landing.spool is None:
                self.flights.end(key, flight)
            flight.land(landing)
            if forward.background or flight.abandoned:
                await landing.discard()
        except BaseException as error:
            self.flights.end(key, flight)
            flight.crash(error)
            raise
        finally:
            self.refreshing -= forward.background

    async def fetch(
        self, key: str, forward: Forward, body: AsyncIterator[bytes] | None = None, *, flight: Flight | None = None
    ) -> Landing:
        """Ask the origin and settle what it means. Returns when the head of the answer is there."""
        landing = await self._ask(key, forward, body)
        spoiled = spoiled_by(forward.request, landing.exchange.response)
        for base in spoiled:
            await self.around.store.invalidate(base)
        match landing.outcome:
            case Save(stored):
                if spoiled:  # a POST's own answer came after what it spoiled
                    stored = replace(stored, fetched_under=self.around.store.purge_number())
                return self._take_in(key, forward, landing, stored, flight)
            case outcome:
                await self._settle(outcome, key, forward, landing)
                return landing

    async def _settle(self, outcome: WithoutBody, key: str, forward: Forward, landing: Landing) -> None:
        """Put into effect what brought no new body to keep. What answers from the store needs no body of its own."""
        store = self.around.store
        match outcome:
            case Freshen(stored) | ServeStale(_, stored):
                assert forward.stored is not None, "nothing else is confirmed, or served stale"
                await store.replace(forward.stored, stored)
            case Reuse(_, _, forget) | Pass(_, _, forget):
                if forget is not None:
                    await store.remove(forget)
        self.around.journal.counters.refresh_failures += forward.background and isinstance(outcome, ServeStale)
        if not isinstance(outcome, Pass):
            await landing.discard()
        elif forward.shareable and speaks_of_the_key(outcome, landing.exchange):
            self._uncacheable[key] = True

    async def _ask(self, key: str, forward: Forward, body: AsyncIterator[bytes] | None) -> Landing:
        """The exchange with the origin, concluded. A failure becomes a response of our own, judged like any other."""
        around, request = self.around, forward.request
        under, request_time, started = around.store.purge_number(), around.clock.now(), perf_counter()
        proxy_error, page, own, detail = None, b"", None, None
        try:
            head = outbound(request, around.forwarding)
            answer = await around.upstream.send(request.method, request.target.encode("latin-1"), head.pairs, body)
            response = Response(answer.status, end_to_end(Headers(answer.headers)))
            own = OwnBody(answer.body, answer.aclose)
        except UpstreamError as error:
            proxy_error, detail = str(error.error), error.detail
            response, page = failed(proxy_error, error.status, error.detail)
        response_time, took = around.clock.now(), perf_counter() - started
        control = self.rules.directives(response.headers)
        exchange = Exchange(request, response, control, request_time, response_time, proxy_error, under)
        around.journal.fetched(key, exchange, "refresh" if forward.background else "request")
        return Landing(conclude(forward, exchange, key, self.rules), exchange, took, own, page=page, detail=detail)

    def _take_in(
        self, key: str, forward: Forward, landing: Landing, stored: StoredResponse, flight: Flight | None
    ) -> Landing:
        """Begin to spool a body that shall be kept. Its readers get every chunk as it comes."""
        self._uncacheable.pop(key, None)
        assert landing.own is not None
        spool = Spool(self.rules.max_body, self._budget)
        reader = None if forward.background else spool.reader()
        spooled = replace(landing, spool=spool, own=None if reader is None else OwnBody(reader, reader.aclose))
        self.around.tasks.start(self._spool(landing.own, spool, stored, forward, (key, flight)), f"take in {key}")
        return spooled

    async def _spool(
        self, body: OwnBody, spool: Spool, stored: StoredResponse, forward: Forward, flight: tuple[str, Flight | None]
    ) -> None:
        """Read the body to its end and keep it. A body that breaks off is kept by nobody, and what was stored stays."""
        try:
            async for chunk in body.chunks:
                await spool.append(chunk)
            if not spool.overflowed:
                await self.around.store.save(replace(stored, body=spool.whole(), size=spool.size))
            spool.finish()
        except SpoolError as error:  # it outgrew its limit, and nobody reads it any more
            spool.finish(error)
            if forward.background and forward.stored is not None:
                await self.around.store.remove(forward.stored)
        except UpstreamError as error:
            spool.finish(error)
            if forward.stored is not None:
                self.around.journal.counters.refresh_failures += forward.background
                held = hold(forward.stored, self.around.clock.now())
                await self.around.store.replace(forward.stored, held)
        except BaseException as error:
            spool.finish(error)
            raise
        finally:
            self.flights.end(*flight)
            await body.aclose()
