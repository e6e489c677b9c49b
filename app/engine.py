"""The request path: look up, decide, answer. What is missing is fetched once, shared, and kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, replace

from app.collapsing import Collapsing
from app.core import verdicts
from app.core.decisions import (
    Forward,
    Freshen,
    Hit,
    Lookup,
    Pass,
    Refuse,
    Reuse,
    Save,
    ServeStale,
    StoredResponse,
    Verdict,
)
from app.core.deliver import Delivery, aged, asked_as_whole, deliver_fetched, deliver_stored, handed_on
from app.core.dialect import speak
from app.core.key import cache_key
from app.core.messages import Request, Response
from app.core.ranges import Span
from app.core.reasons import Reason
from app.core.reuse import decide
from app.core.rules import Rules
from app.core.speech import About
from app.core.storing import dated
from app.fetching import Fetcher
from app.flights import Landing, OwnBody, Presence
from app.pages import refused
from app.store.base import Body, StoreError
from app.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way out: `body` is bytes at hand, or one client's own stream, to be closed by who sends it.

    `origin_duration`: seconds until the origin's head was there; None when nobody waited for it. `hit`: the store
    alone has answered.
    """

    response: Response
    body: Sequence[bytes] | OwnBody
    verdict: Verdict
    origin_duration: float | None = None
    proxy_detail: str | None = None
    hit: bool = False


class Engine:
    """A shared cache in front of one origin."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.ruling = around.ruling
        self.fetcher = Fetcher(around)
        self.collapsing = Collapsing(around, self.fetcher)

    async def answer(
        self, request: Request, body: AsyncIterator[bytes] | None = None, client: Presence | None = None
    ) -> Reply:
        """Answer one request. An origin that fails is an answer too. When the `client` leaves, what is fetched for it
        alone is given up, and ClientGone raised, as it may be by `body`."""
        rules = self.ruling.of(request)
        key = cache_key(request, rules)
        if (refuse := self.refusal(request)) is not None:
            return self.from_us(request, refuse, key)
        stored = await self.around.store.lookup(key)
        now = self.around.clock.now()  # after the lookup, by which one hears that the clock was moved
        lookup = self.decided(request, key, stored, rules, now)
        match lookup:
            case Refuse():
                return self.from_us(request, lookup, key)
            case Hit(reason, found, refresh):
                if refresh is not None:
                    self.collapsing.refresh(key, refresh)
                if reason is Reason.PRERENDERED:  # once: this was the first visit
                    await self.around.store.replace(found, replace(found, prerendered=False))
                return self.from_hit(request, lookup, key, now)
            case Forward(shareable=True):
                work = self.share(request, lookup, key)
            case Forward():
                work = self.alone(request, lookup, key, body)
        return await (work if client is None else client.stays(work))

    def hit(self, request: Request, now: float) -> tuple[str, Hit] | None:
        """The key of a request and the hit that answers it, if one does and can be found without waiting."""
        if self.refusal(request) is not None:
            return None
        rules = self.ruling.of(request)
        key = cache_key(request, rules)
        lookup = self.decided(request, key, self.around.store.find(key) or (), rules, now)
        return (key, lookup) if isinstance(lookup, Hit) else None

    def refusal(self, request: Request) -> Refuse | None:
        return self.ruling.refusal(request, self.around.forwarding.node)

    def decided(self, request: Request, key: str, stored: Sequence[StoredResponse], rules: Rules, now: float) -> Lookup:
        """What the responses under its key mean for a request. Whatever is fetched from now on is later than they."""
        self.around.ordinals.pass_by([one.number for one in stored])
        return decide(request, self.deployed(stored), rules, now, uncacheable=key in self.around.uncacheable)

    def deployed(self, stored: Sequence[StoredResponse]) -> Sequence[StoredResponse]:
        """Those of the current deployment, and those that outlive deployments."""
        current = self.around.store.log.deployment
        if current is None:
            return stored
        return [one for one in stored if one.deployment in (None, current)]

    async def alone(
        self, request: Request, forward: Forward, key: str, body: AsyncIterator[bytes] | None = None
    ) -> Reply:
        return await self.from_fetch(request, forward, await self.fetcher.fetch(key, forward, body), key)

    async def share(self, request: Request, forward: Forward, key: str) -> Reply:
        landing, collapsed = await self.collapsing.land(request, forward, key)
        return await self.from_fetch(request, forward, landing, key, collapsed=collapsed)

    def from_us(self, request: Request, refuse: Refuse, key: str) -> Reply:
        """An answer that no origin was asked for."""
        response, page = refused(refuse)
        dated_page = response.with_headers(dated(response.headers, self.around.clock.now()))
        delivery = deliver_fetched(request, dated_page)
        return self.spoken(request, delivery, [page], verdicts.of_refusal(refuse, key))

    def from_hit(self, request: Request, hit: Hit, key: str, now: float) -> Reply:
        """The answer to a hit: a function of these four, and of nothing else."""
        reply = self.from_store(request, hit.stored, verdicts.of_hit(hit, key, now), now)
        return replace(reply, hit=True)

    def from_store(
        self, request: Request, stored: StoredResponse, verdict: Verdict, now: float, landing: Landing | None = None
    ) -> Reply:
        """An answer from the store, perhaps after a fetch that confirmed it, or failed."""
        delivery = deliver_stored(request, stored, now)
        body = cut(stored.body, delivery.parts or ())
        return self.spoken(request, Delivery(delivery.response), body, verdict, landing)

    async def from_fetch(
        self, request: Request, forward: Forward, landing: Landing, key: str, *, collapsed: bool = False
    ) -> Reply:
        """The answer that a fetch brought, for the one who led it or for one who waited along."""
        if isinstance(landing.outcome, Pass | Reuse) and landing.outcome.reason is Reason.NOT_STATIC:
            await landing.discard()
            return self.from_us(request, Refuse(Reason.NOT_STATIC, 500), key)
        now = self.around.clock.now()
        verdict = verdicts.of_outcome(forward, landing.outcome, landing.exchange, key, now)
        verdict = verdicts.waited_along(verdict) if collapsed else verdict
        match landing.outcome:
            case Freshen(stored) | Reuse(_, stored, _) | ServeStale(_, stored):
                return self.from_store(request, stored, verdict, now, landing)
            case Save(stored) if collapsed:
                response = aged(stored, now)
            case Save() | Pass():
                response = handed_on(landing.outcome, landing.exchange.response, self.ruling.of(request))
        whole = asked_as_whole(request, landing.exchange.request)
        delivery = deliver_fetched(request, response.with_headers(dated(response.headers, now)), whole=whole)
        body = landing.own or [landing.page]
        if delivery.parts:
            return self.spoken(request, Delivery(delivery.response), _piece(body, delivery.parts), verdict, landing)
        if delivery.parts is not None:
            await landing.discard()
        return self.spoken(request, delivery, body, verdict, landing)

    def spoken(
        self, request: Request, delivery: Delivery, body: Sequence[bytes] | OwnBody, verdict: Verdict,
        landing: Landing | None = None,
    ) -> Reply:  # fmt: skip
        """The one way out: the head in the dialect's words, and a body where one may follow."""
        forwarding, dialect = self.around.forwarding, self.around.dialect
        response = speak(dialect, About(request, delivery.response, verdict, forwarding.node, dialect.region))
        waited, detail = (landing.duration, landing.detail) if landing is not None else (None, None)
        return Reply(response, body if delivery.parts is None else (), verdict, waited, detail)


