"""How often something may happen: so many times in so many seconds, each name by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic

from cachetools import LRUCache

NAMES = 10_000


class Pace:
    """`times` in any `seconds`. Names that were not heard of for longest are forgotten first, and may go on."""

    def __init__(self, times: int, seconds: float, timer: Callable[[], float] = monotonic) -> None:
        self._times, self._seconds, self._timer = times, seconds, timer
        self._taken: LRUCache[str, deque[float]] = LRUCache(NAMES)

    def take(self, names: Iterable[str]) -> str | None:
        """Count one for each name, unless that would be too fast for one of them, which is returned."""
        now, wanted = self._timer(), list(dict.fromkeys(names))
        for name in wanted:
            taken = self._taken.get(name) or deque(maxlen=self._times)
            if len(taken) == self._times and now - taken[0] < self._seconds:
                return name
        for name in wanted:
            self._taken.setdefault(name, deque(maxlen=self._times)).append(now)
        return None
