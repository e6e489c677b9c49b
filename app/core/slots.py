"""What clients' unsafe requests have spoiled, in a place that does not grow: slots, which URLs share, and groups.

Anybody can send a POST to as many URLs as they like, and may get answers that name as many groups (RFC 9875 §3). So
none gets a row of its own: its name leads to two slots, and both take the number of the purge (a Bloom filter with
numbers for bits). What is spoiled has a number at least as high in both, whatever came after it: nothing is ever
forgotten. Who shares both with others that were spoiled since is validated once in vain: 3 % of what is stored by
requests to 50,000 other URLs, a fifth by 150,000; as much for each of its tags by groups.

Groups have slots of their own, behind those of URLs. For while something is being fetched its groups are not known, and
any that is spoiled may be one of them: the last of them all has to be told from the last of the URLs.

The hash is the same in each process and on each machine, for they share the slots. To look for URLs that share slots
with another's buys nothing: each request costs that one a validation at most, and the origin the request itself.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from hashlib import blake2b

# Of each half.
SLOTS = 2**19
# A slot, in memory as in stores: the number of the purge (0: none yet) and the HTTP time at which it was made.
_SLOT = struct.Struct("<Qd")
SLOT_SIZE, NUMBER_SIZE = _SLOT.size, 8
# Of both halves, in bytes.
WHOLE = 2 * SLOTS * SLOT_SIZE

_TWO = struct.Struct("<II")
# A row of slots: what is made, and compared, at a time.
_ROW = 1_024
_NONE = (0, 0.0)


class Half(IntEnum):
    """By the kind of what is spoiled."""

    URLS = 0
    GROUPS = 1


def slots_of(name: str, half: Half) -> tuple[int, int]:
    one, other = _TWO.unpack(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=_TWO.size).digest())
    first = half * SLOTS
    return first + one % SLOTS, first + other % SLOTS


def packed_slot(number: int, at: float) -> bytes:
    return _SLOT.pack(number, at)


class Slots:
    """Twice SLOTS of them, 8 MiB for each half once many are taken. `last`: the highest number in any of a half."""

    def __init__(self) -> None:
        self.last = [0 for _ in Half]
        self._rows: dict[int, bytearray] = {}

    def last_of(self, slots: tuple[int, ...], under: int) -> tuple[int, float] | None:
        """The number of the last purge after that number which all of these slots may have taken, and when it was
        made."""
        last = None
        for slot in slots:
            read = self._read(slot)
            if read[0] <= under:
                return None
            last = read if last is None else min(last, read)
        return last

    def record(self, slots: tuple[int, ...], number: int, at: float) -> None:
        """An old number changes nothing that is newer."""
        for slot in slots:
            if number > self._read(slot)[0]:
                row, place = divmod(slot * SLOT_SIZE, _ROW)
                _SLOT.pack_into(self._rows.setdefault(row, bytearray(_ROW)), place, number, at)
            self._count(slot, number)

    def merge(self, data: bytes | memoryview, first: int = 0) -> None:
        """Record what others hold in slots from that one on. Most is the same, or empty: that is passed over."""
        for start in range(0, len(data), _ROW):
            chunk, ours = bytes(data[start : start + _ROW]), first * SLOT_SIZE + start
            row, place = divmod(ours, _ROW)
            if chunk == self._rows.get(row, b"")[place : place + len(chunk)] or not chunk.strip(b"\0"):
                continue
            slot = ours // SLOT_SIZE
            if row not in self._rows and len(chunk) == _ROW and place == 0:  # whole rows take a tenth of the time
                self._rows[row] = bytearray(chunk)
                self._count(slot, max(number for number, _ in _SLOT.iter_unpack(chunk)))
                continue
            for one, (number, at) in enumerate(_SLOT.iter_unpack(chunk), slot):
                if number:
                    self.record((one,), number, at)

    def _count(self, slot: int, number: int) -> None:
        half = slot // SLOTS
        self.last[half] = max(self.last[half], number)

    def _read(self, slot: int) -> tuple[int, float]:
        row, place = divmod(slot * SLOT_SIZE, _ROW)
        if row not in self._rows:
            return _NONE
        number, at = _SLOT.unpack_from(self._rows[row], place)
        return number, at
