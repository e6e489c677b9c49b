"""A way to Redis that can be made slow, cut, or lead to another server: what a network does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.live.processes import LOOPBACK

PIECE = 64 * 2**10


class Way:
    """To the server at `target`. `delay`: seconds by which each answer comes later. Nothing passes unless `passing`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay = 0.0
        self.passing = asyncio.Event()
        self.passing.set()
        self.port = 0
        self._open = set[asyncio.StreamWriter]()
        self._tasks = set[asyncio.Task[None]]()

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    def cut(self) -> None:
        """End every connection, without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    def lead_to(self, target: int) -> None:
        """From now on to another server."""
        self.target = target
        self.cut()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, there}
        for task in (self._pass(reader, there, 0.0), self._pass(there_reader, writer, None)):
            started = asyncio.create_task(task)
            self._tasks.add(started)
            started.add_done_callback(self._tasks.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float | None) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                await asyncio.sleep(self.delay if delay is None else delay)
                await self.passing.wait()
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()
        self._open.discard(writer)

    async def end(self) -> None:
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def way_to(target: int) -> AsyncIterator[Way]:
    way = Way(target)
    server = await asyncio.start_server(way.serve, LOOPBACK, 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
        await way.end()
