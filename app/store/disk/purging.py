"""The log of purges on disk: the same rows and slots as in PurgeLog, so that the two hold and forget alike."""

from __future__ import annotations

from app.core.purge_log import PurgeLog
from app.core.purging import Purge
from app.core.slots import SLOT_SIZE, packed_slot
from app.store import codec
from app.store.disk.changes import Purged
from app.store.disk.layout import IN_BLOCK, block_of, name_digest, number, value_of
from app.store.disk.tables import Reading, Tables
from app.store.disk.writing import Writing

# How many are kept, as in PurgeLog.
LENGTH = 50_000


def load(log: PurgeLog, txn: Reading, tables: Tables) -> None:
    """Record what is on disk."""
    with txn.cursor(db=tables.purges) as cursor:
        for key, row in cursor:
            purge = codec.decode_purge(row)
            if purge is not None:
                log.record(value_of(key), purge)
    with txn.cursor(db=tables.slots) as cursor:
        for key, block in cursor:
            log.merge_slots(block, value_of(key) * IN_BLOCK)
    totals = tables.totals(txn)
    log.raise_floor(totals.floor)
    log.number = max(log.number, totals.purge)


def append(writing: Writing, purge: Purge, log: PurgeLog, length: int = LENGTH) -> int:
    """Append a purge, in place of the last one of its mode and name, or in its slots. `log`: what we have heard of,
    whose number may be ahead. Returns its own number."""
    totals = writing.totals
    totals.purge = max(totals.purge, log.number) + 1
    for slot in purge.slots:
        _take_slot(writing, slot, packed_slot(totals.purge, purge.at))
    if not purge.slots:
        _add_row(writing, purge)
        _forget(writing, length, log.lasting)
    writing.log(Purged(totals.purge, purge))
    return totals.purge


def _take_slot(writing: Writing, slot: int, last: bytes) -> None:
    txn, tables = writing.txn, writing.tables
    row, start = block_of(slot)
    block = bytearray(txn.get(row, db=tables.slots) or bytes(IN_BLOCK * SLOT_SIZE))
    block[start : start + SLOT_SIZE] = last
    txn.put(row, bytes(block), db=tables.slots)


def _add_row(writing: Writing, purge: Purge) -> None:
    txn, tables, totals = writing.txn, writing.tables, writing.totals
    place = name_digest(purge.mode, purge.selector.place)
    if (last := txn.get(place, db=tables.purged)) is not None:
        txn.delete(bytes(last), db=tables.purges)
    txn.put(place, number(totals.purge), db=tables.purged)
    txn.put(number(totals.purge), codec.encode_purge(purge), append=True, db=tables.purges)


def _forget(writing: Writing, length: int, lasting: frozenset[int]) -> None:
    """The oldest fall out of the log and raise its floor. Those stay that are still in force."""
    txn, tables = writing.txn, writing.tables
    excess = int(txn.stat(tables.purges)["entries"]) - length
    with txn.cursor(db=tables.purges) as cursor:
        there = excess > 0 and cursor.first()
        while there and excess > 0:
            at, purge = value_of(cursor.key()), codec.decode_purge(cursor.value())
            if at in lasting:
                there = cursor.next()
                continue
            writing.totals.floor = max(writing.totals.floor, at)
            if purge is not None:
                txn.delete(name_digest(purge.mode, purge.selector.place), db=tables.purged)
            there, excess = cursor.delete(), excess - 1
