"""A real file system of a few MiB, in a namespace of its own: who has made that may mount, root or not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.store.base import turn
from app.store.disk.store import DiskStore

MISSING = (
    "no small file system can be mounted (unshare -rm, mount -t tmpfs): nothing tells how a store bears a full disk"
)


@contextmanager
def small_disk(mounted: Path, size: int) -> Iterator[Path]:
    """An empty folder on it, for all processes of ours until the block ends: they reach it through /proc. What cannot
    be mounted fails where CI is set and skips elsewhere, with the reason in pytest's summary."""
    mounted.mkdir()
    script = 'mount -t tmpfs -o "size=$1,mode=0700" tmpfs "$2" && echo mounted && exec cat'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(size), str(mounted)]
    try:
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    except FileNotFoundError:
        _missing()
    with holder:  # it ends with its input
        assert holder.stdout is not None
        if not holder.stdout.readline():
            _missing()
        yield Path(f"/proc/{holder.pid}/root{mounted}")


async def look_for_room(store: DiskStore) -> None:
    """As its timer has it look."""
    store._tidy()
    while len(store._tasks):
        await turn()


def _missing() -> None:
    if os.environ.get("CI"):
        pytest.fail(MISSING)
    pytest.skip(MISSING)