def cut(body: bytes | Body, parts: Sequence[bytes | Span]) -> Sequence[bytes] | OwnBody:
    """Literal bytes and spans of a stored body: at hand, or read piece by piece."""
    if isinstance(body, bytes):
        return [part if isinstance(part, bytes) else body[slice(*part)] for part in parts]
    if not parts:
        return ()
    pieces = _pieces(body, parts)
    return OwnBody(pieces, pieces.aclose)


def _piece(body: Sequence[bytes] | OwnBody, parts: Sequence[bytes | Span]) -> Sequence[bytes] | OwnBody:
    """One span of a body that is at hand, or still on its way."""
    if not isinstance(body, OwnBody):
        return cut(b"".join(body), parts)
    (span,) = parts
    assert not isinstance(span, bytes)
    pieces = _within(body.chunks, *span)

    async def close() -> None:
        await pieces.aclose()
        await body.aclose()

    return OwnBody(pieces, close)


async def _within(chunks: AsyncIterable[bytes], start: int, stop: int) -> AsyncGenerator[bytes]:
    place = 0
    async for chunk in chunks:
        piece = chunk[max(0, start - place) : max(0, stop - place)]
        place += len(chunk)
        if piece:
            yield piece
        if place >= stop:
            return


async def _pieces(body: Body, parts: Sequence[bytes | Span]) -> AsyncGenerator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
            continue
        try:
            async for chunk in body.chunks(*part):
                yield chunk
        except OSError as error:
            raise StoreError(str(error)) from error
