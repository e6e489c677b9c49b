"""All that is kept, a slice after the other: listed, counted, and swept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from app.core.decisions import StoredResponse
from app.core.purge_log import Numbered, PurgeLog
from app.core.purging import EVERYTHING, Kind, Mode, Selector
from app.store.base import deleted, husk, turn
from app.store.disk.health import FAILURES, Health
from app.store.disk.reading import number_named, rows_deleted, slice_after
from app.store.disk.tables import Reading, SnapshotGoneError, Tables
from app.store.disk.writing import Writing

T = TypeVar("T")


# How many rows are looked at in a turn: a few milliseconds; and of how many purges, where they have not been swept.
LOOKED_AT, MOST_UNSWEPT = 2_000, 16


class Change(Protocol):
    """Does it in a transaction, or where that fails says `otherwise`."""

    def __call__(self, work: Callable[[Writing], T], otherwise: T) -> Awaitable[T]: ...


class Listing:
    """`hear`: of what others have changed."""

    def __init__(self, tables: Tables, log: PurgeLog, health: Health, hear: Callable[[], bool], change: Change) -> None:
        self._tables, self._log, self._health, self._hear, self._change = tables, log, health, hear, change

    async def entries(self, selector: Selector | None) -> AsyncIterator[StoredResponse]:
        last: bytes | None = b""
        while last is not None:
            self._hear()
            try:
                found, last = slice_after(last, self._tables, self._log, selector)
            except FAILURES as error:
                self._health.failed("read", error)
                return
            for one in found:
                yield one.stored
            await turn()

    async def count(self, selector: Selector, now: float) -> int | None:
        """Of a tag at any host, and of everything, while little is deleted that has not been swept."""
        if selector != EVERYTHING and not _listed_exactly(selector):
            return None
        self._hear()
        try:
            with self._tables.snapshot() as txn:  # all of it at one moment, though others get their turn in between
                clean = self._tables.totals(txn).clean
                deletions = [one for one in self._log.deletions(now) if not swept(one, clean)]
                if len(deletions) > MOST_UNSWEPT or not all(map(_told_by_rows, deletions)):
                    return None
                return number_named(selector, txn, self._tables) - await self._deleted(selector, txn, deletions)
        except SnapshotGoneError:
            return None
        except FAILURES as error:
            self._health.failed("read", error)
            return None

    async def _deleted(self, selector: Selector, txn: Reading, deletions: Sequence[Numbered]) -> int:
        """How many of those that the selector names these purges have deleted."""
        found = set[bytes]()
        for deletion in deletions:
            for place, row in enumerate(rows_deleted(deletion, selector, txn, self._tables)):
                if row is not None:
                    found.add(row)
                if place % LOOKED_AT == LOOKED_AT - 1:
                    await turn()
        return len(found)

    async def sweep(self) -> int:
        hardest = max([number for number, purge in self._log.deletions(0) if purge.mode is Mode.HARD], default=0)
        if not hardest:
            return 0
        begun, whole = await self._change(Writing.begin_sweep, 0), True
        last: bytes | None = b""
        swept = 0
        while last is not None:
            try:
                found, last = slice_after(last, self._tables, self._log, before=hardest)
            except FAILURES as error:
                self._health.failed("read", error)
                return swept
            husks = [(one.row, one.place, husk(one.stored)) for one in found if deleted(one.stored)]
            done = await self._change(partial(Writing.swap, husks=husks), None) if husks else 0
            whole, swept = whole and done is not None, swept + (done or 0)
            await turn()
        if whole:
            await self._change(partial(Writing.end_sweep, begun=begun, until=hardest), None)
        return swept


def swept(deletion: Numbered, clean: int) -> bool:
    return deletion.purge.mode is Mode.HARD and deletion.number <= clean


def _told_by_rows(deletion: Numbered) -> bool:
    """Whether it deleted just what is listed under its name: a deadline makes way for whatever is harder."""
    return deletion.purge.mode is Mode.HARD and _listed_exactly(deletion.purge.selector)


def _listed_exactly(selector: Selector) -> bool:
    return selector.kind in (Kind.TAG, Kind.PATH) and selector.host is None
