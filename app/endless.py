"""Values without end for responses that leave one after the other: the next one costs next to nothing.

They are made by C's iterators alone, and mostly beforehand: a hit takes a few microseconds, and whatever it has to make
for itself, in memory that it has not just used, shows in that.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain, count, cycle, islice, product
from os import urandom
from random import Random

HEXADECIMAL = b"0123456789abcdef"
BASE_32 = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's
BASE_64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # for URLs (RFC 4648 §5)

# So many endings at least: more than one process gives answers in a millisecond.
_ENDINGS = 1_000
_NUMBERS = [b"%d" % number for number in range(1_000)]
_LAST_DIGITS = [b"%03d" % number for number in range(1_000)]


class Chance:
    """Texts of so many random digits, told apart by their last ones: `endings` come in a random order, each once in a
    thousand or more. What stands before them must be `drawn` anew sooner than they come again."""

    def __init__(self, digits: bytes, length: int) -> None:
        of_ending = min(length, next(count for count in range(1, 9) if len(digits) ** count >= _ENDINGS))
        table, first = _endings(digits, of_ending), int.from_bytes(urandom(2))
        self.endings: Iterator[bytes] = cycle([*table[first % len(table) :], *table[: first % len(table)]])
        self._length, self._digits = length - of_ending, digits * (256 // len(digits))

    def drawn(self) -> bytes:
        """All but the ending."""
        return urandom(self._length).translate(self._digits)


@cache
def _endings(digits: bytes, length: int) -> list[bytes]:
    """All texts of so many digits, in a random order, and in memory one beside the next."""
    texts = list(product(digits, repeat=length))
    Random(urandom(32)).shuffle(texts)
    return [bytes(text) for text in texts]


def numbers(first: int) -> Iterator[bytes]:
    """One after the other, in decimal."""
    thousand, passed = divmod(first, 1_000)
    thousands = chain([islice(_thousand(thousand), passed, None)], map(_thousand, count(thousand + 1)))
    return chain.from_iterable(thousands)


def _thousand(number: int) -> Iterator[bytes]:
    return map((b"%d" % number).__add__, _LAST_DIGITS) if number else iter(_NUMBERS)
