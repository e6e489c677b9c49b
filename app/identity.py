"""What a dialect calls the single request, in the field by which people trace it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from app.clock import Clock
from app.core.dialect import IdentityField
from app.endless import HEXADECIMAL, Chance

# Where the random part and the milliseconds stand.
RANDOM, MILLIS = b"\0", "\1"
RANDOM_DIGITS = 12


class Identities(Chance):
    """The values of a dialect's identity field, one a request; empty where a dialect has none. They tell requests apart
    and keep nothing secret."""

    def __init__(self, field: IdentityField | None, node: str, clock: Clock) -> None:
        self._field, self._clock = field, clock
        self._since = self._until = inf  # the millisecond for which the texts stand
        self._cut = _cut(field, node)
        self._written = b""
        super().__init__(HEXADECIMAL, RANDOM_DIGITS)

    def next(self) -> str:
        """For one request."""
        if self._field is None:
            return ""
        now = self._clock.now()
        if not self._since <= now < self._until:
            self.turn(now)
        return self.said().decode()

    def turn(self, now: float) -> None:
        if self._field is not None:
            millis = int(now * 1_000)
            self._since, self._until = now, (millis + 1) / 1_000
            self._written = (b"%d" % millis).join(self._cut)
            self.draw()

    def around(self, drawn: bytes) -> Sequence[bytes]:
        return self._written.replace(RANDOM, drawn + RANDOM).split(RANDOM)


def _cut(field: IdentityField | None, node: str) -> list[bytes]:
    """Its pieces between the places where the milliseconds stand, of which there may be none."""
    if field is None:
        return [b""]
    written = field.template.format(region=field.region, node=node, millis=MILLIS, random=RANDOM.decode())
    return written.encode().split(MILLIS.encode())
