"""A folder for a store that several processes share and that nobody needs afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.store.disk.words import Words

SHARED_MEMORY = Path("/dev/shm")
# What LMDB's scattered pages, the changes that are told of and the words take beside the responses.
BESIDE, FACTOR = 32 * 2**20, 1.25


@contextmanager
def temporary_folder(max_size: int, memory: Path = SHARED_MEMORY) -> Iterator[tuple[Path, str | None]]:
    """A folder, gone when the block ends; and what to tell the operator about it, if anything.

    In shared memory where there is room for a store of that size (a container has 64 MiB there unless it is given
    more), else among the temporary files. Raises OSError.
    """
    roomy = is_roomy(memory, max_size)
    folder = Path(tempfile.mkdtemp(prefix="swerve-", dir=memory if roomy else None))
    note = None if roomy else f"{memory} has too little room for {max_size // 2**20} MiB: what is stored is in {folder}"
    try:
        yield folder, note
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_roomy(memory: Path, max_size: int) -> bool:
    try:
        there = os.statvfs(memory)
    except OSError:
        return False
    needed = max_size * FACTOR + Words.size_for(max_size) + BESIDE
    return os.access(memory, os.W_OK) and there.f_bavail * there.f_frsize >= needed
