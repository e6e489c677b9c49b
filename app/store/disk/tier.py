"""What a process has decoded, in its own memory: so that a hit costs what it costs in the memory store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from app.core.decisions import StoredResponse
from app.store.memory import weight

# What Python keeps around what is held, beside the responses: rounded up.
HELD_OVERHEAD = 250
MOST = 64 * 2**20
# The largest part of the tier that the variants of one key may take.
PART = 4


@dataclass(frozen=True, slots=True)
class Held:
    """The variants of a key, and where uses of them are noted."""

    variants: tuple[StoredResponse, ...]
    slots: tuple[int, ...]


class Tier(LRUCache[str, Held]):
    """By key, sized as in the memory store. `dropped` are the keys that had to make room and nobody was told of yet."""

    def __init__(self, max_size: int) -> None:
        super().__init__(max_size, getsizeof=_weight)
        self.dropped: list[str] = []

    def popitem(self) -> tuple[str, Held]:
        key, held = super().popitem()
        self.dropped.append(key)
        return key, held

    def hold(self, key: str, held: Held) -> None:
        """Hold what fits in."""
        if _weight(held) <= self.maxsize / PART and all(isinstance(one.body, bytes) for one in held.variants):
            self[key] = held

    def empty(self) -> Sequence[str]:
        keys = list(self)
        self.clear()
        return keys


def _weight(held: Held) -> int:
    return HELD_OVERHEAD + weight(held.variants)
