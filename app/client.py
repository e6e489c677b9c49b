"""A client as the edge sees it: by any ASGI server's two callables, or near, by our own server's side of a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, TypeVar

from starlette.types import Message, Receive, Send

from app.cycle import Cycle
from app.flights import ClientGone, ClientSilent
from app.tasks import Tasks
from app.wire import Pairs

T = TypeVar("T")

# How long a client may pause in its request body, or read nothing of its response, before it counts as gone.
SILENCE = 60.0


class Client:
    """One request's client. What it sends is the body of its request, then nothing until it leaves."""

    def __init__(self, receive: Receive, send: Send, tasks: Tasks) -> None:
        self._receive, self._send, self._tasks = receive, send, tasks
        self._ended = False
        self._unread: asyncio.Event | None = None

    def body(self) -> AsyncIterator[bytes]:
        """The request body, to be read once; raises ClientGone when the client leaves before its end."""
        self._unread = asyncio.Event()
        return self._chunks(self._unread)

    async def _chunks(self, read: asyncio.Event) -> AsyncIterator[bytes]:
        try:
            while not self._ended:
                yield await self._piece()
        finally:  # whoever has stopped reading leaves the rest to `_left`
            read.set()

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

    async def _next(self) -> Message:
        message = await self._receive()
        self._ended = self._ended or not message.get("more_body", False)
        return message

    async def stays(self, work: Coroutine[Any, Any, T]) -> T:
        """Work for this client, for as long as it is there; raises ClientGone when it leaves."""
        result = await self._tasks.unless(self._left(), _boxed(work))
        if result is None:
            raise ClientGone
        return result[0]

    async def _left(self) -> None:
        """Wait until the client has left. A body that somebody shall read is left to them."""
        if self._unread is not None:
            await self._unread.wait()
        while (await self._next())["type"] != "http.disconnect":
            pass

    async def whole(self, status: int, headers: Pairs, parts: Sequence[bytes]) -> None:
        """A whole answer."""
        await self.start(status, headers)
        for part in parts:
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self.finish()

    async def start(self, status: int, headers: Pairs) -> None:
        """The head of an answer whose body follows."""
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, chunk: bytes) -> None:
        """A piece of the body. Raises ClientSilent when the client does not read."""
        try:
            async with asyncio.timeout(SILENCE):
                await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            raise ClientSilent from None

    async def finish(self) -> None:
        """The body is whole."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def abort(self) -> None:
        """Another server than ours closes when the application returns."""


class NearClient(Client):
    """The same without a task that watches, and without messages."""

    def __init__(self, cycle: Cycle, tasks: Tasks) -> None:
        super().__init__(cycle.receive, cycle.send, tasks)
        self._cycle = cycle

    async def stays(self, work: Coroutine[Any, Any, T]) -> T:
        cycle = self._cycle
        if cycle.gone:
            work.close()
            raise ClientGone
        cycle.cancels = True
        try:
            return await work
        except asyncio.CancelledError:
            if not cycle.gone:
                raise
            cycle.task.uncancel()
            raise ClientGone from None
        finally:
            cycle.cancels = False

    async def whole(self, status: int, headers: Pairs, parts: Sequence[bytes]) -> None:
        await self._cycle.whole(status, headers, parts)

    async def start(self, status: int, headers: Pairs) -> None:
        await self._cycle.start(status, headers)

    async def write(self, chunk: bytes) -> None:
        if not self._cycle.line.write_paused:
            await self._cycle.write(chunk)
            return
        try:
            async with asyncio.timeout(SILENCE):
                await self._cycle.write(chunk)
        except TimeoutError:
            raise ClientSilent from None

    async def finish(self) -> None:
        self._cycle.finish()

    def abort(self) -> None:
        self._cycle.abort()


async def _boxed(work: Coroutine[Any, Any, T]) -> tuple[T]:
    return (await work,)
