"""One response on its way from a connection to its reader: waiting, time limits, and a bounded buffer between them.

An exchange outlives its use of the connection: as soon as the message is complete the connection serves somebody
else, and what is still unread waits here.
"""

from __future__ import annotations

import asyncio

from app.upstream.alarm import Alarm
from app.upstream.errors import ProxyError, UpstreamError
from app.upstream.response_parser import ResponseParser

UNREAD_HIGH = 256 * 1024


class Exchange:
    """`response` holds the head once `head()` returned; `unread` counts the bytes that wait for the reader.

    Iterating gives the content as it comes, never decoded, in pieces of at most a few hundred KiB, and raises
    UpstreamError; `idle` is in seconds between pieces.
    """

    def __init__(
        self, transport: asyncio.Transport, response: ResponseParser, alarm: Alarm, idle: float | None
    ) -> None:
        self.response = response
        self.unread = 0
        self.error: BaseException | None = None
        self._transport: asyncio.Transport | None = transport
        self._alarm = alarm  # the connection's: after it is let go, of no concern to this exchange
        self._idle = idle
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._permission: asyncio.Future[None] | None = None

    # What the requester awaits.

    async def head(self) -> None:
        """Wait for the final head. Raises UpstreamError, or what the request's own content raised."""
        try:
            while not self.response.head_complete:
                if self.error is not None:
                    raise self.error
                await self._turn()
        except asyncio.CancelledError:
            self._leave()
            raise

    def whole(self) -> bytes | None:
        """All of the content, if the response is complete; it can still be read."""
        return b"".join(self.response.chunks) if self.response.complete else None

    def __aiter__(self) -> Exchange:
        return self

    async def __anext__(self) -> bytes:
        """All content that has arrived, at least a byte."""
        chunks = self.response.chunks
        try:
            while not chunks:
                if self.error is not None:
                    raise self.error
                if self.response.complete:
                    raise StopAsyncIteration
                self._alarm.set(self._idle, ProxyError.CONNECTION_READ_TIMEOUT)
                await self._turn()
        except asyncio.CancelledError:
            self._leave()
            raise
        data = b"".join(chunks)
        self._drop_unread()
        return data

    async def aclose(self) -> None:
        """Take no more. A connection whose message is incomplete is of no use to anybody else."""
        self._leave()

    async def permission(self, seconds: float) -> None:
        """Wait for a reason to send content: 100, or `seconds` gone by; or not to: a final head, the end."""
        if self.response.continues or self.response.head_complete or self.error is not None:
            return
        loop = asyncio.get_running_loop()
        self._permission = loop.create_future()
        timer = loop.call_later(seconds, _settle, self._permission)
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
        if response.head_complete:
            self._wake()
            if not response.complete:
                self._hold_back()
        elif response.continues:
            _settle(self._permission)

    def ended(self) -> None:
        """The origin closed the connection in good order, which ends some messages too (RFC 9112 §6.3)."""
        if self.error is None and self.response.ends_with_input:
            self.response.complete = True
            self._wake()
        else:
            self.lost()

    def lost(self) -> None:
        """The connection is gone, whoever broke it."""
        started = self.response.started
        self.expire(ProxyError.HTTP_RESPONSE_INCOMPLETE if started else ProxyError.CONNECTION_TERMINATED)

    def expire(self, error: ProxyError) -> None:
        self.fail(UpstreamError(error))

    def fail(self, error: BaseException) -> None:
        """End it with that error, which the reader gets after what has arrived. No use if complete; the first stays."""
        if self.response.complete or self.error is not None:
            return
        self.error = error
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def detach(self) -> None:
        """Let go of the connection, which may serve another request from now on."""
        if self._paused and self._transport is not None:
            self._transport.resume_reading()
        self._transport = None
        self.response.release()

    def _wake(self) -> None:
        """Let the requester see for itself what has changed, and the sender of the request's content too."""
        self._alarm.clear()
        _settle(self._waiter)
        _settle(self._permission)

    def _turn(self) -> asyncio.Future[None]:
        """What the requester awaits until there is something for it to see."""
        self._waiter = self._alarm.loop.create_future()
        return self._waiter

    def _leave(self) -> None:
        self.fail(UpstreamError(ProxyError.HTTP_RESPONSE_INCOMPLETE, "its reader left"))
        self._drop_unread()

    def _hold_back(self) -> None:
        """Read no more from the origin while its reader is too far behind."""
        self.unread = sum(map(len, self.response.chunks))
        if self.unread > UNREAD_HIGH and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _drop_unread(self) -> None:
        self.response.chunks.clear()
        self.unread = 0
        if self._paused and self._transport is not None and self.error is None:
            self._paused = False
            self._transport.resume_reading()


def _settle(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
