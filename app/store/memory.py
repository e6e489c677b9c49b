"""The memory store: least recently used goes first, sized in bytes (cachetools)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cachetools import LRUCache

from app.core.decisions import StoredResponse
from app.store.base import PurgeLog

# What Python keeps around a stored response, and around a field line that selects it, beside their bytes: measured on
# CPython 3.11, in a store that has been full for long.
RESPONSE_OVERHEAD = 900
LINE_OVERHEAD = 110

# Variants under one key: beyond it the oldest goes, so that Vary on a random field cannot fill the store (or a lookup).
MAX_VARIANTS = 64


def weight(variants: Sequence[StoredResponse]) -> int:
    """Bytes that the variants of a key take, bodies and heads and what holds them."""
    return sum(map(_weight, variants))


def _weight(stored: StoredResponse) -> int:
    selecting = sum([LINE_OVERHEAD + len(name) + len(value or "") for name, value in stored.selecting])
    return RESPONSE_OVERHEAD + stored.size + len(stored.head) + len(stored.key) + selecting


class _Variants(LRUCache[str, tuple[StoredResponse, ...]]):
    """Variants by key, sized by weight. `evicted` is told which key had to make room for another."""

    def __init__(self, max_size: int, evicted: Callable[[str], None]) -> None:
        super().__init__(max_size, getsizeof=weight)
        self._evicted = evicted

    def popitem(self) -> tuple[str, tuple[StoredResponse, ...]]:
        key, variants = super().popitem()
        self._evicted(key)
        return key, variants


class MemoryStore:
    """Responses in this process's memory, at most `max_size` bytes of them by `weight`."""

    def __init__(self, max_size: int) -> None:
        self._variants = _Variants(max_size, self._changed)
        self._purges = PurgeLog()
        self.epoch = 0
        self._listeners: list[Callable[[str], None]] = []

    @property
    def size(self) -> float:
        return self._variants.currsize

    def __len__(self) -> int:
        return len(self._variants)

    async def lookup(self, key: str) -> Sequence[StoredResponse]:
        return self.find(key)

    def find(self, key: str) -> Sequence[StoredResponse]:
        variants = self._variants.get(key, ())
        if any(self._purges.purged_since(key, one.fetched_under) for one in variants):
            return tuple(
                one.spoiled() if self._purges.purged_since(key, one.fetched_under) else one for one in variants
            )
        return variants

    async def save(self, stored: StoredResponse) -> None:
        variants = self._variants.get(stored.key, ())
        if any(one.variant == stored.variant and _is_newer(one, stored) for one in variants):
            return
        others = [one for one in variants if one.variant != stored.variant]
        self._put(stored.key, (*others[1 - MAX_VARIANTS :], stored))

    async def replace(self, old: StoredResponse, new: StoredResponse) -> None:
        variants = self._variants.get(old.key, ())
        if any(_same(one, old) for one in variants):
            others = tuple(one for one in variants if not _same(one, old) and one.variant != new.variant)
            self._put(old.key, (*others, new))

    async def remove(self, stored: StoredResponse) -> None:
        rest = tuple(one for one in self._variants.get(stored.key, ()) if one.variant != stored.variant)
        if rest:
            self._put(stored.key, rest)
        elif self._variants.pop(stored.key, None) is not None:
            self._changed(stored.key)

    async def invalidate(self, base: str) -> None:
        self._purges.purge(base)
        self.epoch = self._purges.number

    def purge_number(self) -> int:
        return self._purges.number

    def purged_since(self, key: str, number: int) -> bool:
        return self._purges.purged_since(key, number)

    def touch(self, key: str) -> None:
        self._variants.get(key)

    def watch(self, listener: Callable[[str], None]) -> None:
        self._listeners.append(listener)

    def _changed(self, key: str) -> None:
        for listener in self._listeners:
            listener(key)

    def _put(self, key: str, variants: tuple[StoredResponse, ...]) -> None:
        self._variants.pop(key, None)  # and with it the older string of the same key
        while variants:
            try:
                self._variants[key] = variants
                break
            except ValueError:  # larger than the whole store: the oldest variants go first
                variants = variants[1:]
        self._changed(key)


def _is_newer(one: StoredResponse, other: StoredResponse) -> bool:
    """Whether it answered later, or was asked for after a purge that the other has missed."""
    return one.number > other.number or one.fetched_under > other.fetched_under


def _same(one: StoredResponse, other: StoredResponse) -> bool:
    return one.variant == other.variant and one.number == other.number
