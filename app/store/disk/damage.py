"""Whether a file is what LMDB has written: seen before LMDB maps it, for what is cut off would end the process."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from lmdb import verify

# LMDB 0.9 on 64 bits (mdb.c: MDB_page, MDB_meta): a page's header, then magic, version, address, map size; two trees
# of 48 bytes, of which the first begins with the page size; the last page, the number of the transaction.
_HEADER = 16
_META = struct.Struct("=II8xQI44x48xQQ")
_MAGIC = 0xBEEFC0DE


def damage_of(path: Path, *, thoroughly: bool = False) -> str | None:
    """What is wrong, in words. `thoroughly`: look at every page, which takes some seconds for a GiB. Raises OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        first = _meta(file.read(_HEADER + _META.size))
        if first is None:
            return "it is no LMDB file"
        page = first[3]
        file.seek(page)
        second = _meta(file.read(_HEADER + _META.size))
    if second is None or second[3] != page:
        return "its head is damaged"
    last_page = max(first, second, key=lambda meta: meta[5])[4]
    if (last_page + 1) * page > size:
        return f"it is cut off after {size} bytes"
    return _pages(path) if thoroughly else None


def _meta(data: bytes) -> tuple[int, ...] | None:
    if len(data) < _HEADER + _META.size:
        return None
    meta = _META.unpack_from(data, _HEADER)
    return meta if meta[0] == _MAGIC and 512 <= meta[3] <= 65_536 else None


def _pages(path: Path) -> str | None:
    try:
        problems: list[str] = verify.verify(str(path), subdir=False)  # type: ignore[no-untyped-call]
    except (verify.VerifyError, OSError) as error:
        problems = [str(error)]
    return f"the machine went down under it, and pages are damaged ({problems[0]})" if problems else None
