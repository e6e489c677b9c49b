"""How stored responses lie in LMDB: tables, keys, records, and the one row of running totals.

Keys of LMDB are short (511 bytes) and cache keys are not, so that rows are found by digests, and what is found says by
its own key whether it is what was asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple
from zlib import crc32

from app.core.decisions import StoredResponse
from app.core.purging import Kind, Selector, paths_of, place_of
from app.core.slots import SLOT_SIZE
from app.store import codec

# To be raised whenever the meaning of anything in these tables changes.
FORMAT = b"swerve 3"

TABLES = ("facts", "records", "order", "changes", "purges", "purged", "slots", "leases", "files")
NAMES = "names"  # the one that has several rows under a key

# A body up to this size lies in its record. Larger ones are files: LMDB would want so many pages in a row for them, and
# whoever is sending one to a slow client would keep it from using any page again.
INLINE = 32 * 2**10

# So many slots of purges lie in a row: less than half a page, for longer ones get pages of their own.
IN_BLOCK = 64

PLACE, VARIANT, NAME, FILE = 16, 8, 8, 8
ROW = PLACE + VARIANT

_FIXED = struct.Struct("<IQQqQIHB")  # checksum, then what Record begins with
_AFTER_CHECKSUM = 4
_PAGE = 4_096
_IN_LEAF = 1_950  # what is larger than half a page gets pages of its own
_AROUND_A_ROW, _AROUND_A_NAME = 180, 90


class Record(NamedTuple):
    """A stored response as it lies there.

    `place` in the order in which they came; `number` and `under` are the response's, to compare without decoding;
    `weight` in bytes, as it counts; `names` are digests by which it is listed; `body` is the body, or the name of its
    file.
    """

    place: int
    number: int
    under: int
    weight: int
    in_file: bool
    names: bytes
    meta: bytes | memoryview
    body: bytes | memoryview

    @property
    def is_husk(self) -> bool:
        """Whether it is what is left of a deleted response: that is listed nowhere."""
        return not self.names

    @property
    def file(self) -> bytes | None:
        return bytes(self.body) if self.in_file else None

    def packed(self) -> bytes:
        rest = b"".join([
            _FIXED.pack(0, *self[:4], len(self.meta), len(self.names) // NAME, self.in_file)[_AFTER_CHECKSUM:],
            self.names, self.meta, self.body,
        ])  # fmt: skip
        return crc32(rest).to_bytes(4, "little") + rest


def parsed(data: memoryview) -> Record | None:
    """A record, as it says itself; None where that cannot be."""
    if len(data) < _FIXED.size:
        return None
    _, place, number, under, weight, length, names, in_file = _FIXED.unpack_from(data)
    meta = _FIXED.size + names * NAME
    body = meta + length
    listed = bytes(data[_FIXED.size : meta])
    return Record(place, number, under, weight, bool(in_file), listed, data[meta:body], data[body:])


def glance(data: memoryview) -> tuple[int, int, memoryview] | None:
    """The place, the purge under which it was fetched, and the encoded response of a record."""
    if len(data) < _FIXED.size:
        return None
    _, place, _, under, _, length, names, _ = _FIXED.unpack_from(data)
    meta = _FIXED.size + names * NAME
    return place, under, data[meta : meta + length]


def whole(data: memoryview) -> Record | None:
    """A record that is as it was written, to the last bit."""
    checksum = int.from_bytes(data[:_AFTER_CHECKSUM], "little")
    return parsed(data) if crc32(data[_AFTER_CHECKSUM:]) == checksum else None


def weighed(record: Record, size: int) -> Record:
    """The record with its weight; `size` is that of its file. What LMDB's pages leave empty counts as well: measured
    with bodies of 0 to 100 KB, also after all were replaced, the disk holds at most 3 % more than the weight."""
    own = _FIXED.size + len(record.names) + len(record.meta) + len(record.body)
    room = own * 9 // 5 if own <= _IN_LEAF else -(-(own + 16) // _PAGE) * _PAGE
    names = len(record.names) // NAME * _AROUND_A_NAME
    return record._replace(weight=_AROUND_A_ROW + room + names + -(-size // _PAGE) * _PAGE)


# A number after those of all purges.
NEVER = 2**64 - 1


@dataclass(slots=True)
class Totals:
    """Running totals: one row, written in every transaction that changes something.

    `change`: the number of the last change; `first_change`: of the first that is still known, `changes_size`: what the
    known ones take. `place`: the next one; `hand`: where eviction goes on. `size` is the sum of all weights, `keys` how
    many are stored, `husks` how many responses are but husks; `purge` the number of the last purge, `floor` that of the
    last one that is not known any more.

    What purges deleted up to `swept` has been swept by the last whole sweep; what came after it had begun was not asked
    for under a number before `late`. `sweeps` counts those that have begun.
    """

    change: int = 0
    first_change: int = 1
    changes_size: int = 0
    place: int = 0
    hand: int = 0
    size: int = 0
    keys: int = 0
    purge: int = 0
    floor: int = 0
    husks: int = 0
    swept: int = 0
    late: int = NEVER
    sweeps: int = 0

    ROW = b"totals"

    def packed(self) -> bytes:
        return _TOTALS.pack(
            self.change, self.first_change, self.changes_size, self.place, self.hand, self.size, self.keys, self.purge,
            self.floor, self.husks, self.swept, self.late, self.sweeps,
        )  # fmt: skip

    @property
    def clean(self) -> int:
        """Nothing is kept that a purge up to that number has deleted, but for husks."""
        return min(self.swept, self.late)

    @classmethod
    def parsed(cls, data: bytes | memoryview | None) -> Totals:
        return cls() if data is None else cls(*_TOTALS.unpack(data))


_TOTALS = struct.Struct("<13Q")


def number(value: int) -> bytes:
    """A number as a key, so that rows lie in their order."""
    return value.to_bytes(8, "big")


def block_of(slot: int) -> tuple[bytes, int]:
    """The row in which a purge's slot lies, and where in it."""
    block, place = divmod(slot, IN_BLOCK)
    return number(block), place * SLOT_SIZE


