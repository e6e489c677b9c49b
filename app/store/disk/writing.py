"""One write transaction: what is done to the tables, with the totals kept right. All of it happens, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import msgspec

from app.core.decisions import StoredResponse
from app.store.base import MAX_VARIANTS
from app.store.disk import changes
from app.store.disk.changes import Change, Changed
from app.store.disk.layout import (
    NEVER,
    PLACE,
    Record,
    names_in,
    number,
    place_of_key,
    record_of,
    row_of,
    value_of,
    whole,
)
from app.store.disk.room import Room
from app.store.disk.tables import Reading, Tables

# How far the hand goes to make room for one response, past what was used: a bound on how long one save takes.
MOST_STEPS = 2_000


class Writing:
    """`dropped` are body files that nothing names any more, once this is committed."""

    def __init__(self, tables: Tables, txn: Reading, room: Room, used: memoryview, origin: bytes) -> None:
        self.totals = tables.totals(txn)
        self.dropped: list[bytes] = []
        self.evicted = 0
        self._before = replace(self.totals)
        self.tables, self.txn, self._room, self._used, self.origin = tables, txn, room, used, origin

    @property
    def changed(self) -> bool:
        """Whether there is something that others must hear of."""
        return self.totals.change != self._before.change

    def finish(self) -> None:
        """Write what has added up, and let go of some of what is too much, unless something came and did that."""
        if self.totals.place == self._before.place:
            self.make_room(0)
        if self.changed:
            self._trim()
        if self.totals != self._before:
            self.txn.put(self.totals.ROW, self.totals.packed(), db=self.tables.facts)

    # What happens to responses

    def save(self, stored: StoredResponse, body: bytes, *, in_file: bool) -> bool:
        """Keep it, in place of the same variant. Returns whether `body` is in use now: not if something newer is there
        (app/store/base.py says which that is), or if it is too large."""
        row, kin = row_of(stored), self._kin(stored.key)
        old = kin.pop(row, None)
        if old is not None and (old.number > stored.number or old.under > stored.fetched_under):
            return False
        crowded = len(kin) >= MAX_VARIANTS
        if old is not None:
            self._drop(row, old, alone=not kin)
        if crowded:
            oldest = min(kin, key=lambda one: kin[one].place)
            self._drop(oldest, kin.pop(oldest), alone=False)
        kept = self._insert(row, record_of(stored, self.totals.place, body, in_file=in_file))
        if kept or crowded or old is not None:
            self.log(Changed(stored.key))
        return kept

    def replace(self, old: StoredResponse, new: StoredResponse) -> None:
        """Keep `new` in place of `old`, with the body that is there."""
        row, new_row, kin = row_of(old), row_of(new), self._kin(old.key)
        record = kin.pop(row, None)
        if record is None or record.number != old.number or record.is_husk:
            return
        body, in_file = bytes(record.body), record.in_file
        if new_row in kin:
            self._drop(new_row, kin.pop(new_row), alone=False)
        self._drop(row, record, alone=not kin, with_file=False)
        if not self._insert(new_row, record_of(new, self.totals.place, body, in_file=in_file)) and in_file:
            self.dropped.append(body)
        self.log(Changed(old.key))

    def remove(self, stored: StoredResponse) -> None:
        row, kin = row_of(stored), self._kin(stored.key)
        if (record := kin.pop(row, None)) is not None:
            self._drop(row, record, alone=not kin)
            self.log(Changed(stored.key))

    def swap(self, husks: Sequence[tuple[bytes, int, StoredResponse]]) -> int:
        """Leave husks where the responses are that lie in those rows, if they are still those that came at those
        places. Returns how many."""
        return sum([self._swap(*one) for one in husks])

    def _swap(self, row: bytes, place: int, husk: StoredResponse) -> bool:
        data = self.txn.get(row, db=self.tables.records)
        record = None if data is None else whole(data)
        if record is None or record.place != place:
            return False
        self._drop(row, record, alone=len(self._kin(husk.key)) == 1)
        self._insert(row, record_of(husk, self.totals.place, b"", in_file=False))
        self.log(Changed(husk.key))
        return True

    def begin_sweep(self) -> int:
        """Returns by which number `end_sweep` knows it. What comes from now on it may have passed already."""
        totals = self.totals
        totals.swept, totals.late, totals.sweeps = totals.clean, NEVER, totals.sweeps + 1
        return totals.sweeps

    def end_sweep(self, begun: int, until: int) -> None:
        """What was deleted up to that purge is gone, unless another sweep has begun, which will say it for itself."""
        if self.totals.sweeps == begun:
            self.totals.swept = max(self.totals.swept, until)

    def make_room(self, size: int, most: int | None = None) -> bool:
        """Let go of what was not used, until there is room for `size` bytes more, but of no more than so many in this
        transaction, by default as many as do not take long. Returns whether there is.

        SIEVE (Zhang et al., NSDI 2024): a hand goes from the oldest to the newest and around again. What was used since
        it last came by stays where it is, and must be used again to stay once more. So a hit writes nothing but its one
        byte in shared memory, and what came once and was never used goes soon. bench/eviction.py has the numbers.
        """
        totals, steps, most = self.totals, MOST_STEPS, self._room.evicted_at_a_time if most is None else most
        while totals.size and totals.size + size > self._room.limit:
            if self.evicted >= most:
                return False
            steps, found = self._next_unused(steps)
            if found is None:
                break
            self.evicted += self._let_go(*found) is not None
        return True

    def _next_unused(self, steps: int) -> tuple[int, tuple[bytes, int] | None]:
        """What the hand comes to, past what was used, after so many steps at most. Returns how many are left."""
        with self.txn.cursor(db=self.tables.order) as cursor:
            if not cursor.set_range(number(self.totals.hand)) and not cursor.first():
                return steps, None
            place = value_of(cursor.key())
            while steps and self._used[slot := place % len(self._used)]:
                self._used[slot] = 0
                steps -= 1
                if not cursor.next():
                    cursor.first()
                place = value_of(cursor.key())
            self.totals.hand = place + 1
            return steps, (bytes(cursor.value()), place)

    def evict(self, those: Sequence[tuple[bytes, int]]) -> None:
        """Let go of what lies in those rows, if it still is what came at those places."""
        self.evicted += sum(self._let_go(*one) is not None for one in those)

    def drop_oldest(self, until: int, most: int) -> list[bool]:
        """Drop at most so many of those that came at a place before `until`. Returns of each whether it was more than a
        husk."""
        with self.txn.cursor(db=self.tables.order) as cursor:
            oldest = [(bytes(row), value_of(place)) for place, row in islice(cursor, most) if value_of(place) < until]
        return [record is not None and not record.is_husk for record in [self._let_go(*one) for one in oldest]]

    def _let_go(self, row: bytes, place: int) -> Record | None:
        """Drop what came at that place, and have the others hear of it. Returns it."""
        data = self.txn.get(row, db=self.tables.records)
        record = None if data is None else whole(data)
        if record is None or record.place != place:  # damaged: the row goes by itself, or with what comes in its place
            self.txn.delete(number(place), db=self.tables.order)
            return None
        key, kin = _key_of(record), sum(1 for _ in self.tables.of_key(self.txn, row[:PLACE]))
        self._drop(row, record, alone=kin == 1)
        if key is not None:
            self.log(Changed(key))
        return record

    def _kin(self, key: str) -> dict[bytes, Record]:
        """What is kept under the key. What is damaged goes."""
        found = {row: whole(data) for row, data in self.tables.of_key(self.txn, place_of_key(key))}
        for row in [row for row, record in found.items() if record is None]:
            self.txn.delete(row, db=self.tables.records)
        return {row: record for row, record in found.items() if record is not None}

    def _insert(self, row: bytes, record: Record) -> bool:
        if record.weight > self._room.limit or record.file == b"":  # it was too large for a file to be made
            return False
        self.make_room(record.weight)
        txn, tables, totals = self.txn, self.tables, self.totals
        alone = not any(True for _ in tables.of_key(txn, row[:PLACE]))
        txn.put(row, record.packed(), db=tables.records)
        txn.put(number(record.place), row, append=True, db=tables.order)
        for name in names_in(record.names):
            txn.put(name, row, db=tables.names)
        if record.file is not None:
            txn.put(record.file, row, db=tables.files)
        self._used[record.place % len(self._used)] = 0
        totals.place += 1
        totals.size += record.weight
        totals.keys += alone
        if record.is_husk:
            totals.husks += 1
        elif record.under < totals.purge:  # a purge came while it was being fetched
            totals.late = min(totals.late, record.under)
        return True

    def _drop(self, row: bytes, record: Record, *, alone: bool, with_file: bool = True) -> None:
        """`alone`: there are no other variants under its key."""
        txn, tables, file = self.txn, self.tables, record.file
        for name in names_in(record.names):
            txn.delete(name, row, db=tables.names)
        if file is not None:
            txn.delete(file, db=tables.files)
            if with_file:
                self.dropped.append(file)
        txn.delete(number(record.place), db=tables.order)
        txn.delete(row, db=tables.records)
        self.totals.size -= record.weight
        self.totals.keys -= alone
        self.totals.husks -= record.is_husk

    # What the others hear of

    def log(self, change: Change) -> None:
        row = changes.packed(change, self.origin)
        self.totals.change += 1
        self.totals.changes_size += len(row)
        self.txn.put(number(self.totals.change), row, append=True, db=self.tables.changes)

    def _trim(self) -> None:
        totals = self.totals
        while (
            totals.change - totals.first_change >= changes.MOST_CHANGES + changes.TRIMMED
            or totals.changes_size > changes.MOST_BYTES
        ):
            row = self.txn.pop(number(totals.first_change), db=self.tables.changes)
            totals.changes_size -= 0 if row is None else len(row)
            totals.first_change += 1


class _Keyed(msgspec.Struct, array_like=True):
    """The beginning of an encoded response."""

    key: str


_decode_key = msgspec.msgpack.Decoder(_Keyed).decode


def _key_of(record: Record) -> str | None:
    """The key alone, for a tenth of what it costs to decode the rest."""
    try:
        return _decode_key(memoryview(record.meta)[1:]).key
    except (msgspec.DecodeError, ValueError):
        return None
