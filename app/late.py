"""What only the single response knows, put into its head when it leaves (app/core/speech.py)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count
from os import urandom

from app.core.decisions import Verdict
from app.core.fields import format_date
from app.core.messages import Headers
from app.core.speech import LATE_SLOT
from app.identity import Identities

# Of how many stored responses the hits are counted: a forgotten one begins anew.
COUNTED = 100_000
# So many random bytes are taken from the system at a time.
POOL = 8_192
# Crockford's base 32; and for each byte the digit of its last five bits.
_BASE_32 = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS = _BASE_32 * 8

_OF_THE_TIME: dict[bytes, Callable[[float, float], bytes]] = {
    b"s": lambda now, _: b"%d" % now,
    b"u": lambda now, _: b"%06d" % (now % 1 * 1_000_000),
    b"m": lambda now, _: b"%d" % (now * 1_000),
    b"e": lambda _, elapsed: b"%d" % (elapsed * 1_000),
}


class Late:
    """Values for late slots, in one process: hits are counted by each server for itself, as CDNs count them.

    `needed`: whether the dialect has such slots at all. What was counted `before` is counted on.
    """

    def __init__(self, identities: Identities, *, needed: bool, before: Late | None = None) -> None:
        self.identities, self.needed = identities, needed
        self._numbers: Iterator[int] = count(int.from_bytes(urandom(3))) if before is None else before._numbers
        self._hits: OrderedDict[int, int] = OrderedDict() if before is None else before._hits
        self._random = b""

    def filled(self, headers: Headers, verdict: Verdict, identity: str, now: float, elapsed: float) -> Headers:
        """A response's fields as they leave. `identity`: the request's; `elapsed`: seconds since it came."""

        def value(slot: re.Match[bytes]) -> bytes:
            return identity.encode("latin-1") if slot[1] == b"i" else self.value(slot[1], verdict, now, elapsed)

        return Headers.lowered(tuple([(name, LATE_SLOT.sub(value, text)) for name, text in headers]))

    def joined(self, between: list[bytes], slots: list[bytes], verdict: Verdict, now: float) -> bytes:
        """Pieces of a head with the slots that stand between them, for one more response that is given at once."""
        if slots == [b"i"]:
            return self.identities.at(now).join(between)
        pieces = [between[0]]
        for slot, piece in zip(slots, between[1:], strict=True):
            pieces += [self.value(slot, verdict, now, 0.0), piece]
        return b"".join(pieces)

    def value(self, slot: bytes, verdict: Verdict, now: float, elapsed: float) -> bytes:
        """For one response. `slot` is a letter of LATE, with a length where it has one."""
        letter, length = slot[:1], int(slot[1:] or 12)
        if letter in _OF_THE_TIME:
            return _OF_THE_TIME[letter](now, elapsed)
        match letter:
            case b"i":
                return self.identities.at(now)
            case b"h":
                return b"%d" % self._hit(verdict)
            case b"n":
                return b"%d" % next(self._numbers)
            case b"d":
                return date_at(slot, now)
            case _:
                return self._by_chance(letter, length, now)

    def _by_chance(self, letter: bytes, length: int, now: float) -> bytes:
        match letter:
            case b"r":
                return self._bytes(length).hex().encode()[:length]
            case b"t":
                return urlsafe_b64encode(self._bytes(length))[:length]
            case _:
                return millis_in_base_32(int(now * 1_000)) + self._bytes(16).translate(_DIGITS)

    def _hit(self, verdict: Verdict) -> int:
        """How often this server has answered with that stored response: 0 for what was fetched."""
        if verdict.fwd is not None:
            return 0
        hits = self._hits.pop(verdict.number, 0) + 1
        self._hits[verdict.number] = hits
        if len(self._hits) > COUNTED:
            self._hits.popitem(last=False)
        return hits

    def _bytes(self, length: int) -> bytes:
        if len(self._random) < length:
            self._random = urandom(POOL)
        taken, self._random = self._random[:length], self._random[length:]
        return taken


def date_at(slot: bytes, now: float) -> bytes:
    """The HTTP-date for a slot `d`, so many seconds ahead as it says."""
    return format_date(now + int(slot[1:] or 0)).encode()


@lru_cache(8)  # responses of one millisecond come together
def millis_in_base_32(millis: int) -> bytes:
    """The first ten digits of a ULID, which sort like its time."""
    return bytes(_BASE_32[millis >> place & 31] for place in range(45, -1, -5))
