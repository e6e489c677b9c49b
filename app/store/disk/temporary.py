"""A folder for a store that several processes share and that nobody needs afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.config_error import ConfigError
from app.store.disk.words import Words

SHARED_MEMORY = Path("/dev/shm")
PREFIX = "swerve-store-"
# What LMDB's scattered pages, the changes that are told of and the words take beside the responses.
BESIDE, FACTOR = 32 * 2**20, 1.25


@contextmanager
def temporary_folder(max_size: int, memory: Path = SHARED_MEMORY) -> Iterator[tuple[Path, str | None]]:
    """A folder, gone when the block ends; and what to tell the operator about it, if anything. Those whose owners were
    killed are removed first.

    In shared memory where there is room for a store of that size (a container has 64 MiB there unless it is given
    more), else among the temporary files. Raises ConfigError where there is neither, OSError.
    """
    roomy, elsewhere = is_roomy(memory, max_size), _temporary_files()
    for place in filter(None, (memory, elsewhere)):
        _remove_abandoned(place)
    if not roomy and elsewhere is None:
        fix = "give it more (Docker: --shm-size), name a folder with --store, or lower --max-size"
        raise ConfigError(
            f"workers share what is stored: {memory} has too little room for {max_size // 2**20} MiB, and no folder "
            f"for temporary files can be written; {fix}"
        )
    made = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=memory if roomy else elsewhere))
    held = _locked(made)
    folder = made.rename(made.with_name(made.name[1:]))  # only now may others look whether it is held
    note = None if roomy else f"{memory} has too little room for {max_size // 2**20} MiB: what is stored is in {folder}"
    try:
        yield folder, note
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def _temporary_files() -> Path | None:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:  # a container with a read-only root has none
        return None


def _remove_abandoned(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        held = _locked(folder)
        if held is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _locked(folder: Path) -> int | None:
    """A descriptor of a folder of ours, with a lock on it that ends with this process however that ends; None where
    another has it, or it is gone, or somebody else's."""
    import fcntl  # noqa: PLC0415 - not there on Windows, where nothing is shared

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_uid != os.getuid():
            raise PermissionError
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def is_roomy(memory: Path, max_size: int) -> bool:
    try:
        there = os.statvfs(memory)
    except OSError:
        return False
    needed = max_size * FACTOR + Words.size_for(max_size) + BESIDE
    return os.access(memory, os.W_OK) and there.f_bavail * there.f_frsize >= needed
