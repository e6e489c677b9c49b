"""What has to happen now and then, whoever asks the store: to hear of others, and to have it on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# In seconds. A process that died at the wrong moment leaves the others behind for one POLL; a machine that goes down
# loses what was committed in the last SYNC; what those that died have left in LMDB's own tables goes after TIDY.
POLL, SYNC, TIDY = 0.25, 0.75, 5.0


class Upkeep:
    """Calls `poll` and `tidy` on the event loop, and `sync` beside it; from `start` to `stop`."""

    def __init__(self, poll: Callable[[], None], sync: Callable[[], None], tidy: Callable[[], None]) -> None:
        self._poll, self._sync, self._tidy = poll, sync, tidy
        self._timer: asyncio.TimerHandle | None = None
        self._syncing: asyncio.Future[None] | None = None
        self._next_sync = self._next_tidy = 0.0

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._next_sync, self._next_tidy = loop.time() + SYNC, loop.time() + TIDY
        self._timer = loop.call_later(POLL, self._tick, loop)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self.synced()

    async def synced(self) -> None:
        """Wait for what goes on beside the event loop."""
        if self._syncing is not None:
            await asyncio.wait([self._syncing])

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._poll()
        if loop.time() >= self._next_sync and (self._syncing is None or self._syncing.done()):
            self._syncing = loop.run_in_executor(None, self._sync)
            self._next_sync = loop.time() + SYNC
        if loop.time() >= self._next_tidy:
            self._tidy()
            self._next_tidy = loop.time() + TIDY
        self._timer = loop.call_later(POLL, self._tick, loop)
