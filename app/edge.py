"""ASGI in, ASGI out: a scope becomes a Request, a Reply becomes messages. Bodies stream with back-pressure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from app.arrival import ABORT, identity_of, request_from
from app.core.decisions import Refuse, Result, Verdict
from app.core.messages import Headers, Request, Response, has_body, is_event_stream
from app.core.reasons import Reason
from app.engine import Engine, Reply
from app.flights import ClientGone, ClientSilent, OwnBody
from app.journal import CLIENT_CLOSED_REQUEST, CLIENT_LEFT, Event
from app.spool import SpoolError
from app.upstream.errors import UpstreamError

log = logging.getLogger("swerve")

# How long a client may pause in its request body, or read nothing of its response, before it counts as gone.
SILENCE = 60.0


class Edge:
    """The proxy as an ASGI application for HTTP."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.around = engine.around
        self.stopping = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        around = self.around
        identity = identity_of(around.dialect.identity, around.forwarding.node, around.clock)
        visit = Visit(request_from(scope, around.forwarding, identity), around.clock.now(), perf_counter())
        incoming = Incoming(receive)
        try:
            reply = await self.answer(visit.request, incoming)
            abort = scope.get("extensions", {}).get(ABORT, _cannot_abort)
            sent = await self.send(reply, incoming, send, abort)
        except ClientGone:
            self.record(visit, _ABANDONED, Sent(0, CLIENT_LEFT))
        except asyncio.CancelledError:
            return  # the server gives up what outlasts its drain, and then ends: nobody is left to tell
        else:
            self.record(visit, reply, sent)

    async def answer(self, request: Request, incoming: Incoming) -> Reply:
        """The engine's answer. What fails inside is told like any other error, and is on the log with its cause."""
        body = incoming.body() if has_body(request.headers) else None
        try:
            return await self.engine.answer(request, body, incoming.gone)
        except ClientSilent:
            return self.engine.from_us(request, Refuse(Reason.REQUEST_TIMEOUT, 408), "")
        except ClientGone:
            raise
        except Exception:
            log.exception("%s %s", request.method, request.target)
            return self.engine.from_us(request, Refuse(Reason.INTERNAL, 500), "")

    async def send(self, reply: Reply, incoming: Incoming, send: Send, abort: Callable[[], None]) -> Sent:
        """Send a reply."""
        head = {"type": "http.response.start", "status": reply.response.status, "headers": reply.response.headers.pairs}
        if not isinstance(reply.body, OwnBody):
            await send(head)
            return Sent(await _send_parts(reply.body, send))
        transfer = Transfer(reply.body, send, abort)
        try:
            await send(head)
            # A client that leaves is noticed even when the origin is silent, so that nothing streams on for nobody.
            await self.around.tasks.race(transfer.pump(), incoming.gone(), *self.endings(reply.response))
        finally:
            await reply.body.aclose()
        broken = None if transfer.complete else transfer.broken or CLIENT_LEFT
        return Sent(transfer.size, broken)

    def endings(self, response: Response) -> tuple[Coroutine[Any, Any, Any], ...]:
        """What else ends a transfer: an event stream would never end by itself when we stop."""
        return (self.stopping.wait(),) if is_event_stream(response.headers) else ()

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


def _cannot_abort() -> None:
    """Another server than ours closes when the application returns."""


async def _send_parts(parts: Sequence[bytes], send: Send) -> int:
    size = 0
    for part in parts[:-1]:
        size += len(part)
        await send({"type": "http.response.body", "body": part, "more_body": True})
    last = parts[-1] if parts else b""
    await send({"type": "http.response.body", "body": last, "more_body": False})
    return size + len(last)


class Transfer:
    """A body on its way to one client."""

    def __init__(self, body: OwnBody, send: Send, abort: Callable[[], None]) -> None:
        self._abort = abort
        self.size = 0
        self.complete = False
        self.broken: str | None = None
        self._body = body
        self._send = send

    async def pump(self) -> None:
        """Send every chunk. A body that breaks off is left unfinished, so that the client sees a broken transfer."""
        try:
            async for chunk in self._body.chunks:
                self.size += len(chunk)
                async with asyncio.timeout(SILENCE):
                    await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            self._abort()  # to close would be to wait until the client reads what is buffered
            return
        except (UpstreamError, SpoolError) as error:
            self.broken = f"the origin broke off: {getattr(error.__cause__ or error, 'detail', error)}"
            return
        except ClientGone:
            return
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        self.complete = True


class Incoming:
    """What the client sends: the body of its request, then nothing until it leaves."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = asyncio.Event()
        self._promised = False

    def body(self) -> AsyncIterator[bytes]:
        """The request body, to be read once; raises ClientGone when the client leaves before its end."""
        self._promised = True
        return self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        try:
            while not self._ended.is_set():
                yield await self._piece()
        finally:  # whoever has stopped reading leaves the rest to `gone`
            self._ended.set()

    async def _piece(self) -> bytes:
        try:
            async with asyncio.timeout(SILENCE):
                message = await self._next()
        except TimeoutError:
            raise ClientSilent from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece: bytes = message.get("body", b"")
        return piece

    async def gone(self) -> None:
        """Wait until the client has left. A body that somebody shall read is left to them."""
        if self._promised:
            await self._ended.wait()
        while (await self._next())["type"] != "http.disconnect":
            pass

    async def _next(self) -> Message:
        message: dict[str, Any] = dict(await self._receive())
        if not message.get("more_body", False):
            self._ended.set()
        return message
