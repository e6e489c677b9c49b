"""HTTP time: the one clock that ages and dates are told by. Durations and timeouts use the monotonic clock instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol


class Clock:
    """Seconds since the epoch, by the system's clock."""

    def now(self) -> float:
        return time.time()  # the one place: everybody else is given a clock


class Moved(Protocol):
    """Whatever says by how many seconds HTTP time is ahead."""

    offset: float


class MovedClock(Clock):
    """HTTP time for all who have the same idea of how far it is ahead. `real` is the time that nobody moves."""

    def __init__(self, moved: Moved, real: Callable[[], float] = time.time) -> None:
        self._moved, self._real = moved, real

    @property
    def offset(self) -> float:
        return self._moved.offset

    def now(self) -> float:
        return self._real() + self._moved.offset


class ManualClock(Clock):
    """A clock that stands still until it is moved: for tests and scenarios."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self.time = start

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class Ordinals:
    """Numbers that only grow, also from one process to the next: real time in nanoseconds, or more than that where the
    clocks of others are ahead, or this one's was set back."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last = max(self._last + 1, time.time_ns())
        return self._last

    def pass_by(self, numbers: Iterable[int]) -> None:
        """What comes next is later than all of these."""
        self._last = max(self._last, *numbers, 0)
