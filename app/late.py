"""What only the single response knows, put into its head when it leaves (app/core/speech.py)."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat, tee
from math import inf
from os import urandom

from app.core.decisions import Verdict
from app.core.fields import format_date
from app.core.messages import Headers
from app.core.speech import LATE_SLOT
from app.endless import BASE_32, BASE_64, HEXADECIMAL, Chance, numbers
from app.identity import Identities

# Of how many stored responses the hits are counted: a forgotten one begins anew.
COUNTED = 100_000
# How many random digits a ULID has, and how long random values are that do not say it.
ULID_DIGITS, USUAL = 16, 12

# What a slot says at a time, or begins with.
_OF_THE_TIME: dict[bytes, Callable[[float], bytes]] = {
    b"s": lambda now: b"%d" % now,
    b"u": lambda now: b"%06d" % (now % 1 * 1_000_000),
    b"m": lambda now: b"%d" % (now * 1_000),
    b"l": lambda now: millis_in_base_32(int(now * 1_000)),
}
_BY_CHANCE = {b"r": HEXADECIMAL, b"t": BASE_64, b"l": BASE_32}


class Late:
    """Values for late slots, in one process: hits are counted by each server for itself, as CDNs count them.

    `needed`: whether the dialect has such slots at all. `since` and `until` are the millisecond of which all that tells
    the time was told last, by `turn`. What was counted `before` is counted on.
    """

    def __init__(self, identities: Identities, *, needed: bool, before: Late | None = None) -> None:
        self.identities, self.needed = identities, needed
        self.since, self.until = inf, -inf
        self._slots: dict[bytes, _Slot] = {}
        self._numbers: Iterator[bytes] = numbers(int.from_bytes(urandom(3))) if before is None else before._numbers
        self._hits: OrderedDict[int, Iterator[bytes]] = OrderedDict() if before is None else before._hits

    def filled(self, headers: Headers, verdict: Verdict, identity: str, now: float, elapsed: float) -> Headers:
        """A response's fields as they leave. `identity`: the request's; `elapsed`: seconds since it came."""
        self.turn(now)
        known = {b"i": identity.encode("latin-1"), b"e": b"%d" % (elapsed * 1_000)}

        def value(match: re.Match[bytes]) -> bytes:
            slot: bytes = match[1]
            if slot[:1] in _BY_CHANCE:
                return next(self._values(slot, verdict))
            if slot not in known:
                known[slot] = next(self._values(slot, verdict))
            return known[slot]

        return Headers.lowered(tuple([(name, LATE_SLOT.sub(value, text)) for name, text in headers]))

    def filled_anew(
        self, between: Sequence[bytes], slots: Sequence[bytes], verdict: Verdict, now: float
    ) -> Iterator[bytes]:
        """Pieces with the slots between them filled: at each step for one more response, which is given at once. Before
        a step it must hear by `turn` when that is, if that is not from `since` to `until`."""
        self.turn(now)
        values = self._of_one_head(slots, verdict)
        if len(values) == 1:
            return map(bytes.join, values[0], repeat(between))
        filled = [one for pair in zip(map(repeat, between), values, strict=False) for one in pair]
        return map(b"".join, zip(*filled, repeat(between[-1]), strict=False))

    def turn(self, now: float) -> None:
        """Another millisecond has begun. What tells the time more exactly tells when we heard of it."""
        self.since, self.until = now, (int(now * 1_000) + 1) / 1_000
        self.identities.turn(now)
        for slot in self._slots.values():
            slot.turn(now)

    def _of_one_head(self, slots: Sequence[bytes], verdict: Verdict) -> list[Iterator[bytes]]:
        """The same value for the same slot, but for random ones."""
        times = {slot: 1 if slot[:1] in _BY_CHANCE else slots.count(slot) for slot in slots}
        several = {slot: iter(tee(self._values(slot, verdict), count)) for slot, count in times.items() if count > 1}
        return [next(several[slot]) if slot in several else self._values(slot, verdict) for slot in slots]

    def _values(self, slot: bytes, verdict: Verdict) -> Iterator[bytes]:
        """For one response after the other. `slot` is a letter of LATE, with a length where it has one."""
        match slot[:1]:
            case b"i":
                values = self.identities.values
            case b"h":
                values = self._hits_of(verdict)
            case b"n":
                values = self._numbers
            case b"e":
                values = repeat(b"0")
            case b"d":
                values = repeat(date_at(slot, self.since))
            case _:
                if slot not in self._slots:
                    self._slots[slot] = _Slot(slot, self.since)
                values = self._slots[slot].values
        return values

    def _hits_of(self, verdict: Verdict) -> Iterator[bytes]:
        """How often this server has answered with that stored response: 0 for what was fetched."""
        if verdict.fwd is not None:
            return repeat(b"0")
        hits = self._hits.pop(verdict.number, None) or numbers(1)
        self._hits[verdict.number] = hits
        if len(self._hits) > COUNTED:
            self._hits.popitem(last=False)
        return hits


class _Slot:
    """What tells the time, or is drawn by chance, or both: the same within a millisecond, but for an ending."""

    def __init__(self, slot: bytes, now: float) -> None:
        letter = slot[:1]
        length = ULID_DIGITS if letter == b"l" else int(slot[1:] or USUAL)
        self._time = _OF_THE_TIME.get(letter)
        self._chance = Chance(_BY_CHANCE[letter], length) if letter in _BY_CHANCE else None
        self._text = [b"", b""]
        endings = repeat(b"") if self._chance is None else self._chance.endings
        self.values: Iterator[bytes] = map(bytes.join, endings, repeat(self._text))
        self.turn(now)

    def turn(self, now: float) -> None:
        """Another millisecond has begun."""
        told = b"" if self._time is None else self._time(now)
        self._text[0] = told if self._chance is None else told + self._chance.drawn()


def date_at(slot: bytes, now: float) -> bytes:
    """The HTTP-date for a slot `d`, so many seconds ahead as it says."""
    return format_date(now + int(slot[1:] or 0)).encode()


def millis_in_base_32(millis: int) -> bytes:
    """The first ten digits of a ULID, which sort like its time."""
    return bytes([BASE_32[millis >> place & 31] for place in range(45, -1, -5)])
