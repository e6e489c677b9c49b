"""The file that a proxy writes a line a request into: emptied before a round, counted after it."""

import os
import time
from pathlib import Path

PATIENCE = 3.0
CHUNK = 2**20


def empty(log: Path | None) -> None:
    """All of them append, so what they write next is at the start again."""
    if log is not None and log.exists():
        os.truncate(log, 0)


def settled_lines(log: Path | None, expected: int) -> int | None:
    """The lines in it, once there are as many as requests or nothing comes any more."""
    if log is None:
        return None
    deadline = time.monotonic() + PATIENCE
    while (lines := _lines(log)) < expected and time.monotonic() < deadline:
        time.sleep(0.1)
    return lines


def _lines(log: Path) -> int:
    with log.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b""))
