"""The disk store: LMDB and files beside it, shared by the processes of one machine."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from app.core.decisions import StoredResponse
from app.core.purging import Kind, Purge, Selector
from app.store.base import State, turn, unmarked
from app.store.disk import leases, purging
from app.store.disk.changes import ORIGIN, Marked
from app.store.disk.committing import Commits
from app.store.disk.finding import Finding
from app.store.disk.health import FAILURES, Health
from app.store.disk.hearing import Hearing
from app.store.disk.layout import INLINE
from app.store.disk.listing import Listing
from app.store.disk.opening import Opened, close_folder, open_folder
from app.store.disk.tier import MOST, Tier
from app.store.disk.upkeep import Upkeep
from app.store.disk.writing import EVICTED_AT_A_TIME, Writing

T = TypeVar("T")

# For how many seconds a change may wait for those of other processes, and a purge.
PATIENCE, PURGE_PATIENCE = 1.0, 10.0
# How many are dropped in one transaction where all are: some milliseconds.
DROPPED_AT_A_TIME = 250
# By so much a purge that cannot be written is ahead of those that are being written just now.
AHEAD = 1_000


class DiskStore:
    """Responses in a folder of their own, at most `max_size` bytes of them. Each process opens it by itself, after it
    was forked. `durable`: what was committed is on the disk a second later, not only in the machine's memory."""

    shared = True
    indexed = frozenset({Kind.TAG, Kind.URL, Kind.PATH})

    def __init__(self, folder: Path, max_size: int, *, durable: bool = True) -> None:
        origin = os.urandom(ORIGIN)
        self.epoch = 0
        self.pulse: Sequence[int] | memoryview = (0,)
        self._folder, self._max_size, self._durable, self._origin = folder, max_size, durable, origin
        self._tier = Tier(min(max_size // 4, MOST))
        self._hearing = Hearing(self._tier, origin)
        self.log = self._hearing.log
        self._health = Health(str(folder))
        self._opened: Opened | None = None

    async def open(self) -> None:
        opened = await asyncio.to_thread(open_folder, self._folder, self._max_size)
        self._opened, self._tables, self._words, self._bodies = opened, opened.tables, opened.words, opened.bodies
        self.pulse = opened.words.pulse
        self._commits = Commits(opened, self._max_size, self._origin, self._health)
        self._finding = Finding(opened, self._hearing, self._health, self._hear)
        self._listing = Listing(opened.tables, self.log, self._health, self._hear, self._change)
        self._hearing.begin(opened.tables, opened.words)
        self.epoch = self.log.number
        self._upkeep = Upkeep(self.catch_up, self._commits.sync if self._durable else lambda: None, self._tidy)
        self._upkeep.start()

    async def aclose(self) -> None:
        if self._opened is None:
            return
        opened, self._opened = self._opened, None
        await self._upkeep.stop()
        try:
            await asyncio.to_thread(close_folder, opened)
        except FAILURES as error:
            self._health.failed("write", error)

    async def advice(self) -> str | None:
        return None

    def state(self) -> State:
        size, keys = None, None
        if self._opened is not None:
            try:
                with self._tables.begin() as txn:
                    totals = self._tables.totals(txn)
                size, keys = totals.size, totals.keys
            except FAILURES as error:
                self._health.failed("read", error)
        return State("disk", size, self._max_size, keys, dict(self._health.counts), self._health.trouble)

    # Keep and find

    async def lookup(self, key: str) -> Sequence[StoredResponse]:
        return await self._finding.lookup(key)

    def find(self, key: str) -> Sequence[StoredResponse] | None:
        return self._finding.find(key)

    def touch(self, key: str) -> None:
        self._finding.touch(key)

    async def save(self, stored: StoredResponse) -> None:
        stored, body = unmarked(stored), bytes(stored.body)
        in_file, name, kept = len(body) > INLINE, b"", False
        try:
            if in_file and len(body) < self._max_size:
                await self._make_room(len(body))
                name = await asyncio.to_thread(self._bodies.write, body)
            kept = await self._change(lambda to: to.save(stored, name if in_file else body, in_file=in_file), False)
        except OSError as error:
            self._health.failed("write", error)
        finally:
            if name and not kept:
                self._bodies.drop([name])

    async def _make_room(self, size: int) -> None:
        """In several transactions, for it may be the room of a thousand others."""
        while (self.state().size or 0) + size > self._max_size and not await self._change(
            lambda to: to.make_room(size, EVICTED_AT_A_TIME), True
        ):
            await turn()

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
        number = await self._change(lambda to: purging.append(to, purge, self.log), 0, PURGE_PATIENCE)
        if not number:  # it must not be forgotten: everything counts as purged instead, until a restart and after it
            number = max(self._words.floor, self.log.number) + AHEAD
            self._words.raise_floor(number)
            self.catch_up()
        return number

    def purge_number(self) -> int:
        self._hear()
        return self.log.number

    def purged_since(self, key: str, number: int) -> bool:
        self._hear()
        return self.log.touched(key, number)

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

    def _hear(self) -> None:
        if self.pulse[0] != self._hearing.heard:
            self.catch_up()

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

    def _tidy(self) -> None:
        try:
            self._tables.env.reader_check()
        except FAILURES as error:
            self._health.failed("read", error)
