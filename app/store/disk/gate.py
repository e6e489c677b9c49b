"""One writer at a time, of all processes; who has to wait lets its event loop go on meanwhile."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

# LMDB has a lock of its own, but who waits for that one stands still, and with it all its clients.
PAUSE = 0.001


class Gate:
    """A lock on an open file: the kernel takes it back from a process that ends, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._closed = False

    def close(self) -> None:
        """Nobody comes in any more; those who wait give up. Not to be called inside."""
        self._closed = True

    async def wait(self, seconds: float) -> bool:
        """Whether we are the one, after so many seconds at most. Then `leave` without awaiting anything in between."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not self._enter():
            if self._closed or loop.time() >= deadline:
                return False
            pause = loop.create_future()
            loop.call_later(PAUSE, _end, pause)
            await pause
        return True

    def _enter(self) -> bool:
        if self._closed:
            return False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def inside(self) -> Iterator[None]:
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)


def _end(pause: asyncio.Future[None]) -> None:
    if not pause.done():
        pause.set_result(None)
