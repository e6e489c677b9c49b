"""Keys whose last answer could not be shared, so that nobody waits for the next one (hit-for-miss)."""

from __future__ import annotations

from collections.abc import Callable

from cachetools import TLRUCache

from app.store.base import Store
from app.tasks import Tasks

# How many are remembered; to forget one costs a moment of collapsing, nothing else.
MOST = 10_000


class Uncacheable:
    """Remembered for as many seconds of HTTP time as `patience` says of a key, and told to all who share the store.
    Where the clock has gone back, what was remembered at a time that is yet to come is forgotten."""

    def __init__(self, store: Store, tasks: Tasks, patience: Callable[[str], float], now: Callable[[], float]) -> None:
        self._store, self._tasks, self._patience, self._now = store, tasks, patience, now
        # Since when, and for how long. Hashes, for keys may be long; two that collide cost a moment of collapsing.
        self._keys: TLRUCache[int, tuple[float, float]] = TLRUCache(MOST, lambda _, mark, _now: sum(mark), now)
        store.watch_marks(self._told)

    def __contains__(self, key: str) -> bool:
        mark = self._keys.get(hash(key))
        if mark is not None and mark[0] > self._now():
            self._told(key, cacheable=True)
            return False
        return mark is not None

    def remember(self, key: str, *, cacheable: bool) -> None:
        if cacheable and key not in self:
            return
        news = cacheable or key not in self
        self._told(key, cacheable)
        if news and self._store.shared:
            self._tasks.start(self._store.mark(key, cacheable=cacheable), f"mark {key}")

    def forget(self) -> None:
        """Forget all of them, for ourselves alone."""
        self._keys.clear()

    def _told(self, key: str, cacheable: bool) -> None:
        if cacheable:
            self._keys.pop(hash(key), None)
        else:
            self._keys[hash(key)] = self._now(), self._patience(key)
