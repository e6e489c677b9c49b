"""Large bodies: a file each, beside LMDB's. Who has opened one reads it to its end, whoever drops it meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
from collections.abc import AsyncIterator, Collection, Iterable
from pathlib import Path

from app.store.disk.layout import FILE

PIECE = 256 * 2**10
# Read at once if it is in memory already; a file system that cannot tell (tmpfs) is memory.
_AT_ONCE = getattr(os, "RWF_NOWAIT", 0)


class FileBody:
    """An open body file, closed when nobody holds it any more."""

    __slots__ = ("_descriptor", "size")

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self.size = size

    def __del__(self) -> None:
        os.close(self._descriptor)

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        while start < stop:
            size = min(PIECE, stop - start)
            piece = self.at_once(start, size)
            if piece is None:
                piece = await asyncio.get_running_loop().run_in_executor(None, self.read, start, size)
            yield piece
            start += len(piece)

    def at_once(self, start: int, size: int) -> bytes | None:
        """That piece, if it needs not be waited for."""
        buffer = bytearray(size)
        try:
            count = os.preadv(self._descriptor, [buffer], start, _AT_ONCE)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            return self.read(start, size)
        return bytes(buffer) if count == size else None

    def read(self, start: int, size: int) -> bytes:
        """That piece, however long it takes. Raises OSError."""
        piece = os.pread(self._descriptor, size, start)
        while len(piece) < size:
            more = os.pread(self._descriptor, size - len(piece), start + len(piece))
            if not more:
                raise OSError(errno.EIO, "a body is shorter than it was")
            piece += more
        return piece


class Bodies:
    """The folder of body files. Each has a name that nobody can have guessed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        for number in range(256):
            (self.folder / f"{number:02x}").mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, name: bytes) -> Path:
        text = name.hex()
        return self.folder / text[:2] / text[2:]

    def write(self, body: bytes) -> bytes:
        """Write a body. Returns its name. Raises OSError, and leaves nothing then."""
        name = secrets.token_bytes(FILE)
        path = self.path(name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            view = memoryview(body)
            while view:
                view = view[os.write(descriptor, view) :]
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        return name

    def room(self) -> int:
        """How many bytes the disk has for more of them. Raises OSError."""
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize

    def open(self, name: bytes, size: int) -> FileBody | None:
        """None: it is gone, or not what was written."""
        try:
            descriptor = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        body = FileBody(descriptor, size)
        return body if os.fstat(descriptor).st_size == size else None

    def drop(self, names: Iterable[bytes]) -> None:
        for name in names:
            with contextlib.suppress(OSError):
                self.path(name).unlink()

    def sweep(self, known: Collection[bytes]) -> None:
        """Drop the files that no record names: those of processes that ended before they had told of them. Only for who
        is alone."""
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(ValueError, OSError):
                if bytes.fromhex(path.parent.name + path.name) not in known:
                    path.unlink()
