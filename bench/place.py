"""The folder that everything happens in, gone at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 6 * 2**30  # nginx's cache, and some logs


@contextmanager
def folder() -> Iterator[Path]:
    """In memory where there is room for it: no proxy should wait for a disk."""
    path = Path(tempfile.mkdtemp(prefix="swerve-bench-", dir=MEMORY if _roomy() else None))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _roomy() -> bool:
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM
