"""The environment and its tables: what an open LMDB file is to us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import lmdb

from app.store.disk.layout import NAMES, PLACE, TABLES, Totals

# An LMDB file cannot grow over its map, which takes nothing before it is used. This much is enough, unless pages are
# scattered badly: then the map is made larger.
MAP_FACTOR, MAP_EXTRA = 2, 512 * 2**20
MOST_READERS = 512

Reading: TypeAlias = "lmdb.Transaction[memoryview]"


class SnapshotGoneError(Exception):
    """What was being read cannot be read to its end: it may be begun anew."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Handles, by what they keep.

    `facts`: the format, the totals. `records`: by row. `order`: rows by place. `names`: rows by digest of a name.
    `changes`: by number. `purges`: by number; `purged`: the number by digest of mode and selector. `slots`:
    what has no row in `purges`, by block. `leases`: by place
    of key. `files`: rows by name of file.
    """

    env: lmdb.Environment
    facts: Any
    records: Any
    order: Any
    names: Any
    changes: Any
    purges: Any
    purged: Any
    slots: Any
    leases: Any
    files: Any
    snapshots: set[Reading] = field(init=False, default_factory=set)

    def begin(self, *, write: bool = False) -> Reading:
        """A transaction; also after another process has made the map larger. Raises lmdb.Error."""
        try:
            return self.env.begin(write=write, buffers=True)
        except lmdb.MapResizedError:
            self._map(0)
            return self.env.begin(write=write, buffers=True)

    @contextmanager
    def snapshot(self) -> Iterator[Reading]:
        """A transaction to read in while others get their turn in between. Raises SnapshotGoneError where the map was
        made larger meanwhile, and lmdb.Error."""
        txn = self.begin()
        self.snapshots.add(txn)
        try:
            yield txn
        except lmdb.Error:
            if txn in self.snapshots:
                raise
            raise SnapshotGoneError from None
        finally:
            if txn in self.snapshots:
                self.snapshots.remove(txn)
                txn.abort()

    def grow(self, size: int) -> None:
        """Make the map larger. Not within a transaction."""
        self._map(int(self.env.info()["map_size"]) + size)

    def _map(self, size: int) -> None:
        """Map the file anew: what a transaction still read of it would not be there any more."""
        while self.snapshots:
            self.snapshots.pop().abort()
        self.env.set_mapsize(size)

    def totals(self, txn: Reading) -> Totals:
        return Totals.parsed(txn.get(Totals.ROW, db=self.facts))

    def of_key(self, txn: Reading, place: bytes) -> Iterator[tuple[bytes, memoryview]]:
        """The rows of all variants under a key."""
        with txn.cursor(db=self.records) as cursor:
            there = cursor.set_range(place)
            while there and (row := bytes(cursor.key()))[:PLACE] == place:
                yield row, cursor.value()
                there = cursor.next()


def open_tables(path: str, max_size: int) -> Tables:
    """Raises lmdb.Error."""
    env = lmdb.open(
        path, subdir=False, map_size=max_size * MAP_FACTOR + MAP_EXTRA, max_dbs=len(TABLES) + 1, sync=False,
        max_readers=MOST_READERS, mode=0o600, readahead=False,
    )  # fmt: skip
    try:
        tables = {name: env.open_db(name.encode()) for name in TABLES}
        names = env.open_db(NAMES.encode(), dupsort=True, dupfixed=True)
        return Tables(env, names=names, **tables)
    except BaseException:
        env.close()
        raise
