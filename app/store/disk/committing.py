"""Changes, each in a transaction: after those of other processes, and told to them once it is committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import lmdb

from app.store.disk.gate import Gate
from app.store.disk.health import FAILURES, Health
from app.store.disk.opening import Opened
from app.store.disk.room import Room
from app.store.disk.writing import Writing

T = TypeVar("T")

# By which part of its size the map grows when it is full.
GROWN = 4


class Commits:
    """What is committed is in the files as the kernel knows them: a process that is killed takes nothing with it. They
    are on the disk itself after `sync`."""

    def __init__(self, opened: Opened, max_size: int, origin: bytes, health: Health) -> None:
        self._tables, self._words, self._bodies = opened.tables, opened.words, opened.bodies
        self._gate = Gate(opened.gate)
        self.room = Room(opened.tables, opened.data, max_size, health)
        self._max_size, self._origin, self._health = max_size, origin, health
        self._unsynced = False

    def close(self) -> None:
        """Change nothing any more, whoever waits for it."""
        self._gate.close()

    async def change(self, work: Callable[[Writing], T], otherwise: T, patience: float) -> T:
        """Do it, or where that fails say `otherwise`, and nothing has happened; `patience`: for how many seconds others
        may be at it."""
        try:
            if not await self._gate.wait(patience):
                self._health.failed("write", "another process does not come to an end")
                return otherwise
            with self._gate.inside():
                result = self._commit(work)
        except FAILURES as error:
            self._health.failed("write", error)
            return otherwise
        self._health.well()
        return result

    def _commit(self, work: Callable[[Writing], T]) -> T:
        try:
            return self.transaction(work)
        except lmdb.MapFullError:  # pages are scattered: with some responses less there will be some in a row
            self._tables.grow(self._max_size // GROWN)
            self.transaction(lambda to: to.make_room(self.room.limit - to.totals.size * 7 // 8, to.totals.place))
            return self.transaction(work)

    def transaction(self, work: Callable[[Writing], T]) -> T:
        """Raises lmdb.Error."""
        with self._tables.begin(write=True) as txn:
            writing = Writing(self._tables, txn, self.room, self._words.used, self._origin)
            self.room.see_to_it(writing.totals.size)
            result = work(writing)
            writing.finish()
        if writing.changed:
            self._words.tell(writing.totals.change)
            self._unsynced = True
        self._health.counts["evictions"] += writing.evicted
        self._bodies.drop(writing.dropped)
        return result

    async def look_for_room(self, patience: float) -> None:
        """Whether the disk still is full, if it was."""
        if self.room.is_short and await self._gate.wait(patience):
            with self._gate.inside():
                self.room.claim()

    def sync(self) -> None:
        if self._unsynced:
            self._unsynced = False
            try:
                self._tables.env.sync(True)
            except FAILURES as error:
                self._health.failed("write", error)
