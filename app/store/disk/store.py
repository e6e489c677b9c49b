"""The disk store: LMDB and files beside it, shared by the processes of one machine."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from app.core.decisions import StoredResponse
from app.core.purging import Kind, Mode, Purge, Selector
from app.store.base import State, all_marked, deleted, husk, turn, unmarked
from app.store.disk import purging
from app.store.disk.changes import ORIGIN, Marked
from app.store.disk.committing import Commits
from app.store.disk.health import FAILURES, Health
from app.store.disk.hearing import Hearing
from app.store.disk.layout import INLINE
from app.store.disk.opening import Opened, close_folder, open_folder
from app.store.disk.reading import number_named, places_of, read_files, slice_after, variants_of
from app.store.disk.tier import MOST, Held, Tier
from app.store.disk.upkeep import Upkeep
from app.store.disk.writing import EVICTED_AT_A_TIME, Writing

T = TypeVar("T")

# For how many seconds a change may wait for those of other processes, and a purge.
PATIENCE, PURGE_PATIENCE = 1.0, 10.0
# Bodies up to this size are held in memory once they were read.
MOST_HELD = 2**20
# By so much a purge that cannot be written is ahead of those that are being written just now.
AHEAD = 1_000

_NOTHING = Held((), ())


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
        self._used, self.pulse = opened.words.used, opened.words.pulse
        self._commits = Commits(opened, self._max_size, self._origin, self._health)
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
        found = self.find(key)
        return await self._waited_for(key) if found is None else found

    def find(self, key: str) -> Sequence[StoredResponse] | None:
        self._hear()
        held = self._tier.get(key)
        if held is None and (held := self._read(key)) is None:
            return None
        return self._shown(held)

    def _shown(self, held: Held) -> Sequence[StoredResponse]:
        """The variants, marked, and noted as used."""
        self._use(held)
        return all_marked(self.log, held.variants)

    def _use(self, held: Held) -> None:
        for slot in held.slots:
            if not self._used[slot]:  # to write would have other processors fetch it again
                self._used[slot] = 1

    def _read(self, key: str) -> Held | None:
        """From LMDB. None where files must be waited for."""
        try:
            held = read_files(self._from_disk(key), MOST_HELD, wait=False)
        except FAILURES as error:
            self._health.failed("read", error)
            return _NOTHING
        if held is not None and held.variants and not self._hearing.telling:
            self._tier.hold(key, held)
            self._hearing.tell_dropped()
        return held

    def _from_disk(self, key: str) -> Held:
        return variants_of(key, self._tables, self._bodies, self._words.slots)

    async def _waited_for(self, key: str) -> Sequence[StoredResponse]:
        seen = self._hearing.seen
        try:
            found = self._from_disk(key)
            held = await asyncio.to_thread(read_files, found, MOST_HELD, wait=True)
        except FAILURES as error:
            self._health.failed("read", error)
            return ()
        assert held is not None
        self._hear()
        if self._hearing.seen == seen:  # nothing has changed since
            self._tier.hold(key, held)
            self._hearing.tell_dropped()
        return self._shown(held)

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

    def touch(self, key: str) -> None:
        held = self._tier.get(key)
        if held is not None:
            self._use(held)
            return
        try:
            for place in places_of(key, self._tables):
                self._used[place % self._words.slots] = 1
        except FAILURES as error:
            self._health.failed("read", error)

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

    async def entries(self, selector: Selector | None = None) -> AsyncIterator[StoredResponse]:
        last: bytes | None = b""
        while last is not None:
            self._hear()
            try:
                found, last = slice_after(last, self._tables, self.log, selector)
            except FAILURES as error:
                self._health.failed("read", error)
                return
            for one in found:
                yield one.stored
            await turn()

    async def count(self, selector: Selector) -> int:
        """How many `entries` would tell of: of a tag at any host without looking at them."""
        if selector.kind is Kind.TAG and selector.host is None:
            try:
                return number_named(selector, self._tables)
            except FAILURES as error:
                self._health.failed("read", error)
                return 0
        return sum([1 async for _ in self.entries(selector)])

    async def sweep(self) -> int:
        last: bytes | None = b""
        swept = 0
        hardest = max((number for number, purge in self.log if purge.mode_at(0) is Mode.HARD), default=0)
        while last is not None and hardest:
            try:
                found, last = slice_after(last, self._tables, self.log, before=hardest)
            except FAILURES as error:
                self._health.failed("read", error)
                break
            husks = [(one.row, one.place, husk(one.stored)) for one in found if deleted(one.stored)]
            swept += await self._change(partial(Writing.swap, husks=husks), 0) if husks else 0
            await turn()
        return swept

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
        return await self._change(lambda to: to.lease(key, now, now + int(seconds * 1e9)), True)

    async def release(self, key: str) -> None:
        await self._change(lambda to: to.release(key), None)

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
