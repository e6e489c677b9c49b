"""One HTTP/1.1 connection to the origin: one request at a time, both ways with back-pressure (RFC 9112 §9)."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import cast

from app.upstream.alarm import Alarm
from app.upstream.errors import ProxyError
from app.upstream.exchange import Exchange
from app.upstream.messages import Outgoing, Timeouts
from app.upstream.request_body import Framed, RequestBody
from app.upstream.response_parser import ResponseParser

CONTINUE_SECONDS = 1.0


class Connection(asyncio.Protocol):
    """Calls `released` when it may serve another request and `lost` when it is gone. `served` counts responses."""

    def __init__(self, released: Callable[[Connection], None], lost: Callable[[Connection], None]) -> None:
        self.served = 0
        self.idle_since = 0.0  # the pool's to say
        self._released = released
        self._lost = lost
        self.open = False
        self._exchange: Exchange | None = None
        self._sender: asyncio.Task[None] | None = None
        self._last = False
        self._sent = False
        self._writable: asyncio.Future[None] | None = None
        self._write_blocked = False

    def start(self, request: Outgoing, wire: Framed, limits: Timeouts) -> Exchange:
        """Send the request. If its exchange fails, the connection is gone."""
        response = ResponseParser(request.method, request.on_informational)
        exchange = Exchange(self._transport, response, self._alarm, limits.idle)
        if not self.open:  # it was handed over, and died on the way
            exchange.lost()
            return exchange
        self._exchange = exchange
        self._last = wire.last
        self._transport.write(wire.head)
        if wire.body is None:
            self._sent = True
            self._alarm.set(limits.first_byte, ProxyError.HTTP_RESPONSE_TIMEOUT)
        else:
            self._sent = False
            # A response may come before the request is wholly sent, and both may be endless: they need two tasks.
            # It is born here, not in app.tasks, since it never outlives the connection, which cancels it.
            send = self._send(wire.body, limits, exchange)
            self._sender = asyncio.get_running_loop().create_task(send)
        return exchange

    def fit(self) -> bool:
        """Whether an idle connection may be used: open, and silent, also in what the loop has not read yet."""
        return self.open and not self._transport.is_closing() and not (self._poll and self._poll.poll(0))

    def abort(self) -> None:
        self.open = False
        self._transport.abort()

    # The request's content.

    async def _send(self, body: RequestBody, limits: Timeouts, exchange: Exchange) -> None:
        try:
            if body.expects_continue:
                await exchange.permission(CONTINUE_SECONDS)
            if await self._write_all(body, limits.write, exchange):
                self._transport.write(body.last())
                self._sent = True
                if not exchange.response.head_complete:
                    self._alarm.set(limits.first_byte, ProxyError.HTTP_RESPONSE_TIMEOUT)
        except Exception as error:  # whatever the client's side raised: the requester gets it
            exchange.fail(error)

    async def _write_all(self, body: RequestBody, write_limit: float | None, exchange: Exchange) -> bool:
        """Whether all was sent. After a refusal no more is: 413 means it (RFC 9110 §15.5.14)."""
        if body.expects_continue and exchange.response.head_complete:
            return False
        async for data in body.stream:
            if exchange.error is not None or exchange.response.status >= 400:
                return False
            if data:
                self._transport.writelines(body.frame(data))
            if self._write_blocked:
                await self._drain(write_limit, exchange)
            if not body.wants_more:
                break
        return True

    async def _drain(self, write_limit: float | None, exchange: Exchange) -> None:
        loop = asyncio.get_running_loop()
        self._writable = loop.create_future()
        late = ProxyError.CONNECTION_WRITE_TIMEOUT
        timer = None if write_limit is None else loop.call_later(write_limit, exchange.expire, late)
        try:
            await self._writable
        finally:
            self._writable = None
            if timer is not None:
                timer.cancel()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, but not by inheritance
        self.open = True
        self.loop = asyncio.get_running_loop()
        self._alarm = Alarm(self.loop, self._expired)
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self.abort()  # nobody asked (RFC 9112 §9.2)
            return
        exchange.feed(data)
        if exchange.response.complete:
            self._finish(exchange)

    def eof_received(self) -> None:
        if self._exchange is not None:
            self._exchange.ended()
        self.abort()  # at once: closing in good order could wait for an unsent request for ever

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        self._alarm.close()
        if self._exchange is not None:
            self._exchange.lost()
            self._finish(self._exchange)
        self.resume_writing()
        self._lost(self)

    def pause_writing(self) -> None:
        self._write_blocked = True

    def resume_writing(self) -> None:
        self._write_blocked = False
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    def _expired(self, limit: ProxyError) -> None:
        if self._exchange is not None:
            self._exchange.expire(limit)

    def _finish(self, exchange: Exchange) -> None:
        """The response is over: back to the pool, unless a message on this connection may be cut or have a tail."""
        self._exchange = None
        exchange.detach()
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None
        self.served += 1
        response = exchange.response
        ends_here = response.persistent and not response.surplus
        if self.open and ends_here and self._sent and not self._last and not self._transport.is_closing():
            self._released(self)
        else:
            self.abort()
