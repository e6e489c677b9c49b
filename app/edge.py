"""A scope becomes a Request, a Reply becomes an answer to a client. Bodies stream with back-pressure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from starlette.types import Receive, Scope, Send

from app.arrival import CYCLE, request_from
from app.client import Client, NearClient
from app.core.decisions import Refuse, Result, Verdict
from app.core.messages import Headers, Request, Response, has_body, is_event_stream
from app.core.reasons import Reason
from app.cycle import Cycle
from app.engine import Engine, Reply
from app.flights import ClientGone, ClientSilent, OwnBody
from app.journal import CLIENT_CLOSED_REQUEST, CLIENT_LEFT, Event
from app.late import Late
from app.memo import Memo
from app.spool import SpoolError
from app.store.base import StoreError
from app.upstream.errors import UpstreamError

log = logging.getLogger("swerve")

STOPPED = "Swerve was told to stop"


class Edge:
    """The proxy as an ASGI application for HTTP. Under our own server it feeds the memo. `stopping` is set once we are
    told to end."""

    def __init__(self, engine: Engine, late: Late, memo: Memo | None, stopping: asyncio.Event) -> None:
        self.engine = engine
        self.late = late
        self.around = engine.around
        self.memo = memo
        self.stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        around = self.around
        cycle: Cycle | None = scope.get("extensions", {}).get(CYCLE)
        client = Client(receive, send, around.tasks) if cycle is None else NearClient(cycle, around.tasks)
        request = request_from(scope, around.forwarding, self.late.identities.next())
        visit, reply = Visit(request, around.clock.now(), perf_counter()), None
        try:
            reply = await self.answer(request, client)
            if reply.hit and self.memo is not None and cycle is not None and cycle.head is not None:
                self.memo.learn(cycle.head, request)
            sent = await self.send(visit, reply, client)
        except ClientGone:
            self.record(visit, _ABANDONED, Sent(0, CLIENT_LEFT))
        except asyncio.CancelledError:  # the server gives up what outlasts its drain
            await self.cut_short(visit, reply, client)
        else:
            self.record(visit, reply, sent)

    async def cut_short(self, visit: Visit, reply: Reply | None, client: Client) -> None:
        """Say what can still be said: nothing, once an answer has begun."""
        if reply is not None:
            self.record(visit, reply, Sent(0, STOPPED))
            return
        reply = self.engine.from_us(visit.request, Refuse(Reason.STOPPING, 503), "")
        self.record(visit, reply, await self.send(visit, reply, client))

    async def answer(self, request: Request, client: Client) -> Reply:
        """The engine's answer. What fails inside is told like any other error, and is on the log with its cause."""
        body = client.body() if has_body(request.headers) else None
        try:
            return await self.engine.answer(request, body, client)
        except ClientSilent:
            return self.engine.from_us(request, Refuse(Reason.REQUEST_TIMEOUT, 408), "")
        except ClientGone:
            raise
        except Exception:
            log.exception("%s %s", request.method, request.target)
            return self.engine.from_us(request, Refuse(Reason.INTERNAL, 500), "")

    async def send(self, visit: Visit, reply: Reply, client: Client) -> Sent:
        """Send a reply, with what only this response knows."""
        status, headers = reply.response.status, reply.response.headers
        if self.late.needed:
            elapsed = perf_counter() - visit.started
            headers = self.late.filled(headers, reply.verdict, visit.request.identity, visit.at, elapsed)
        if not isinstance(reply.body, OwnBody):
            await client.whole(status, headers.pairs, reply.body)
            return Sent(sum(map(len, reply.body)))
        transfer = Transfer(reply.body, client)
        try:
            await client.start(status, headers.pairs)
            pumped = transfer.pump()
            # An event stream would never end by itself when we stop.
            await client.stays(self.until_stopping(pumped) if is_event_stream(headers) else pumped)
        except ClientGone:
            pass
        finally:
            await reply.body.aclose()
        return Sent(transfer.size, None if transfer.complete else transfer.broken or CLIENT_LEFT)

    async def until_stopping(self, work: Coroutine[Any, Any, None]) -> None:
        await self.around.tasks.race(work, self.stopping.wait())

    def record(self, visit: Visit, reply: Reply, sent: Sent) -> None:
        verdict, took = reply.verdict, perf_counter() - visit.started
        rest = (sent.size, reply.origin_duration, sent.broken, reply.proxy_detail)
        self.around.journal.record(Event(visit.at, visit.request, reply.response.status, verdict, took, *rest))


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes of body that were handed over, and why not all of them were."""

    size: int
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a client: when it came, on the HTTP clock and on the monotonic one."""

    request: Request
    at: float
    started: float


_ABANDONED = Reply(Response(CLIENT_CLOSED_REQUEST, Headers()), (), Verdict(Result.PASS, Reason.CLIENT_GONE, ""))


class Transfer:
    """A body on its way to one client."""

    def __init__(self, body: OwnBody, client: Client) -> None:
        self.size = 0
        self.complete = False
        self.broken: str | None = None
        self._body = body
        self._client = client

    async def pump(self) -> None:
        """Send every chunk. A body that breaks off is left unfinished, so that the client sees a broken transfer."""
        try:
            async for chunk in self._body.chunks:
                self.size += len(chunk)
                await self._client.write(chunk)
        except ClientSilent:
            self._client.abort()  # to close would be to wait until the client reads what is buffered
            return
        except (UpstreamError, SpoolError) as error:
            self.broken = f"the origin broke off: {getattr(error.__cause__ or error, 'detail', error)}"
            return
        except StoreError as error:
            self.broken = f"what is stored cannot be read: {error}"
            return
        await self._client.finish()
        self.complete = True
