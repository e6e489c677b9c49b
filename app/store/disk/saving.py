"""Saving a response: a large body has a file of its own, and room on the disk, before there is a record of it."""

from __future__ import annotations

import asyncio
from functools import partial

from app.core.decisions import StoredResponse
from app.store.base import turn, unmarked
from app.store.disk.committing import Commits
from app.store.disk.health import FAILURES, Health
from app.store.disk.layout import INLINE
from app.store.disk.listing import Change
from app.store.disk.opening import Opened
from app.store.disk.reading import files_to_spare
from app.store.disk.room import EVICTED_WHEN_FULL, is_full
from app.store.disk.writing import Writing

FILES = "files"
# For how many bodies like the one that it had no room for a disk must have room to have some again.
SEVERAL = 4


class Saving:
    """`change`: does it in a transaction."""

    def __init__(self, opened: Opened, commits: Commits, health: Health, change: Change) -> None:
        self._tables, self._bodies, self._used = opened.tables, opened.bodies, opened.words.used
        self._room, self._health, self._change = commits.room, health, change
        self._refused = 0
        health.roomy(FILES)  # as far as is known: it may be another disk than before

    async def save(self, stored: StoredResponse) -> None:
        stored, body = unmarked(stored), bytes(stored.body)
        in_file, name, kept = len(body) > INLINE, b"", False
        try:
            if in_file and len(body) < self._room.limit:
                if not self._room.is_short:  # where it is, to let go of others gives the disk nothing back
                    await self._make_room(len(body))
                name = await self._written(body)
            kept = await self._change(lambda to: to.save(stored, name if in_file else body, in_file=in_file), False)
        except FAILURES as error:
            self._health.failed("write", error)
        finally:
            if name and not kept:
                self._bodies.drop([name])

    async def _make_room(self, size: int) -> None:
        """In several transactions, for it may be the room of a thousand others."""
        while self._size() + size > self._room.limit and not await self._change(lambda to: to.make_room(size), True):
            await turn()

    def _size(self) -> int:
        with self._tables.begin() as txn:
            return self._tables.totals(txn).size

    async def _written(self, body: bytes) -> bytes:
        """Returns the name of its file. On a full disk other files make room for it. Raises lmdb.Error, OSError."""
        try:
            name = await asyncio.to_thread(self._bodies.write, body)
        except OSError as error:
            if not is_full(error) or not await self._make_room_for_file(len(body)):
                raise
            self._refused = len(body)
            self._health.full(FILES, error)
            return await asyncio.to_thread(self._bodies.write, body)
        self._refused = 0
        self._health.roomy(FILES)
        return name

    def look_for_room(self) -> None:
        """Whether the disk has room again, if it had none for a body. Raises OSError."""
        if self._refused and self._bodies.room() > self._refused * SEVERAL:
            self._refused = 0
            self._health.roomy(FILES)

    async def _make_room_for_file(self, size: int) -> bool:
        """Only what lies in files gives its room back to the disk. Returns whether there was enough of that."""
        with self._tables.begin() as txn:
            spared = files_to_spare(size, txn, self._tables, self._used)
        for start in range(0, len(spared), EVICTED_WHEN_FULL):
            await self._change(partial(Writing.evict, those=spared[start : start + EVICTED_WHEN_FULL]), None)
            await turn()
        return bool(spared)
