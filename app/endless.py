"""Values without end for responses that leave one after the other: the next one costs next to nothing.

They come in runs that are made beforehand: a hit takes a few microseconds, and whatever it has to make for itself, in
memory that it has not just used, shows in that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from operator import length_hint
from os import urandom
from random import Random

from app.anew import Source

HEXADECIMAL = b"0123456789abcdef"
BASE_32 = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's
BASE_64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # for URLs (RFC 4648 §5)

# So many endings, or all that there are: to have others costs what a hundred hits cost, but memory has to be near.
_ENDINGS = 1_000
_NUMBERS = [b"%d" % number for number in range(1_000)]
_LAST_DIGITS = [b"%03d" % number for number in range(1_000)]
_random = Random(urandom(32))  # nothing here is secret, and it is asked often


class Chance(Source):
    """So many random digits. Of a run the last ones tell one from another, each once in a random order; those before
    them are drawn for all, and anew with the time."""

    timed = True

    def __init__(self, digits: bytes, length: int) -> None:
        of_ending = min(length, next(count for count in range(1, 9) if len(digits) ** count >= _ENDINGS))
        table, first = _endings(digits, of_ending), _random.randrange(len(digits))
        self._table = [*table[first:], *table[:first]]
        self._length, self._digits = length - of_ending, digits * (256 // len(digits))
        self.endings = iter(())
        self.refill()

    def turn(self, now: float) -> None:
        self.draw()

    def refill(self) -> None:
        if not length_hint(self.endings):
            self.endings = iter(self._table)
            self.draw()

    def draw(self) -> None:
        self.texts = self.around(_random.randbytes(self._length).translate(self._digits))

    def around(self, drawn: bytes) -> Sequence[bytes]:
        """What stands before the last digits, and behind them."""
        return drawn, b""


@cache
def _endings(digits: bytes, length: int) -> list[bytes]:
    """Texts of so many digits, in a random order, and in memory one beside the next."""
    texts = list(product(digits, repeat=length))
    _random.shuffle(texts)
    return [bytes(text) for text in texts[:_ENDINGS]]


class Numbers(Source):
    """One after the other, in decimal, a thousand at a time."""

    __slots__ = ("_thousand", "endings", "texts")

    def __init__(self, first: int) -> None:
        self._thousand, passed = divmod(first, 1_000)
        self._begin(passed)

    def refill(self) -> None:
        if not length_hint(self.endings):
            self._thousand += 1
            self._begin()

    def _begin(self, passed: int = 0) -> None:
        self.texts = (b"%d" % self._thousand if self._thousand else b"", b"")
        self.endings = iter((_LAST_DIGITS if self._thousand else _NUMBERS)[passed:])
