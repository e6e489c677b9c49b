"""The memory store: least recently used goes first, sized in bytes (cachetools)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from cachetools import Cache, LRUCache

from app.core.decisions import StoredResponse
from app.core.purge_log import PurgeLog
from app.core.purging import Purge, Selector
from app.store.base import (
    Alone,
    State,
    added,
    all_marked,
    deleted,
    husk,
    is_husk,
    marked,
    renewed,
    turn,
    unmarked,
    without,
)

# What Python keeps around a stored response, and around a field line that selects it, beside their bytes: measured on
# CPython 3.11, in a store that has been full for long.
RESPONSE_OVERHEAD = 920
LINE_OVERHEAD = 110
TAG_OVERHEAD = 60

# How many keys are looked at before others get their turn.
SLICE = 500


def weight(variants: Sequence[StoredResponse]) -> int:
    """Bytes that the variants of a key take, bodies and heads and what holds them."""
    return sum(map(_weight, variants))


def _weight(stored: StoredResponse) -> int:
    selecting = sum([LINE_OVERHEAD + len(name) + len(value or "") for name, value in stored.selecting])
    tags = sum([TAG_OVERHEAD + len(tag) for tag in stored.tags])
    return RESPONSE_OVERHEAD + stored.size + len(stored.head) + len(stored.key) + selecting + tags


class Variants(LRUCache[str, tuple[StoredResponse, ...]]):
    """Variants by key, sized by weight. `evicted` is told which key had to make room for another."""

    def __init__(self, max_size: int, evicted: Callable[[str], None]) -> None:
        super().__init__(max_size, getsizeof=weight)
        self.evictions = 0
        self._evicted = evicted

    def popitem(self) -> tuple[str, tuple[StoredResponse, ...]]:
        key, variants = super().popitem()
        self.evictions += 1
        self._evicted(key)
        return key, variants

    def peek(self, key: str) -> tuple[StoredResponse, ...]:
        """What is there, without counting as a use."""
        return Cache.__getitem__(self, key) if key in self else ()

    def shrink(self, key: str, variants: tuple[StoredResponse, ...]) -> None:
        """Put something smaller in the place of what is there, without counting as a use."""
        Cache.__setitem__(self, key, variants)


class MemoryStore(Alone):
    """Responses in this process's memory, at most `max_size` bytes of them by `weight`."""

    def __init__(self, max_size: int) -> None:
        self._variants = Variants(max_size, self._changed)
        self.log = PurgeLog()
        self.epoch = 0
        self._listeners: list[Callable[[str], None]] = []

    def state(self) -> State:
        variants = self._variants
        counts = {"evictions": variants.evictions}
        return State("memory", int(variants.currsize), int(variants.maxsize), len(variants), counts)

    async def lookup(self, key: str) -> Sequence[StoredResponse]:
        return self.find(key)

    def find(self, key: str) -> Sequence[StoredResponse]:
        return all_marked(self.log, self._variants.get(key, ()))

    async def save(self, stored: StoredResponse) -> None:
        variants = added(self._variants.get(stored.key, ()), unmarked(stored))
        if variants is not None:
            self._put(stored.key, variants)

    async def replace(self, old: StoredResponse, new: StoredResponse) -> None:
        variants = renewed(self._variants.get(old.key, ()), old, unmarked(new))
        if variants is not None:
            self._put(old.key, variants)

    async def remove(self, stored: StoredResponse) -> None:
        rest = without(self._variants.get(stored.key, ()), stored)
        if rest:
            self._put(stored.key, rest)
        elif self._variants.pop(stored.key, None) is not None:
            self._changed(stored.key)

    async def clear(self) -> int:
        kept = dict(self._variants)
        self._variants.clear()
        for key in kept:
            self._changed(key)
        return sum([not is_husk(one) for variants in kept.values() for one in variants])

    async def purge(self, purge: Purge) -> int:
        self.epoch = self.log.purge(purge)
        return self.epoch

    def purge_number(self) -> int:
        return self.log.number

    def purged_since(self, key: str, number: int) -> bool:
        return self.log.touched(key, number)

    async def entries(self, selector: Selector | None = None) -> AsyncIterator[StoredResponse]:
        for place, key in enumerate(list(self._variants)):
            if place % SLICE == SLICE - 1:
                await turn()
            for one in self._variants.peek(key):
                if not is_husk(one) and (selector is None or selector.selects(key, one.tags)):
                    yield marked(self.log, one)

    async def count(self, selector: Selector, now: float) -> int | None:
        return None

    async def sweep(self) -> int:
        swept = 0
        for place, key in enumerate(list(self._variants)):
            if place % SLICE == SLICE - 1:
                await turn()
            variants = tuple([marked(self.log, one) for one in self._variants.peek(key)])
            count = sum(map(deleted, variants))
            if count:
                self._variants.shrink(key, tuple([husk(one) if deleted(one) else unmarked(one) for one in variants]))
                self._changed(key)
                swept += count
        return swept

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
