"""Room on the disk, had before it is needed: a change copies the pages that it touches, even one that lets others go.

The file is always longer than what LMDB uses of it, by `ahead` at best. Where it cannot be, the disk is full, and what
is left ahead is for the changes that make room. From then on what comes must fit in the place of what goes, whose pages
LMDB uses again two changes later. Its file never becomes smaller.
"""

from __future__ import annotations

import errno
import os

from app.store.disk.health import Health
from app.store.disk.tables import Tables
from app.store.disk.words import reserve

# Which part of the maximum is had ahead, in bytes at least and at most.
PART, LEAST, MOST = 64, 2**18, 2**22
# How many times that, and which part of what is kept at most, has to go where the disk is full: scattered pages are
# of no use, and what is left ahead must last.
GIVEN_UP, PART_GIVEN_UP = 4, 8
# How many may be evicted in one transaction to make room, some milliseconds; and on a full disk, where each of them
# touches some pages more.
EVICTED_AT_A_TIME, EVICTED_WHEN_FULL = 100, 10
# What says that there is no room: none at all, none for us.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
TABLES = "tables"


class Room:
    """`limit`: how many bytes may be kept, less than the maximum while the disk is full. Its methods are for who may
    write."""

    def __init__(self, tables: Tables, file: int, max_size: int, health: Health) -> None:
        self.limit = max_size
        self._env, self._file, self._max_size, self._health = tables.env, file, max_size, health
        self._page_size = int(self._env.stat()["psize"])
        self._ahead = min(max(max_size // PART, LEAST), MOST)
        self._least, self._begun = self._ahead // 2, False
        health.roomy(TABLES)  # as far as is known: it may be another disk than before

    @property
    def is_short(self) -> bool:
        return self.limit < self._max_size

    @property
    def evicted_at_a_time(self) -> int:
        return EVICTED_WHEN_FULL if self.is_short else EVICTED_AT_A_TIME

    def see_to_it(self, size: int) -> None:
        """Before a change, that there is room ahead; `size`: how many bytes are kept."""
        begun, self._begun = self._begun, True
        if not begun and self._left() < self._least and not self.claim():
            self.limit, self._least = size, self._left() // 2  # others, or we before, have given up what had to go
        elif self._left() < self._least and (self.is_short or not self.claim()):
            self._give_up(size)

    def claim(self) -> bool:
        """Have the room ahead, and with it all that was given up. Returns whether there is."""
        missing = self._ahead - self._left()
        if missing > 0:
            try:
                reserve(self._file, os.fstat(self._file).st_size, missing)
            except OSError as error:
                self._health.full(TABLES, error)
                return False
        self.limit, self._least = self._max_size, self._ahead // 2
        self._health.roomy(TABLES)
        return True

    def _give_up(self, size: int) -> None:
        """Each time that what is left ahead has become half of what it was: seldom, and ever less to lose."""
        self._least = self._left() // 2
        self.limit = max(min(self.limit, size) - min(self._ahead * GIVEN_UP, size // PART_GIVEN_UP), 0)

    def _left(self) -> int:
        used = (int(self._env.info()["last_pgno"]) + 1) * self._page_size
        return os.fstat(self._file).st_size - used


def is_full(error: OSError) -> bool:
    return error.errno in FULL
