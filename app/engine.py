"""The request path: look up, decide, answer. What is missing is fetched once, shared, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from app.core import verdicts
from app.core.decisions import Forward, Freshen, Hit, Pass, Refuse, Reuse, Save, ServeStale, StoredResponse, Verdict
from app.core.deliver import Delivery, aged, deliver_fetched, deliver_stored
from app.core.dialect import speak
from app.core.key import cache_key
from app.core.messages import Request, Response
from app.core.refusing import refusal
from app.core.reuse import decide
from app.core.storing import dated, shareable_with
from app.fetching import Fetcher, Surroundings
from app.flights import Flight, Landing, OwnBody
from app.pages import refused

Gone = Coroutine[Any, Any, None]


class ClientGone(Exception):
    """The client left before it had its answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way out: `body` is bytes at hand, or one client's own stream, to be closed by who sends it.

    `origin_duration`: seconds until the origin's head was there; None when nobody waited for it.
    """

    response: Response
    body: Sequence[bytes] | OwnBody
    verdict: Verdict
    origin_duration: float | None = None
    proxy_detail: str | None = None


class Engine:
    """A shared cache in front of one origin."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.rules = around.dialect.rules
        self.fetcher = Fetcher(around)

    async def answer(
        self, request: Request, body: AsyncIterator[bytes] | None = None, gone: Callable[[], Gone] | None = None
    ) -> Reply:
        """Answer one request. An origin that fails is an answer too. `gone` ends when the client has left: then what is
        fetched for it alone is given up, and ClientGone raised, as it may be by `body`."""
        now = self.around.clock.now()
        key = cache_key(request, self.rules)
        if (refuse := refusal(request, self.around.forwarding.node)) is not None:
            return self.refuse(request, refuse, key)
        stored = await self.around.store.lookup(key)
        lookup = decide(request, stored, self.rules, now, uncacheable=self.fetcher.is_uncacheable(key))
        match lookup:
            case Refuse():
                return self.refuse(request, lookup, key)
            case Hit(_, chosen, refresh):
                if refresh is not None:
                    self.fetcher.refresh(key, refresh)
                return self.reply(request, chosen, verdicts.of_hit(lookup, key, now), now)
            case Forward(shareable=True):
                return await self.share(request, lookup, key)
            case Forward():
                return await self.deliver(request, lookup, await self.alone(key, lookup, body, gone), key)

    async def alone(
        self, key: str, forward: Forward, body: AsyncIterator[bytes] | None, gone: Callable[[], Gone] | None
    ) -> Landing:
        """Fetch for one client, for as long as it is there."""
        fetch = self.fetcher.fetch(key, forward, body)
        if gone is None:
            return await fetch
        landing = await self.around.tasks.unless(gone(), fetch)
        if landing is None:
            raise ClientGone
        return landing

    async def share(self, request: Request, forward: Forward, key: str) -> Reply:
        """Wait for the one who is fetching it already, or be that one. Who may not share asks for itself, at once."""
        flight = self.fetcher.flights.find(key)
        if flight is None or not self.may_join(request, flight, key):
            return await self.deliver(request, forward, await self.lead(key, forward), key)
        landing = await flight.landed()
        if landing.joinable and shareable_with(landing.outcome, landing.exchange, request):
            return await self.deliver(request, forward, landing, key, collapsed=True)
        return await self.deliver(request, forward, await self.fetcher.fetch(key, forward), key)

    def may_join(self, request: Request, flight: Flight, key: str) -> bool:
        """Whether a flight's answer is new enough: none that a purge has spoiled, and once its head is there (only the
        body still comes in) it must answer the request as if it were stored already."""
        if self.around.store.purged_since(key, flight.fetched_under):
            return False
        if flight.landing is None or not isinstance(flight.landing.outcome, Save):
            return True
        lookup = decide(request, [flight.landing.outcome.stored], self.rules, self.around.clock.now())
        return isinstance(lookup, Hit) and lookup.refresh is None

    async def lead(self, key: str, forward: Forward) -> Landing:
        """Wait for a flight of our own."""
        flight = self.fetcher.depart(key, forward)
        try:
            return await flight.landed()
        except asyncio.CancelledError:
            self.fetcher.abandon(flight)
            raise

    def refuse(self, request: Request, refuse: Refuse, key: str) -> Reply:
        response, page = refused(refuse)
        headers = dated(response.headers, self.around.clock.now())
        delivery = deliver_fetched(request, response.with_headers(headers))
        verdict = verdicts.of_refusal(refuse, key)
        spoken = speak(self.around.dialect, delivery.response, verdict, request.identity)
        return Reply(spoken, [page] if delivery.parts is None else (), verdict)

    async def deliver(
        self, request: Request, forward: Forward, landing: Landing, key: str, *, collapsed: bool = False
    ) -> Reply:
        """The answer that a fetch brought, for the one who led it or for one who waited along."""
        now = self.around.clock.now()
        verdict = verdicts.of_outcome(forward, landing.outcome, landing.exchange, key, now)
        verdict = verdicts.waited_along(verdict) if collapsed else verdict
        match landing.outcome:
            case Freshen(stored) | Reuse(_, stored, _) | ServeStale(_, stored):
                return self.reply(request, stored, verdict, now, landing)
            case Save(stored) if collapsed:
                delivery = deliver_fetched(request, aged(stored, now))
            case Save() | Pass():
                response = landing.exchange.response
                delivery = deliver_fetched(request, response.with_headers(dated(response.headers, now)))
        spoken = speak(self.around.dialect, delivery.response, verdict, request.identity)
        body = await self.body_of(delivery, landing, collapsed)
        return Reply(spoken, body, verdict, landing.duration, landing.detail)

    async def body_of(self, delivery: Delivery, landing: Landing, collapsed: bool) -> Sequence[bytes] | OwnBody:
        if delivery.parts is not None:
            if not collapsed:
                await landing.discard()
            return ()
        if landing.own is None or (collapsed and landing.spool is None):
            return [landing.page]
        if collapsed and landing.spool is not None:
            reader = landing.spool.reader()
            return OwnBody(reader, reader.aclose)
        return landing.own

    def reply(
        self, request: Request, stored: StoredResponse, verdict: Verdict, now: float, landing: Landing | None = None
    ) -> Reply:
        """An answer from the store."""
        delivery = deliver_stored(request, stored, now)
        body = [part if isinstance(part, bytes) else stored.body[slice(*part)] for part in delivery.parts or ()]
        spoken = speak(self.around.dialect, delivery.response, verdict, request.identity)
        return Reply(spoken, body, verdict, landing.duration if landing else None, landing.detail if landing else None)
