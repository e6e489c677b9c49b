"""What a dialect calls the single request, in the field by which people trace it."""

from __future__ import annotations

from random import Random

from app.clock import Clock
from app.core.dialect import IdentityField


class Identities:
    """The values of a dialect's identity field, one a request; empty where a dialect has none.

    They tell requests apart and keep nothing secret: numbers from one generator a process, which the system seeds.
    """

    def __init__(self, field: IdentityField | None, node: str, clock: Clock) -> None:
        self._field, self._node, self._clock = field, node, clock
        self._bits = Random().getrandbits
        self._millis = -1
        self._pattern = ""

    def next(self) -> str:
        """For one request."""
        if self._field is None:
            return ""
        millis = int(self._clock.now() * 1000)
        if millis != self._millis:
            self._millis, field = millis, self._field
            written = field.template.replace("%", "%%")
            self._pattern = written.format(region=field.region, node=self._node, millis=millis, random="%012x")
        return self._pattern % self._bits(48)
