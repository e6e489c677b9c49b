"""What a dialect calls the single request, in the field by which people trace it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from math import inf

from app.clock import Clock
from app.core.dialect import IdentityField
from app.endless import HEXADECIMAL, Chance

# Where the random part and the milliseconds stand.
RANDOM, MILLIS = b"\0", "\1"
RANDOM_DIGITS = 12


class Identities:
    """The values of a dialect's identity field, one a request; empty where a dialect has none.

    They tell requests apart and keep nothing secret. `values` are those of the millisecond of which `turn` told last.
    """

    def __init__(self, field: IdentityField | None, node: str, clock: Clock) -> None:
        self._field, self._clock = field, clock
        self._since = self._until = inf  # the millisecond for which the pattern stands
        self._pieces = [] if field is None else _cut(field, node)
        self._chance = Chance(HEXADECIMAL, RANDOM_DIGITS)
        self._pattern = [b""]
        self.values: Iterator[bytes] = map(bytes.join, self._chance.endings, repeat(self._pattern))

    def next(self) -> str:
        """For one request."""
        if self._field is None:
            return ""
        now = self._clock.now()
        if not self._since <= now < self._until:
            self.turn(now)
        return next(self.values).decode()

    def turn(self, now: float) -> None:
        """Another millisecond has begun."""
        if self._field is not None:
            millis = int(now * 1_000)
            self._since, self._until = now, (millis + 1) / 1_000
            written = (b"%d" % millis).join(self._pieces)
            self._pattern[:] = written.replace(RANDOM, self._chance.drawn() + RANDOM).split(RANDOM)


def _cut(field: IdentityField, node: str) -> list[bytes]:
    """Its pieces between the places where the milliseconds stand, of which there may be none."""
    written = field.template.format(region=field.region, node=node, millis=MILLIS, random=RANDOM.decode())
    return written.encode().split(MILLIS.encode())
