"""The folder by its name: opened, left where it is deleted under us, opened again, and let go of at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from app.store.base import StoreError
from app.store.disk.health import FAILURES, Health
from app.store.disk.opening import Opened, finish_folder, let_go, open_folder
from app.store.disk.presence import is_current
from app.tasks import Tasks


@dataclass(frozen=True, slots=True)
class User:
    """Who uses what lies there. `take`: use this from now on; raises lmdb.Error. `leave`: use it no more, it is gone.
    `synced`: nothing goes on beside the event loop any more. `agree`: with those who have the new one already."""

    take: Callable[[Opened], None]
    leave: Callable[[], None]
    synced: Callable[[], Awaitable[None]]
    agree: Callable[[], Awaitable[None]]


class Folder:
    """`opened`: what is in use; None where the folder is gone. `closed`: it is not to be used yet, or no more."""

    def __init__(self, path: Path, max_size: int, health: Health, user: User) -> None:
        self.opened: Opened | None = None
        self.closed = True
        self._path, self._max_size, self._health, self._user = path, max_size, health, user
        self._returning: asyncio.Task[None] | None = None
        self._tasks = Tasks()

    async def open(self) -> None:
        """Raises StoreError, lmdb.Error."""
        opened = await asyncio.to_thread(open_folder, self._path, self._max_size)
        self._user.take(opened)
        self.opened, self.closed = opened, False

    def close(self) -> None:
        """Let go of it when `finish` is called, and begin no other."""
        self.closed = self._health.away = True

    async def finish(self) -> None:
        if self._returning is not None:
            await asyncio.wait([self._returning])
        opened, self.opened = self.opened, None
        if opened is None:
            return
        try:
            await asyncio.to_thread(finish_folder, opened)
        except FAILURES as error:
            self._health.not_done("write", error)
        finally:
            let_go(opened)

    def is_there(self) -> bool:
        return self.opened is not None and is_current(self.opened.presence)

    def come_back(self) -> asyncio.Task[None]:
        """To the folder that now has the name, as all others who share it do. Until then nothing is there."""
        if self._returning is None or self._returning.done():
            left, self.opened = self.opened, None
            if left is not None:
                self._health.gone()
                self._user.leave()
            self._returning = self._tasks.start(self._begin_anew(left), "open the store again")
        return self._returning

    async def _begin_anew(self, left: Opened | None) -> None:
        if left is not None:
            await self._user.synced()
            let_go(left)
        try:
            opened = await asyncio.to_thread(open_folder, self._path, self._max_size)
        except StoreError as error:
            self._health.not_done("open", error)
            return
        try:
            self._user.take(opened)
        except FAILURES as error:
            let_go(opened)
            self._health.not_done("open", error)
            return
        self.opened, self._health.away = opened, self.closed
        if not self.closed:
            await self._user.agree()
