"""Reading: the variants of a key, and slices of all that is kept."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from app.core.decisions import StoredResponse
from app.core.purge_log import Numbered, PurgeLog
from app.core.purging import Selector
from app.store import codec
from app.store.disk.bodies import Bodies, FileBody
from app.store.disk.layout import FILE, glance, listed_under, parsed, place_of_key, whole
from app.store.disk.tables import Reading, Tables
from app.store.disk.tier import Held

# How many records are looked at under one snapshot: some milliseconds.
SLICE = 250
# How many files are looked at, to find some that can be spared: some milliseconds.
MOST_FILES = 2_000
# A body file that is gone when its record has just been read was dropped in between: what is there now?
TRIES = 4


class Listed(NamedTuple):
    """A response without its body, and where it lies."""

    row: bytes
    place: int
    stored: StoredResponse


def variants_of(key: str, tables: Tables, bodies: Bodies, slots: int) -> Held:
    """What is kept under the key. Bodies that are files come open. Raises lmdb.Error, OSError."""
    for _ in range(TRIES):
        with tables.begin() as txn:
            found = list(_found(key, txn, tables, bodies))
        there = [(place, stored) for place, stored in found if stored is not None]
        if len(there) == len(found):
            break
    variants = tuple([stored for _, stored in there])
    return Held(variants, tuple([place % slots for place, _ in there]))


def places_of(key: str, tables: Tables) -> list[int]:
    """Where the key's variants are in the order of coming. Raises lmdb.Error."""
    with tables.begin() as txn:
        records = [parsed(data) for _, data in tables.of_key(txn, place_of_key(key))]
        return [record.place for record in records if record is not None]


def _found(key: str, txn: Reading, tables: Tables, bodies: Bodies) -> Iterator[tuple[int, StoredResponse | None]]:
    """The oldest first; None for one whose file is gone."""
    records = [whole(data) for _, data in tables.of_key(txn, place_of_key(key))]
    for record in sorted(filter(None, records), key=lambda record: record.place):
        stored = codec.decode(record.meta, bytes(record.body))
        if stored is not None and stored.key == key:
            yield record.place, _with_file(stored, bodies) if record.in_file else stored


def _with_file(stored: StoredResponse, bodies: Bodies) -> StoredResponse | None:
    body = bodies.open(stored.body, stored.size)
    return None if body is None else replace(stored, body=body)


def read_files(held: Held, most: int, *, wait: bool) -> Held | None:
    """With the files of at most that size read; None if that needs waiting, and we do not `wait`. Raises OSError."""
    variants = list(held.variants)
    for index, one in enumerate(variants):
        if isinstance(one.body, FileBody) and one.size <= most:
            body = one.body.read(0, one.size) if wait else one.body.at_once(0, one.size)
            if body is None:
                return None
            variants[index] = replace(one, body=body)
    return Held(tuple(variants), held.slots)


def files_to_spare(size: int, txn: Reading, tables: Tables, used: memoryview) -> Sequence[tuple[bytes, int]]:
    """Rows and places of responses whose bodies are files and which take so many bytes at least: those that were not
    used since they were last passed over, then the others. None where all of them take less."""
    spared, passed = list[tuple[bytes, int]](), list[tuple[bytes, int, int]]()
    for row, place, weight in _some_files(txn, tables):
        if used[slot := place % len(used)]:
            used[slot] = 0
            passed.append((row, place, weight))
            continue
        spared.append((row, place))
        if (size := size - weight) <= 0:
            return spared
    for row, place, weight in passed:
        spared.append((row, place))
        if (size := size - weight) <= 0:
            return spared
    return ()


def _some_files(txn: Reading, tables: Tables) -> Iterator[tuple[bytes, int, int]]:
    """Row, place and weight: files have names by chance, so that those behind any name are as good as others."""
    with txn.cursor(db=tables.files) as cursor:
        there = cursor.set_range(secrets.token_bytes(FILE)) or cursor.first()
        for _ in range(min(MOST_FILES, int(txn.stat(tables.files)["entries"]))):
            if not there:
                return
            row = bytes(cursor.value())
            data = txn.get(row, db=tables.records)
            if data is not None and (record := parsed(data)) is not None:
                yield row, record.place, record.weight
            there = cursor.next() or cursor.first()


def slice_after(
    last: bytes, tables: Tables, log: PurgeLog, selector: Selector | None = None, before: int | None = None
) -> tuple[list[Listed], bytes | None]:
    """Responses that the selector names and that were fetched `before` that purge, as the log has them marked, in the
    order of their rows, from behind the last one on; and the last row that was looked at, None at the end. Raises
    lmdb.Error."""
    name = None if selector is None else listed_under(selector)
    with tables.begin() as txn:
        looked_at = _all_after(last, txn, tables) if name is None else _named_after(last, name, txn, tables)
        listed = [_listed(row, data, log, selector, before) for row, data in looked_at if data is not None]
    return [one for one in listed if one is not None], looked_at[-1][0] if len(looked_at) == SLICE else None


def number_named(selector: Selector, txn: Reading, tables: Tables) -> int:
    """How many responses are listed under what the selector names."""
    name = listed_under(selector)
    if name is None:
        return int(txn.stat(tables.records)["entries"]) - tables.totals(txn).husks
    with txn.cursor(db=tables.names) as cursor:
        return cursor.count() if cursor.set_key(name) else 0


def rows_deleted(deletion: Numbered, selector: Selector, txn: Reading, tables: Tables) -> Iterator[bytes | None]:
    """The rows that a purge has deleted, by what is listed under its name; None for one that the selector does not
    name, or that was fetched later."""
    deleted, named = listed_under(deletion.purge.selector), listed_under(selector)
    assert deleted is not None
    with txn.cursor(db=tables.names) as theirs, txn.cursor(db=tables.names) as ours:
        there = theirs.set_key(deleted)
        while there:
            row = bytes(theirs.value())
            data = txn.get(row, db=tables.records) if named is None or ours.set_key_dup(named, row) else None
            seen = None if data is None else glance(data)
            yield row if seen is not None and seen[1] < deletion.number else None
            there = theirs.next_dup()


def _all_after(last: bytes, txn: Reading, tables: Tables) -> list[tuple[bytes, memoryview | None]]:
    with txn.cursor(db=tables.records) as cursor:
        there = cursor.set_range(last + b"\0")
        found = list[tuple[bytes, memoryview | None]]()
        while there and len(found) < SLICE:
            found.append((bytes(cursor.key()), cursor.value()))
            there = cursor.next()
    return found


def _named_after(last: bytes, name: bytes, txn: Reading, tables: Tables) -> list[tuple[bytes, memoryview | None]]:
    rows = list[bytes]()
    with txn.cursor(db=tables.names) as cursor:
        there = cursor.set_range_dup(name, last) if last else cursor.set_key(name)
        if there and last and bytes(cursor.value()) == last:
            there = cursor.next_dup()
        while there and len(rows) < SLICE:
            rows.append(bytes(cursor.value()))
            there = cursor.next_dup()
    return [(row, txn.get(row, db=tables.records)) for row in rows]


def _listed(
    row: bytes, data: memoryview, log: PurgeLog, selector: Selector | None, before: int | None
) -> Listed | None:
    seen = glance(data)
    if seen is None:
        return None
    place, under, meta = seen
    if before is not None and under >= before:
        return None
    one = codec.glance(meta)
    if one is None or not one.head or not (selector is None or selector.selects(one.key, one.tags)):
        return None
    purge = log.strongest(one.key, one.tags, under) if under < log.number else None
    stored = codec.response(one, purge=purge)
    return None if stored is None else Listed(row, place, stored)
