"""A few words of memory that all processes share: a file of the store's folder, mapped.

- `pulse`: the number of the last change. Whoever commits a change stores its number here afterwards; the others compare
  the word with the one that they saw last, for a tenth of a microsecond.
- `floor`: a purge that could not be written (the disk is full) counts everything as purged that was fetched under an
  older number.
- `used`: one byte for each place in the order of coming, by the place modulo their number; set by whoever uses the
  response that is kept there. Two responses that share one cost each other's eviction a little, nothing else.

Why no change goes unnoticed, though the word may be set back by a late writer: each number is stored at most once, by
the process that committed it, so that the word never takes a value again that it had before. A reader remembers the
word *before* it reads the changes. Be n a change, committed before its number is stored. If that happens before the
reader looks at the word, the reader's snapshot, taken later still, has n in it. If it happens after that, the word then
differs for good from what the reader remembers, whoever stores what after it, and the reader looks again. A process
that dies between the two has nobody told: for that the others also look at the changes now and then (upkeep.py). Nobody
else may store such a number on its behalf, or the word could come back to an old value.
"""

from __future__ import annotations

import errno
import mmap
import os
import time
from pathlib import Path

_WORDS = 512  # bytes; the words have a page's beginning to themselves
_PULSE, _FLOOR = 0, 1
# What no change has for its number.
_NO_CHANGE = 2**63
LEAST_USED, MOST_USED = 2**16, 2**24
# A response that is smaller than this is rare: there are bytes enough for all that may be kept at a time.
_SMALLEST = 1_024


class Words:
    """Raises OSError where there is no room for them."""

    def __init__(self, path: Path, max_size: int) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            if os.fstat(descriptor).st_size == 0:
                reserve(descriptor, 0, self.size_for(max_size))  # a mapped page without room would end the process
            self._map = mmap.mmap(descriptor, 0)  # others may have made it of another size
        finally:
            os.close(descriptor)
        view = memoryview(self._map)
        self.pulse = view[:_WORDS].cast("Q")
        self.used = view[_WORDS:]
        self.slots = len(self.used)

    @staticmethod
    def size_for(max_size: int) -> int:
        """Bytes of the file, for a store of that size."""
        return _WORDS + _bytes_for(max_size)

    @property
    def floor(self) -> int:
        return self.pulse[_FLOOR]

    def tell(self, change: int) -> None:
        """A change with that number has been committed, by us."""
        self.pulse[_PULSE] = change

    def raise_floor(self, number: int) -> None:
        """All that was fetched under an older number counts as purged, and everybody shall hear of it at once."""
        self.pulse[_FLOOR] = max(self.floor, number)
        self.pulse[_PULSE] = _NO_CHANGE | time.monotonic_ns()

    def begin(self, change: int) -> None:
        """The first process sets the word to what is committed: a machine that went down may have gone back in time."""
        self.pulse[_PULSE], self.pulse[_FLOOR] = change, 0


def floor_in(path: Path) -> int:
    """The floor that those have left who used the words before; 0 where there are none."""
    try:
        with path.open("rb") as file:
            left = file.read(_WORDS)
    except FileNotFoundError:
        return 0
    return memoryview(left).cast("Q")[_FLOOR] if len(left) == _WORDS else 0


def _bytes_for(max_size: int) -> int:
    slots = LEAST_USED
    while slots < MOST_USED and slots * _SMALLEST < max_size:
        slots *= 2
    return slots


def reserve(descriptor: int, start: int, size: int) -> None:
    """Have so much room on the disk, from the end of the file on, which is at `start`. Raises OSError."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, start, size)
    elif os.pwrite(descriptor, bytes(size), start) < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
