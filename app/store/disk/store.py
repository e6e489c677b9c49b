"""The disk store: LMDB and files beside it, shared by the processes of one machine."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from app.core.decisions import StoredResponse
from app.core.purging import Kind, Mode, Purge, Selector
from app.store.base import State, StoreError, turn, unmarked
from app.store.disk import leases, purging
from app.store.disk.changes import ORIGIN, Marked
from app.store.disk.committing import Commits
from app.store.disk.finding import Finding
from app.store.disk.folder import Folder, User
from app.store.disk.health import FAILURES, Health
from app.store.disk.hearing import UNHEARD, Hearing
from app.store.disk.listing import Listing
from app.store.disk.opening import Opened
from app.store.disk.saving import Saving
from app.store.disk.tier import MOST, Tier
from app.store.disk.upkeep import Upkeep
from app.store.disk.writing import Writing
from app.tasks import Tasks

T = TypeVar("T")

# For how many seconds a change may wait for those of other processes, and a purge.
PATIENCE, PURGE_PATIENCE = 1.0, 10.0
# How many are dropped in one transaction where all are: some milliseconds.
DROPPED_AT_A_TIME = 250
# By so much a purge that cannot be written is ahead of those that are being written just now.
AHEAD = 1_000
# How often a purge is begun anew because the folder was deleted meanwhile.
TRIES = 3


class DiskStore:
    """Responses in a folder of their own, at most `max_size` bytes of them. Each process opens it by itself, after it
    was forked. `durable`: what was committed is on the disk a second later, not only in the machine's memory."""

    shared = True
    indexed = frozenset({Kind.TAG, Kind.URL, Kind.PATH})

    def __init__(self, folder: Path, max_size: int, *, durable: bool = True) -> None:
        origin = os.urandom(ORIGIN)
        self.epoch = 0
        self.pulse: Sequence[int] | memoryview = (0,)
        self._name, self._max_size, self._origin = str(folder), max_size, origin
        self._tier = Tier(min(max_size // 4, MOST))
        self._hearing = Hearing(self._tier, origin)
        self.log = self._hearing.log
        self._health = Health(self._name)
        self._upkeep = Upkeep(self._poll, self._sync if durable else lambda: None, self._tidy)
        user = User(self._take, self._leave, self._upkeep.synced, self._agree)
        self._folder, self._tasks = Folder(folder, max_size, self._health, user), Tasks()

    async def open(self) -> None:
        await self._folder.open()
        self.epoch = self.log.number
        self._upkeep.start()

    async def aclose(self) -> None:
        """At any moment: what is being saved is not kept then, and what is looked for is not there."""
        if self._folder.closed:
            return
        self._folder.close()
        self._commits.close()
        await self._upkeep.stop()
        await self._folder.finish()

    def _take(self, opened: Opened) -> None:
        """Use that folder. Raises lmdb.Error."""
        self._hearing.begin(opened.tables, opened.words)
        self._tables, self._words, self._bodies = opened.tables, opened.words, opened.bodies
        self.pulse = opened.words.pulse
        self._commits = Commits(opened, self._max_size, self._origin, self._health)
        self._finding = Finding(opened, self._hearing, self._health, self._hear)
        self._saving = Saving(opened, self._commits, self._health, self._change)
        self._listing = Listing(opened.tables, self.log, self._health, self._hear, self._change)

    def _leave(self) -> None:
        self._commits.close()
        self._forget()

    def _poll(self) -> None:
        if self._folder.is_there():
            self.catch_up()
        else:
            self._folder.come_back()

    async def _agree(self) -> None:
        """With those who have the new folder already: none of us uses what was kept before, or what they have fetched
        without knowing of our purges; and what is in force still is."""
        if self._words.floor < self.log.number:
            self._words.raise_floor(self.log.number)
        self.catch_up()
        try:
            unsaid = self._hearing.unsaid(self._tables)
        except FAILURES as error:
            self._health.failed("read", error)
            return
        for selector in unsaid:
            await self._append(Purge(Mode.SOFT, selector))

    def _forget(self) -> None:
        self._hearing.forget()
        self.epoch = self.log.number

    async def advice(self) -> str | None:
        return None

    def state(self) -> State:
        size, keys, limit = None, None, self._max_size
        if self._folder.opened is not None:
            try:
                with self._tables.begin() as txn:
                    totals = self._tables.totals(txn)
                size, keys, limit = totals.size, totals.keys, self._commits.room.limit
            except FAILURES as error:
                self._health.failed("read", error)
        return State("disk", size, limit, keys, dict(self._health.counts), self._health.trouble)

    # Keep and find

    async def lookup(self, key: str) -> Sequence[StoredResponse]:
        return await self._finding.lookup(key)

    def find(self, key: str) -> Sequence[StoredResponse] | None:
        return self._finding.find(key)

    def touch(self, key: str) -> None:
        self._finding.touch(key)

    async def save(self, stored: StoredResponse) -> None:
        await self._saving.save(stored)

    async def replace(self, old: StoredResponse, new: StoredResponse) -> None:
        await self._change(lambda to: to.replace(old, unmarked(new)), None)

    async def remove(self, stored: StoredResponse) -> None:
        await self._change(lambda to: to.remove(stored), None)

    async def clear(self) -> int:
        until, dropped = await self._change(lambda to: to.totals.place, 0), 0
        while found := await self._change(lambda to: to.drop_oldest(until, DROPPED_AT_A_TIME), None):
            dropped += found.count(True)
            await turn()
        return dropped

    # Purge and list

    async def purge(self, purge: Purge) -> int:
        for _ in range(TRIES):
            number = await self._append(purge)
            if self._folder.closed and not number:
                break
            if self._folder.is_there():
                return number or self._purge_everything()
            await asyncio.wait([self._folder.come_back()])
        self._forget()
        raise StoreError(f"store {self._name!r} is gone: others who share it may not have heard of the purge")

    async def _append(self, purge: Purge) -> int:
        return await self._change(lambda to: purging.append(to, purge, self.log), 0, PURGE_PATIENCE)

    def _purge_everything(self) -> int:
        """Instead of a purge that cannot be written and must not be forgotten, until a restart and after it."""
        number = max(self._words.floor, self.log.number) + AHEAD
        self._words.raise_floor(number)
        self.catch_up()
        return number

    def purge_number(self) -> int:
        self._hear()
        return self.log.number

    def purged_since(self, key: str, number: int) -> bool:
        return not self._hear() or self.log.touched(key, number)

    def entries(self, selector: Selector | None = None) -> AsyncIterator[StoredResponse]:
        return self._listing.entries(selector)

    async def count(self, selector: Selector, now: float) -> int | None:
        return await self._listing.count(selector, now)

    async def sweep(self) -> int:
        return await self._listing.sweep()

    # Hear and tell

    def watch(self, listener: Callable[[str], None]) -> None:
        self._hearing.listeners.append(listener)

    def watch_marks(self, listener: Callable[[str, bool], None]) -> None:
        self._hearing.mark_listeners.append(listener)

    def _hear(self) -> bool:
        """Whether we know of every change until now."""
        if self.pulse[0] != self._hearing.heard:
            self.catch_up()
        return self._folder.opened is not None and self._hearing.heard != UNHEARD

    def catch_up(self) -> None:
        if self._hearing.telling:
            return
        try:
            self._hearing.catch_up(self._tables, self._words)
        except FAILURES as error:
            self._health.failed("read", error)
        self.epoch = self.log.number

    async def lease(self, key: str, seconds: float) -> bool:
        now = time.monotonic_ns()
        return await self._change(lambda to: leases.lease(to, key, now, now + int(seconds * 1e9)), True)

    async def release(self, key: str) -> None:
        await self._change(lambda to: leases.release(to, key), None)

    async def mark(self, key: str, *, cacheable: bool) -> None:
        await self._change(lambda to: to.log(Marked(key, cacheable)), None)

    # Write, and from time to time

    async def _change(self, work: Callable[[Writing], T], otherwise: T, patience: float = PATIENCE) -> T:
        """Do it in a transaction, and tell everybody. Where that fails it has not happened, and `otherwise` is so."""
        result = await self._commits.change(work, otherwise, patience)
        self._hear()
        return result

    def _sync(self) -> None:
        if self._folder.opened is not None:
            self._commits.sync()

    def _tidy(self) -> None:
        if self._commits.room.is_short:
            self._tasks.start(self._commits.look_for_room(PATIENCE), "look for room on the disk")
        try:
            self._saving.look_for_room()
            self._tables.env.reader_check()
        except FAILURES as error:
            self._health.failed("read", error)
