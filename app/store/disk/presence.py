"""Whether the folder that is open is still the one of that name: it may be deleted under us, and another made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

# Device and inode of a file, by its path.
Presence = Sequence[tuple[Path, tuple[int, int]]]


def presence_of(*files: tuple[Path, int | None]) -> Presence:
    """Of files, by path, that are open with that descriptor, where we have one. Raises OSError."""
    return [(path, _identity(path if descriptor is None else descriptor)) for path, descriptor in files]


def is_current(presence: Presence) -> bool:
    """Whether all of them are what their names stand for. Some microseconds."""
    return all(_stands_for(path, identity) for path, identity in presence)


def _stands_for(path: Path, identity: tuple[int, int]) -> bool:
    try:
        return _identity(path) == identity
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # nobody can tell, so that nobody has another either
        return True


def _identity(file: Path | int) -> tuple[int, int]:
    found = os.stat(file)
    return found.st_dev, found.st_ino
