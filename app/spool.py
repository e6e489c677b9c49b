"""A body written once and read by many, each at its own pace, while it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# How much of a body that has outgrown its limit is kept for its slowest reader: back-pressure starts here.
WINDOW = 256 * 2**10


class SpoolError(Exception):
    """The body broke off, and `__cause__` says why; or nobody reads it any more."""


class Budget:
    """Bytes that all spools together may hold: a burst of large misses must not outgrow the memory."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def take(self, size: int) -> bool:
        if size > self.left:
            return False
        self.left -= size
        return True


class Spool:
    """Chunks of a body, in order. Up to `limit` bytes (and while the budget lasts) all are kept, so readers may join
    at any time. Beyond that it overflows: nobody can join any more, chunks go when every reader has them, and the
    writer waits for the slowest reader. `attended` is told whether anybody reads, whenever that may have changed.
    """

    def __init__(self, limit: int, budget: Budget) -> None:
        self.overflowed = False
        self.size = 0
        self._limit = limit
        self._budget = budget
        self._taken = 0
        self._chunks: list[bytes] = []
        self._dropped = 0
        self._held = 0
        self._readers: set[Reader] = set()
        self._finished = False
        self._error: BaseException | None = None
        self._room = asyncio.Event()
        self.attended: Callable[[bool], None] = lambda _: None

    @property
    def too_large(self) -> bool:
        """Whether it overflowed for its own size, and not because others hold the memory."""
        return self.size > self._limit

    def reader(self) -> Reader:
        """A reader from the first byte. Close it, also when it was never read."""
        assert not self.overflowed, "nobody can join a spool that has dropped chunks"
        reader = Reader(self)
        self._readers.add(reader)
        self.attended(True)
        return reader

    async def append(self, chunk: bytes) -> None:
        """Add a chunk. After an overflow this waits for room; with nobody reading, it raises SpoolError."""
        self._chunks.append(chunk)
        self.size += len(chunk)
        self._held += len(chunk)
        if not self.overflowed:
            if self.size <= self._limit and self._budget.take(len(chunk)):
                self._taken += len(chunk)
            else:
                self.overflowed = True
                self._release()
        self._wake()
        while self.overflowed:
            self._trim()
            if not self._readers:
                raise SpoolError("nobody reads any more")
            if self._held <= WINDOW:
                return
            self._room.clear()
            await self._room.wait()

    def finish(self, error: BaseException | None = None) -> None:
        """The body is complete, or it broke off with `error`: then every reader raises SpoolError."""
        self._finished = True
        self._error = error
        self._wake()
        self._release_if_done()

    def whole(self) -> bytes:
        """The complete body; only for one that did not overflow."""
        return b"".join(self._chunks)

    def _release(self) -> None:
        """Give back to the budget what was taken."""
        self._budget.left += self._taken
        self._taken = 0

    def _release_if_done(self) -> None:
        """The chunks stay in memory for as long as anybody reads them."""
        if self._finished and not self._readers:
            self._release()

    def _wake(self) -> None:
        for reader in self._readers:
            reader.wake.set()

    def _trim(self) -> None:
        """Drop what every reader has."""
        behind = min((reader.position for reader in self._readers), default=self._dropped + len(self._chunks))
        passed = behind - self._dropped
        if passed > 0:
            self._held -= sum(map(len, self._chunks[:passed]))
            del self._chunks[:passed]
            self._dropped = behind

    def _next(self, reader: Reader) -> bytes | None:
        """The reader's next chunk; None when it must wait. StopAsyncIteration at the end."""
        index = reader.position - self._dropped
        if index < len(self._chunks):
            reader.position += 1
            self._room.set()
            return self._chunks[index]
        if self._error is not None:
            raise SpoolError("the body broke off") from self._error
        if self._finished:
            raise StopAsyncIteration
        return None

    def _leave(self, reader: Reader) -> None:
        self._readers.discard(reader)
        self._room.set()
        self._release_if_done()
        self.attended(bool(self._readers))


class Reader:
    """One reader's place in a spool: an asynchronous iterator of chunks."""

    def __init__(self, spool: Spool) -> None:
        self.position = 0
        self.wake = asyncio.Event()
        self._spool = spool

    def __aiter__(self) -> Reader:
        return self

    async def __anext__(self) -> bytes:
        while (chunk := self._spool._next(self)) is None:
            self.wake.clear()
            await self.wake.wait()
        return chunk

    async def aclose(self) -> None:
        self._spool._leave(self)
