"""What only the single response knows, put into its head when it leaves (app/core/speech.py)."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import repeat
from math import inf
from os import urandom

from app.anew import Anew, Source
from app.core.decisions import Verdict
from app.core.fields import format_date
from app.core.messages import Headers
from app.core.speech import LATE_SLOT
from app.endless import BASE_32, BASE_64, HEXADECIMAL, Chance, Numbers
from app.identity import Identities

# Of how many stored responses the hits are counted: a forgotten one begins anew.
COUNTED = 100_000
# How many random digits a ULID has, and how long random values are that do not say it.
ULID_DIGITS, USUAL = 16, 12

# How often a second answers that are given again tell another time: hundreds of them may share one.
TOLD = 100

# What a slot says at a time.
_OF_THE_TIME: dict[bytes, Callable[[float], bytes]] = {
    b"s": lambda now: b"%d" % now,
    b"u": lambda now: b"%06d" % (now % 1 * 1_000_000),
    b"m": lambda now: b"%d" % (now * 1_000),
}
_BY_CHANCE = (b"r", b"t", b"l")


class Late:
    """Values for late slots, in one process: hits are counted by each server for itself, as CDNs count them.

    `needed`: whether the dialect has such slots at all. From `since` to `until` stands what `turn` told of the time.
    What was counted `before` is counted on.
    """

    def __init__(self, identities: Identities, *, needed: bool, before: Late | None = None) -> None:
        self.identities, self.needed = identities, needed
        self.since, self.until = inf, -inf
        self._numbers: Numbers = Numbers(int.from_bytes(urandom(3))) if before is None else before._numbers
        self._slots: dict[bytes, Source] = {b"i": identities, b"n": self._numbers}
        self._hits: OrderedDict[int, Numbers] = OrderedDict() if before is None else before._hits

    def filled(self, headers: Headers, verdict: Verdict, identity: str, now: float, elapsed: float) -> Headers:
        """A response's fields as they leave. `identity`: the request's; `elapsed`: seconds since it came."""
        self.turn(now)
        known = {b"i": identity.encode("latin-1"), b"e": b"%d" % (elapsed * 1_000)}

        def value(match: re.Match[bytes]) -> bytes:
            slot: bytes = match[1]
            if slot[:1] in _BY_CHANCE:
                return self._source(slot, verdict).said()
            if slot not in known:
                known[slot] = self._source(slot, verdict).said()
            return known[slot]

        return Headers.lowered(tuple([(name, LATE_SLOT.sub(value, text)) for name, text in headers]))

    def anew(self, head: bytes, behind: bytes, rest: Sequence[bytes], verdict: Verdict, now: float) -> Anew:
        """Responses whose first piece is `head`, with its slots filled, and what is `behind`. What it makes stands
        from `since` to `until`, if it is `timed`."""
        self.keep_up(now)
        cut = LATE_SLOT.split(head)
        cut[-1] += behind
        sources = {slot: self._source(slot, verdict) for slot in cut[1::2]}
        drawn = [slot[:1] in _BY_CHANCE for slot in cut[1::2]]
        return Anew(cut[::2], [sources[slot] for slot in cut[1::2]], drawn, rest)

    def keep_up(self, now: float) -> None:
        """Tell another time, if what was told stands no more."""
        if not self.since <= now < self.until:
            self.turn(now)

    def turn(self, now: float) -> None:
        """Tell another time."""
        self.since, self.until = now, (int(now * TOLD) + 1) / TOLD
        for slot in self._slots.values():
            slot.turn(now)

    def _source(self, slot: bytes, verdict: Verdict) -> Source:
        """`slot` is a letter of LATE, with a length where it has one."""
        match slot[:1]:
            case b"h" if verdict.fwd is None:
                return self._hits_of(verdict)
            case b"h" | b"e":  # it was fetched; it is given at once
                return _Known(b"0")
            case b"d":
                return _Known(date_at(slot, self.since))
            case letter:
                if slot not in self._slots:
                    self._slots[slot] = _shared(letter, int(slot[1:] or USUAL))
                    self._slots[slot].turn(self.since)
                return self._slots[slot]

    def _hits_of(self, verdict: Verdict) -> Numbers:
        """How often this server has answered with that stored response."""
        hits = self._hits.pop(verdict.number, None) or Numbers(1)
        self._hits[verdict.number] = hits
        if len(self._hits) > COUNTED:
            self._hits.popitem(last=False)
        return hits


class _Known(Source):
    """What was known before the response."""

    def __init__(self, text: bytes) -> None:
        self.texts, self.endings = (text,), repeat(b"")


class _Time(Source):
    """What tells the time."""

    timed = True

    def __init__(self, letter: bytes) -> None:
        self._told = _OF_THE_TIME[letter]
        self.endings, self.texts = repeat(b""), [b""]

    def turn(self, now: float) -> None:
        self.texts = [self._told(now)]


class _Ulid(Chance):
    """Milliseconds in ten digits, and sixteen by chance."""

    timed = True
    _millis = b""

    def __init__(self) -> None:
        super().__init__(BASE_32, ULID_DIGITS)

    def turn(self, now: float) -> None:
        self._millis = millis_in_base_32(int(now * 1_000))
        self.draw()

    def around(self, drawn: bytes) -> Sequence[bytes]:
        return self._millis + drawn, b""


def _shared(letter: bytes, length: int) -> Source:
    match letter:
        case b"l":
            return _Ulid()
        case b"r":
            return Chance(HEXADECIMAL, length)
        case b"t":
            return Chance(BASE_64, length)
        case _:
            return _Time(letter)


def date_at(slot: bytes, now: float) -> bytes:
    """The HTTP-date for a slot `d`, so many seconds ahead as it says."""
    return format_date(now + int(slot[1:] or 0)).encode()


def millis_in_base_32(millis: int) -> bytes:
    """The first ten digits of a ULID, which sort like its time."""
    return bytes([BASE_32[millis >> place & 31] for place in range(45, -1, -5)])