def value_of(key: bytes | memoryview) -> int:
    return int.from_bytes(key, "big")


def place_of_key(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=PLACE).digest()


def row_of(stored: StoredResponse) -> bytes:
    """Where the variant lies: beside those of the same key."""
    variant = repr(stored.variant).encode("utf-8", "surrogatepass")
    return place_of_key(stored.key) + blake2b(variant, digest_size=VARIANT).digest()


def names_of(stored: StoredResponse) -> bytes:
    """Digests of the names by which purges call it that are worth an index: its paths and its tags."""
    paths = [name_digest("path", path) for path in paths_of(place_of(stored.key)[1])]
    return b"".join(dict.fromkeys([*paths, *[name_digest("tag", tag) for tag in stored.tags]]))


def listed_under(selector: Selector) -> bytes | None:
    """The digest under which everything is listed that the selector names, and perhaps more; None: all must be seen."""
    if selector.kind is Kind.TAG:
        return name_digest("tag", selector.value)
    if selector.kind in (Kind.PATH, Kind.URL):
        return name_digest("path", selector.value.partition("?")[0])
    return None


def name_digest(kind: str, value: str) -> bytes:
    return blake2b(f"{kind} {value}".encode("utf-8", "surrogatepass"), digest_size=NAME).digest()


def record_of(stored: StoredResponse, place: int, body: bytes, *, in_file: bool) -> Record:
    """The record of a response; `body` as it shall lie there."""
    listed = names_of(stored) if stored.head else b""  # a husk is listed nowhere
    meta = codec.encode(stored, body=False)
    record = Record(place, stored.number, stored.fetched_under, 0, in_file, listed, meta, body)
    return weighed(record, stored.size if in_file else 0)


def names_in(names: bytes) -> Sequence[bytes]:
    return [names[start : start + NAME] for start in range(0, len(names), NAME)]
