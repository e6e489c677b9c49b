"""The memory tier: responses that were read or written lately, so that most hits need no Redis.

It is right because three things hold. What is in it is all that Redis had under the key. Whoever changes a key tells
the others (news.py), and what they change meanwhile spoils a reading under way. And it is used only while it may be
trusted (trust.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.core.decisions import StoredResponse
from app.store.memory import Variants

Kept = tuple[StoredResponse, ...]


class Reading:
    """Somebody reads or writes a key in Redis. `spoiled`: it has changed since, so the outcome may be an old one."""

    __slots__ = ("spoiled",)

    def __init__(self) -> None:
        self.spoiled = False


class Tier:
    """Responses by cache key, at most `size` bytes of them, least recently used goes first."""

    def __init__(self, size: int) -> None:
        self.variants = Variants(size, self._changed)
        self._listeners: list[Callable[[str], None]] = []
        self._readings: defaultdict[str, list[Reading]] = defaultdict(list)
        self._lent: dict[str, None] = {}

    def watch(self, listener: Callable[[str], None]) -> None:
        """Call it with the key of whatever changes here, or leaves."""
        self._listeners.append(listener)

    def get(self, key: str) -> Kept | None:
        """All responses under a key; None where only Redis can tell."""
        kept: Kept | None = self.variants.get(key)
        return kept

    def lend(self, key: str) -> Kept | None:
        """The same to somebody who will keep it until told otherwise."""
        if (kept := self.get(key)) is not None:
            self._lent[key] = None
        return kept

    def take_back(self) -> None:
        """Tell listeners that nothing which was lent may be used any more."""
        lent, self._lent = self._lent, {}
        for key in lent:
            self._tell(key)

    @contextmanager
    def reading(self, key: str) -> Iterator[Reading]:
        """While a key is read or written in Redis."""
        reading = Reading()
        self._readings[key].append(reading)
        try:
            yield reading
        finally:
            self._readings[key].remove(reading)
            if not self._readings[key]:
                del self._readings[key]

    def settle(self, key: str, reading: Reading, kept: Kept | None, *, changed: bool = False) -> None:
        """Keep the outcome of a reading, unless it is spoiled or None: then only Redis can tell. `changed`: by us."""
        self._spoil_others(key, reading)
        known = self.variants.pop(key, None)
        if kept and not reading.spoiled and self.variants.getsizeof(kept) <= self.variants.maxsize:
            self.variants[key] = kept
        if changed or known is not None:
            self._changed(key)

    def drop(self, key: str) -> None:
        """Only Redis can tell."""
        self._spoil_others(key)
        if self.variants.pop(key, None) is not None:
            self._changed(key)

    def forget(self) -> None:
        """Only Redis can tell, of anything."""
        for key in [*self._readings, *self.variants]:
            self.drop(key)

    def _spoil_others(self, key: str, by: Reading | None = None) -> None:
        for reading in self._readings.get(key, ()):
            if reading is not by:
                reading.spoiled = True

    def _changed(self, key: str) -> None:
        self._lent.pop(key, None)
        self._tell(key)

    def _tell(self, key: str) -> None:
        for listener in self._listeners:
            listener(key)
