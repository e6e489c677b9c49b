"""One write transaction: what is done to the tables, with the totals kept right. All of it happens, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app.core.decisions import StoredResponse
from app.store.base import MAX_VARIANTS
from app.store.disk import changes
from app.store.disk.changes import Change, Changed
from app.store.disk.layout import (
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
from app.store.disk.tables import Reading, Tables

# How far the hand goes to make room for one response, past what was used: a bound on how long one save takes.
MOST_STEPS = 2_000
# How many may be evicted in one transaction to make room for one response: some milliseconds.
EVICTED_AT_A_TIME = 100
# Leases that were never given back are forgotten when there are so many.
MOST_LEASES = 1_000


class Writing:
    """`dropped` are body files that nothing names any more, once this is committed."""

    def __init__(self, tables: Tables, txn: Reading, max_size: int, used: memoryview, origin: bytes) -> None:
        self.totals = tables.totals(txn)
        self.dropped: list[bytes] = []
        self.evicted = 0
        self._change_before = self.totals.change
        self.tables, self.txn, self._max_size, self._used, self._origin = tables, txn, max_size, used, origin

    @property
    def changed(self) -> bool:
        """Whether there is something that others must hear of."""
        return self.totals.change != self._change_before

    def finish(self) -> None:
        """Write what has added up."""
        if self.changed:
            self._trim()
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

    def make_room(self, size: int, most: int | None = None) -> bool:
        """Let go of what was not used, until there is room for `size` bytes more, but at most of so many. Returns
        whether there is.

        SIEVE (Zhang et al., NSDI 2024): a hand goes from the oldest to the newest and around again. What was used since
        it last came by stays where it is, and must be used again to stay once more. So a hit writes nothing but its one
        byte in shared memory, and what came once and was never used goes soon. bench/eviction.py has the numbers.
        """
        totals, steps, until = self.totals, MOST_STEPS, None if most is None else self.evicted + most
        while totals.size and totals.size + size > self._max_size:
            if self.evicted == until:
                return False
            steps, found = self._next_unused(steps)
            if found is None:
                break
            self._evict(*found)
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

    def _evict(self, row: bytes, place: int) -> None:
        data = self.txn.get(row, db=self.tables.records)
        record = None if data is None else whole(data)
        if record is None or record.place != place:  # damaged: the row goes by itself, or with what comes in its place
            self.txn.delete(number(place), db=self.tables.order)
            return
        key, kin = _key_of(record), sum(1 for _ in self.tables.of_key(self.txn, row[:PLACE]))
        self._drop(row, record, alone=kin == 1)
        self.evicted += 1
        if key is not None:
            self.log(Changed(key))

    def _kin(self, key: str) -> dict[bytes, Record]:
        """What is kept under the key. What is damaged goes."""
        found = {row: whole(data) for row, data in self.tables.of_key(self.txn, place_of_key(key))}
        for row in [row for row, record in found.items() if record is None]:
            self.txn.delete(row, db=self.tables.records)
        return {row: record for row, record in found.items() if record is not None}

    def _insert(self, row: bytes, record: Record) -> bool:
        if record.weight > self._max_size:
            return False
        self.make_room(record.weight, EVICTED_AT_A_TIME)  # which is too few only where the store was larger before
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

    # What the others hear of

    def log(self, change: Change) -> None:
        row = changes.packed(change, self._origin)
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

    # Who refreshes

    def lease(self, key: str, now: int, until: int) -> bool:
        """Whether nobody else has the lease, in nanoseconds of the machine's monotonic clock; now we have."""
        place = place_of_key(key)
        if int(self.txn.stat(self.tables.leases)["entries"]) >= MOST_LEASES:
            self._forget_leases(now)
        held = self.txn.get(place, db=self.tables.leases)
        if held is not None and value_of(held[:8]) > now and held[8:] != self._origin:
            return False
        self.txn.put(place, number(until) + self._origin, db=self.tables.leases)
        return True

    def release(self, key: str) -> None:
        place = place_of_key(key)
        held = self.txn.get(place, db=self.tables.leases)
        if held is not None and held[8:] == self._origin:
            self.txn.delete(place, db=self.tables.leases)

    def _forget_leases(self, now: int) -> None:
        """Those that have run out."""
        with self.txn.cursor(db=self.tables.leases) as cursor:
            there = cursor.first()
            while there:
                there = cursor.delete() if value_of(cursor.value()[:8]) <= now else cursor.next()


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
