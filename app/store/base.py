"""What a store does: keep and find. It never judges freshness, parses a header or reads a clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from app.core.decisions import StoredResponse
from app.core.key import base_of


class Store(Protocol):
    """Where responses are kept, by cache key.

    `epoch` moves with every purge: what was found under another may have been spoiled since.
    """

    epoch: int

    async def lookup(self, key: str) -> Sequence[StoredResponse]:
        """Every response under the key; those that were invalidated after they were fetched say so."""

    def find(self, key: str) -> Sequence[StoredResponse] | None:
        """The same at once; None where it needs to be waited for."""

    async def save(self, stored: StoredResponse) -> None:
        """Keep it, in place of the one of the same variant, unless that is newer or missed no purge as this has."""

    async def replace(self, old: StoredResponse, new: StoredResponse) -> None:
        """Keep `new` in place of `old`, if that is still there: what came later, or was dropped, stays as it is."""

    async def remove(self, stored: StoredResponse) -> None:
        """Drop the one of the same variant."""

    async def invalidate(self, base: str) -> None:
        """Spoil all responses under the keys of this base that were fetched until now (RFC 9111 §4.4)."""

    def purge_number(self) -> int:
        """The number of the last purge: what is fetched from now on is not touched by it."""

    def purged_since(self, key: str, number: int) -> bool:
        """Whether a purge after that one spoiled the key."""

    def touch(self, key: str) -> None:
        """Count as a use of the key that it was answered without a lookup."""

    def watch(self, listener: Callable[[str], None]) -> None:
        """Call the listener with the key whenever what is kept under it has changed, or had to make room for others."""


class PurgeLog:
    """Numbered purges, kept as the last number per base: «fetched before its purge?» is a comparison of two integers.

    That holds for a fetch in flight too. The log is bounded: what falls out of it raises the floor, under which
    everything counts as purged, which costs a validation but never serves what was spoiled.
    """

    def __init__(self, length: int = 10_000) -> None:
        self.number = 0
        self._length = length
        self._floor = 0
        self._last: OrderedDict[str, int] = OrderedDict()

    def purge(self, base: str) -> None:
        self.number += 1
        self._last[base] = self.number
        self._last.move_to_end(base)
        if len(self._last) > self._length:
            _, self._floor = self._last.popitem(last=False)

    def purged_since(self, key: str, number: int) -> bool:
        if number >= self.number:
            return False
        return number < self._floor or number < self._last.get(base_of(key), 0)
