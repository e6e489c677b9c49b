"""Connections kept alive for one origin: a bound, a queue, an end for idle ones (RFC 9112 §9.3, §9.5)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from app.upstream.connection import Connection
from app.upstream.errors import ProxyError, UpstreamError

Released = Callable[[Connection], None]
Dial = Callable[[Released, Released, float | None], Awaitable[Connection]]


class Pool:
    """At most `limit` connections, each from `dial(released, lost, seconds)` and closed after `idle` seconds unused."""

    def __init__(self, dial: Dial, limit: int, idle: float) -> None:
        self._dial = dial
        self._limit = limit
        self._idle_seconds = idle
        self._connections: set[Connection] = set()
        self._dialling = 0
        self._idle: list[Connection] = []  # the one used last is last
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False
        self._empty = asyncio.Event()

    @property
    def busy(self) -> int:
        """Connections in use or being made."""
        return len(self._connections) - len(self._idle) + self._dialling

    @property
    def idle(self) -> int:
        return len(self._idle)

    def take(self) -> Connection | None:
        """An idle connection for one request, if there is any: the one used last, which is the likeliest to live."""
        while self._idle and not self._closed:
            connection = self._idle.pop()
            if connection.fit():
                return connection
            self._discard(connection)
        return None

    async def acquire(self, connect: float | None, patience: float | None, *, fresh: bool = False) -> Connection:
        """A new connection, or if there is no room for it the first that is free; with `fresh` a new one in its place.
        Seconds. Raises UpstreamError."""
        if self._closed:
            raise UpstreamError(ProxyError.PROXY_INTERNAL_ERROR)
        if self._idle and not self._room():
            self._discard(self._idle[0])
        if self._room() and not self._waiting:
            self._dialling += 1
            return await self._open(connect)
        while (released := await self._queue(patience)) is not None:
            if released not in self._connections:  # it died on its way to us, and its place is another's
                continue
            if not fresh and released.fit():
                return released
            self._connections.remove(released)
            released.abort()
            self._dialling += 1
            break
        return await self._open(connect)

    async def aclose(self) -> None:
        """Close all connections, also busy ones, and wait until they are gone."""
        self._closed = True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(UpstreamError(ProxyError.PROXY_INTERNAL_ERROR))
        self._waiting.clear()
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in list(self._connections):
            connection.abort()
        if self._connections:
            await self._empty.wait()

    def _room(self) -> bool:
        return len(self._connections) + self._dialling < self._limit

    async def _open(self, connect: float | None) -> Connection:
        """Fill a place that is already counted in `_dialling`."""
        try:
            connection = await self._dial(self._released, self._lost, connect)
        except BaseException:
            self._dialling -= 1
            self._offer_place()
            raise
        self._dialling -= 1
        if connection.open:
            self._connections.add(connection)
        else:  # gone before anybody counted it
            self._offer_place()
        if self._closed:
            connection.abort()
        return connection

    async def _queue(self, patience: float | None) -> Connection | None:
        """A released connection, or None for a place (counted in `_dialling`) to open one in."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiting.append(waiter)
        timer = None if patience is None else loop.call_later(patience, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._give_back(waiter.result())
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _next_waiter(self) -> asyncio.Future[Connection | None] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    def _give_back(self, connection: Connection | None) -> None:
        if connection is None:
            self._dialling -= 1
            self._offer_place()
        else:
            self._released(connection)

    def _offer_place(self) -> None:
        if self._room() and (waiter := self._next_waiter()) is not None:
            self._dialling += 1
            waiter.set_result(None)

    def _released(self, connection: Connection) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
        elif self._closed:
            connection.abort()
        else:
            connection.idle_since = connection.loop.time()
            self._idle.append(connection)
            if self._sweep is None:
                self._sweep = connection.loop.call_later(self._idle_seconds, self._expire)

    def _lost(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            if connection in self._idle:
                self._idle.remove(connection)
            self._offer_place()
        if self._closed and not self._connections:
            self._empty.set()

    def _discard(self, connection: Connection) -> None:
        """Close an idle one; its place is free at once."""
        connection.abort()
        self._lost(connection)

    def _expire(self) -> None:
        """One timer for all, however many come and go: it looks only at those whose time is up."""
        self._sweep = None
        loop = asyncio.get_running_loop()
        while self._idle:
            oldest = self._idle[0]
            due = oldest.idle_since + self._idle_seconds
            if due > loop.time():
                self._sweep = loop.call_at(due, self._expire)
                return
            self._discard(oldest)


def _give_up(waiter: asyncio.Future[Connection | None]) -> None:
    if not waiter.done():
        waiter.set_exception(UpstreamError(ProxyError.CONNECTION_LIMIT_REACHED))
