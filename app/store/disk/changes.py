"""The log of changes, by which processes hear of each other: numbered rows, each written together with its change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from app.core.purging import Purge
from app.store import codec
from app.store.disk.layout import number, value_of

# Who falls further behind forgets all that it holds. Keys can be long: it is bounded in bytes as well.
MOST_CHANGES = 20_000
MOST_BYTES = 16 * 2**20
# How many are dropped at a time.
TRIMMED = 64

ORIGIN = 8


@dataclass(frozen=True, slots=True)
class Changed:
    """What is kept under the key has changed."""

    key: str


class Marked(NamedTuple):
    """Somebody says whether the key's responses can be shared."""

    key: str
    cacheable: bool


@dataclass(frozen=True, slots=True)
class Purged:
    number: int
    purge: Purge


Change = Changed | Marked | Purged


def packed(change: Change, origin: bytes) -> bytes:
    """`origin`: by which a process knows its own."""
    match change:
        case Changed(key):
            return b"c" + origin + key.encode("utf-8", "surrogatepass")
        case Marked(key, cacheable):
            return (b"y" if cacheable else b"n") + origin + key.encode("utf-8", "surrogatepass")
        case Purged(at, purge):
            return b"p" + origin + number(at) + codec.encode_purge(purge)


def parsed(row: bytes | memoryview) -> tuple[Change | None, bytes]:
    """The change, if it can be read, and its origin."""
    kind, origin, rest = bytes(row[:1]), bytes(row[1 : 1 + ORIGIN]), bytes(row[1 + ORIGIN :])
    if kind == b"p":
        purge = codec.decode_purge(rest[8:])
        return None if purge is None else Purged(value_of(rest[:8]), purge), origin
    key = rest.decode("utf-8", "surrogatepass")
    return Changed(key) if kind == b"c" else Marked(key, kind == b"y"), origin
