"""Whole lines from several processes to one stream: who writes holds a lock that all of them share.

A pipe takes 4 KiB at a time as one (PIPE_BUF), and a log line may be longer; what does not fit at once would be torn.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase, TextIOWrapper
from typing import BinaryIO, TextIO, cast


@contextmanager
def lock_file() -> Iterator[int]:
    """A file of nobody else's to be locked, open for this process and those that it gives it to. On Linux it needs no
    folder that can be written."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("swerve-log")
    else:
        descriptor = os.dup(tempfile.TemporaryFile().fileno())  # noqa: SIM115 - the copy is closed below
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def locked(lock: int) -> Iterator[None]:
    """Alone with a file, by a lock that ends with its process, whatever that ends by."""
    import fcntl  # noqa: PLC0415 - not there on Windows, which has no workers

    fcntl.lockf(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.lockf(lock, fcntl.LOCK_UN)


class _Shared(RawIOBase):
    """A file descriptor that is written to by several; each write is one piece of what comes out."""

    def __init__(self, descriptor: int, lock: int) -> None:
        super().__init__()
        self._descriptor, self._lock = descriptor, lock

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: bytes) -> int:  # type: ignore[override]  # bytes are all that a TextIOWrapper writes
        rest = memoryview(data)
        with locked(self._lock):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        return len(data)


def shared(stream: TextIO, lock: int) -> TextIO:
    """The same stream for text that is written by whole lines; `lock` is a file that all who write have open."""
    return TextIOWrapper(
        cast(BinaryIO, _Shared(stream.fileno(), lock)),
        stream.encoding,
        "backslashreplace",
        line_buffering=stream.isatty(),
    )
