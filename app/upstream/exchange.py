"""One response on its way from a connection to its reader: waiting, time limits, and a bounded buffer between them.

An exchange outlives its use of the connection: as soon as the message is complete the connection serves somebody
else, and what is still unread waits here.
"""

from __future__ import annotations

import asyncio

from app.upstream.errors import ProxyError, UpstreamError
from app.upstream.response_parser import ResponseParser

UNREAD_HIGH = 256 * 1024
UNREAD_LOW = 64 * 1024


class Exchange:
    """`response` holds the head once `head()` returned; `unread` counts the bytes that wait for the reader."""

    def __init__(self, transport: asyncio.Transport, response: ResponseParser) -> None:
        self.response = response
        self.unread = 0
        self.error: BaseException | None = None
        self._transport: asyncio.Transport | None = transport
        self._loop = asyncio.get_running_loop()
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._permission: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    # What the requester awaits.

    async def head(self) -> None:
        """Wait for the final head. Raises UpstreamError, or what the request's own content raised."""
        while not self.response.head_complete:
            if self.error is not None:
                raise self.error
            await self._wait()

    async def read(self, idle: float | None) -> bytes:
        """All content that has arrived, at least a byte; b"" at the end. Raises UpstreamError, `idle` in seconds."""
        chunks = self.response.chunks
        while not chunks:
            if self.error is not None:
                raise self.error
            if self.response.complete:
                return b""
            self.arm(idle, ProxyError.CONNECTION_READ_TIMEOUT)
            await self._wait()
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._drop_unread()
        return data

    def close(self) -> None:
        """Take no more. A connection whose message is incomplete is of no use to anybody else."""
        self.fail(UpstreamError(ProxyError.HTTP_RESPONSE_INCOMPLETE, "its reader left"))
        self._drop_unread()

    async def permission(self, seconds: float) -> None:
        """Wait for a reason to send content: 100, or `seconds` gone by; or not to: a final head, the end."""
        if self.response.continues or self.response.head_complete or self.error is not None:
            return
        self._permission = self._loop.create_future()
        timer = self._loop.call_later(seconds, _settle, self._permission)
        try:
            await self._permission
        finally:
            timer.cancel()
            self._permission = None

    # What the connection tells.

    def feed(self, data: bytes) -> None:
        """Bytes from the origin."""
        response = self.response
        try:
            response.feed(data)
        except UpstreamError as error:
            self.fail(error)
            return
        if response.continues or response.head_complete:
            _settle(self._permission)
        if response.head_complete:
            _settle(self._waiter)
            self.unread = sum(map(len, response.chunks))
            if self.unread > UNREAD_HIGH and not self._paused and self._transport is not None:
                self._paused = True
                self._transport.pause_reading()

    def ended(self) -> None:
        """The origin closed the connection in good order, which ends some messages too (RFC 9112 §6.3)."""
        if self.error is None and self.response.ends_with_input:
            self.response.complete = True
            _settle(self._waiter)
        else:
            self.lost()

    def lost(self) -> None:
        """The connection is gone, whoever broke it."""
        started = self.response.started
        self.expire(ProxyError.HTTP_RESPONSE_INCOMPLETE if started else ProxyError.CONNECTION_TERMINATED)

    def arm(self, seconds: float | None, error: ProxyError) -> None:
        """Fail with `error` unless the requester is woken within `seconds`."""
        self._disarm()
        if seconds is not None:
            self._timer = self._loop.call_later(seconds, self.expire, error)

    def expire(self, error: ProxyError) -> None:
        self.fail(UpstreamError(error))

    def fail(self, error: BaseException) -> None:
        """End it with that error, which the reader gets after what has arrived. No use if complete; the first stays."""
        if self.response.complete or self.error is not None:
            return
        self.error = error
        self._disarm()
        if self._transport is not None:
            self._transport.abort()
        _settle(self._waiter)
        _settle(self._permission)

    def detach(self) -> None:
        """Let go of the connection, which may serve another request from now on."""
        if self._paused and self._transport is not None:
            self._transport.resume_reading()
        self._transport = None
        self.response.release()

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiter = None
            self._disarm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop_unread(self) -> None:
        self.response.chunks.clear()
        self.unread = 0
        if self._paused and self._transport is not None and self.error is None:
            self._paused = False
            self._transport.resume_reading()


def _settle(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
