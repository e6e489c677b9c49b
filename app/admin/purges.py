"""The one way by which every purge goes: count what it hits, put it into the log, give back what it frees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from app.admin.near import Near, near_misses
from app.core.decisions import StoredResponse
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector, names_of
from app.journal import Journal
from app.store.base import Store
from app.tasks import Tasks

# How many of the responses that it hit an answer lists.
LISTED = 100


@dataclass(frozen=True, slots=True)
class Logged:
    """A purge, and its number in the log; None where it was only tried."""

    purge: Purge
    number: int | None


@dataclass(frozen=True, slots=True)
class Purged:
    """What purges did, or would do. `matched` counts stored responses, each variant by itself and once, but for those
    that were deleted before; `entries` are the first of them. `near` says what was perhaps meant, where none were hit.
    """

    matched: int
    entries: tuple[StoredResponse, ...] = ()
    near: tuple[Near, ...] = ()
    purges: tuple[Logged, ...] = ()


class Purging:
    """Carries purges out, and sweeps the store in the background, once at a time."""

    def __init__(self, store: Store, tasks: Tasks, journal: Journal) -> None:
        self._store, self._tasks, self._journal = store, tasks, journal
        self._sweeping: asyncio.Task[None] | None = None
        self._sweep_wanted = False

    async def carry_out(self, purges: Sequence[Purge], *, dry_run: bool = False, suggest: bool = True) -> Purged:
        """Carry out every purge, or, in a dry run, say what they would hit. Once it has returned they are in the log:
        whoever looks up afterwards sees them. `at` is taken as the present."""
        purges = list(dict.fromkeys(purges))
        selectors = list(dict.fromkeys(purge.selector for purge in purges))
        now = max((purge.at for purge in purges), default=0.0)
        matched, listed = await _hit(self._store, selectors, now)
        done = [Logged(purge, None if dry_run else await self._log(purge)) for purge in purges]
        if not dry_run and any(purge.mode is Mode.HARD for purge in purges):
            self.sweep()
        near = () if matched or not suggest else await near_misses(self._store, selectors)
        return Purged(matched, tuple(listed), near, tuple(done))

    async def _log(self, purge: Purge) -> int:
        number = await self._store.purge(purge)
        self._journal.purged(purge.mode)
        return number

    def sweep(self) -> None:
        """Have what was deleted given back soon."""
        self._sweep_wanted = True
        if self._sweeping is None:
            self._sweeping = self._tasks.start(self._sweep(), "sweep")

    async def _sweep(self) -> None:
        """Sweep until nothing was deleted meanwhile: a sweep may already have passed what is deleted during it."""
        try:
            while self._sweep_wanted:
                self._sweep_wanted = False
                await self._store.sweep()
        finally:
            self._sweeping = None


async def _hit(store: Store, selectors: Collection[Selector], now: float) -> tuple[int, list[StoredResponse]]:
    """How many the selectors name that are not deleted, and the first of them. Where the store can tell at once how
    many there are, no more than these are looked at."""
    selectors = [EVERYTHING] if EVERYTHING in selectors else selectors
    counts = {selector: await store.count(selector, now) for selector in selectors}
    left = [selector for selector in selectors if counts[selector] != 0]
    told = counts[left[0]] if len(left) == 1 else None
    matched, listed, seen = 0, list[StoredResponse](), set[object]()
    async with aclosing(named(store, left)) as found:
        async for one in found:
            identity = (one.key, one.variant)
            if one.purged_as(now) is Mode.HARD or identity in seen:
                continue
            if len(left) > 1:
                seen.add(identity)
            matched += 1
            if len(listed) < LISTED:
                listed.append(one)
            elif told is not None:
                break
    return max(matched, told or 0), listed


async def named(store: Store, selectors: Collection[Selector]) -> AsyncGenerator[StoredResponse]:
    """What any of the selectors names, some of it perhaps more than once: those that the store has an index for are
    asked one by one, the others are looked for in one pass."""
    if EVERYTHING in selectors:
        selectors = [EVERYTHING]
    others = [selector for selector in selectors if selector.kind not in store.indexed]
    if len(others) == 1:
        others = []
    for selector in selectors:
        if selector not in others:
            async for one in store.entries(selector):
                yield one
    if others:
        names = {selector.name for selector in others}
        prefixes = [selector for selector in others if selector.kind is Kind.PREFIX]
        async for one in store.entries():
            named = not names.isdisjoint(names_of(one.key, one.tags))
            if named or any(prefix.selects(one.key, one.tags) for prefix in prefixes):
                yield one
