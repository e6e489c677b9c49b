"""What a dialect calls the single request, in the field by which people trace it."""

from __future__ import annotations

from random import Random

from app.clock import Clock
from app.core.dialect import IdentityField

RANDOM = b"\0"  # where the random part stands, if there is one


class Identities:
    """The values of a dialect's identity field, one a request; empty where a dialect has none.

    They tell requests apart and keep nothing secret: numbers from one generator a process, which the system seeds.
    """

    def __init__(self, field: IdentityField | None, node: str, clock: Clock) -> None:
        self._field, self._node, self._clock = field, node, clock
        self._bits = Random().getrandbits
        self._millis = -1
        self._pattern = b""

    def next(self) -> str:
        """For one request."""
        return self.at(self._clock.now()).decode()

    def at(self, now: float) -> bytes:
        """For one request at that time."""
        if self._field is None:
            return b""
        millis = int(now * 1000)
        if millis != self._millis:
            self._millis, self._pattern = millis, self._written(self._field, millis)
        return self._pattern.replace(RANDOM, b"%012x" % self._bits(48))

    def _written(self, field: IdentityField, millis: int) -> bytes:
        return field.template.format(region=field.region, node=self._node, millis=millis, random="\0").encode()
