"""The only place where a task is born: each has a name, an owner, and a bound on how long it may outlive us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

log = logging.getLogger("swerve")


class Tasks:
    """Running tasks. What raises in one of them is logged: nobody else would ever hear of it."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._running)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that they run on. To ask asyncio for it is a system call (getpid, CPython 3.11)."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def start(self, work: Coroutine[Any, Any, T], name: str, *, awaited: bool = False) -> asyncio.Task[T]:
        """Run it. Whoever starts one that is `awaited` hears of its error, so that it need not be logged."""
        task = self.loop.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard if awaited else self._ended)
        return task

    async def race(self, *work: Coroutine[Any, Any, Any]) -> None:
        """Run all of them until one ends, then cancel the others."""
        racing = [self.start(one, "race") for one in work]
        try:
            await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in racing:
                task.cancel()
            await asyncio.wait(racing)

    async def unless(self, gone: Coroutine[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T | None:
        """Run `work` to its end and return its result; None if `gone` ends first: then the work is cancelled."""
        task, watch = self.start(work, "work", awaited=True), self.start(gone, "watch")
        try:
            await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
            return await task if task.done() else None
        finally:
            task.cancel()
            watch.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed", task.get_name(), exc_info=error)

    async def drain(self, seconds: float) -> None:
        """Wait for all of them, at most so long, then cancel the rest."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        for task in self._running:
            task.cancel()
