"""What a dialect calls the single request, in the field by which people trace it."""

from __future__ import annotations

from math import inf
from os import urandom

from app.clock import Clock
from app.core.dialect import IdentityField

RANDOM = b"\0"  # where the random part stands, if there is one
# So many random parts are made at a time, of 12 hexadecimal digits each.
POOL = 512


class Identities:
    """The values of a dialect's identity field, one a request; empty where a dialect has none.

    They tell requests apart and keep nothing secret.
    """

    def __init__(self, field: IdentityField | None, node: str, clock: Clock) -> None:
        self._field, self._node, self._clock = field, node, clock
        self._random: list[bytes] = []
        self._since = self._until = inf  # the millisecond for which the pattern stands
        self._pattern: list[bytes] = []

    def next(self) -> str:
        """For one request."""
        return self.at(self._clock.now()).decode()

    def at(self, now: float) -> bytes:
        """For one request at that time."""
        if self._field is None:
            return b""
        if not self._since <= now < self._until:
            millis = int(now * 1000)
            self._since, self._until = now, (millis + 1) / 1000
            self._pattern = self._written(self._field, millis)
        if not self._random:
            digits = urandom(6 * POOL).hex().encode()
            self._random = [digits[place : place + 12] for place in range(0, len(digits), 12)]
        return self._random.pop().join(self._pattern)

    def _written(self, field: IdentityField, millis: int) -> list[bytes]:
        """Its pieces before and behind the random part; one piece where it has none."""
        written = field.template.format(region=field.region, node=self._node, millis=millis, random="\0")
        return written.encode().split(RANDOM)
