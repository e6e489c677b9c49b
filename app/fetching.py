"""One trip to the origin: send, conclude, and put the conclusion into effect (RFC 9111 §3, §4.3, §4.4)."""

from __future__ import annotations

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
from app.flights import Landing, OwnBody
from app.intake import Intake
from app.pages import failed
from app.store.base import StoreError, marked, unmarked
from app.surroundings import Surroundings
from app.upstream.client import Answer
from app.upstream.errors import UpstreamError


class Fetcher:
    """Fetches, by the rules of its surroundings, and what they leave behind."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.rules_of = around.ruling.of
        self.intake = Intake(around)

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
        under, request_time, started = self.sent_under(forward), around.clock.now(), perf_counter()
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

    def sent_under(self, forward: Forward) -> int:
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
