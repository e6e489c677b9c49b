"""HTTP time: the one clock that ages and dates are told by. Durations and timeouts use the monotonic clock instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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


def ordinals() -> Iterator[int]:
    """Numbers that only grow, also from one process to the next: real time in nanoseconds, which no one moves."""
    last = 0
    while True:
        last = max(last + 1, time.time_ns())
        yield last
