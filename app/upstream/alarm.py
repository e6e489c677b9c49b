"""One time limit after another, set for every request and hardly ever reached: so a timer is kept, and looks again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.upstream.errors import ProxyError

EARLY = 0.001  # how much a loop's timer may come too soon


class Alarm:
    """Calls `ring` with the reason when the time is up. Setting it anew costs no timer, except for an earlier time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[ProxyError], None]) -> None:
        self.loop = loop
        self._ring = ring
        self._due: float | None = None
        self._reason = ProxyError.PROXY_INTERNAL_ERROR
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = 0.0

    def set(self, seconds: float | None, reason: ProxyError) -> None:
        """Instead of the limit before; None for no limit."""
        if seconds is None:
            self._due = None
            return
        self._due = due = self.loop.time() + seconds
        self._reason = reason
        if self._timer is None or due < self._looks_at:
            self._look_at(due)

    def clear(self) -> None:
        self._due = None

    def close(self) -> None:
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at(self, time: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = time
        self._timer = self.loop.call_at(time, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._due - self.loop.time() > EARLY:
            self._look_at(self._due)
        else:
            self._due = None
            self._ring(self._reason)
