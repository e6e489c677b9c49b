"""The Redis store: Redis keeps what all share, a memory tier in front answers most lookups.

What several machines may rely on:
- A purge that was acknowledged is seen by every lookup that asks Redis from then on, on every machine, and by whatever
  a machine answers from its own memory after at most BOUND seconds (trust.py; usually it takes a few milliseconds).
- A response that another machine has replaced is answered from memory until the news of it arrives, normally as fast.
  If that news is lost (Redis fails in between), it may be until it is stale: an older answer that is still fresh.
- While Redis is away or slow, lookups find nothing and nothing is kept: a slower proxy, one warning when it goes and
  one when it is back, never an error to a client. A purge then raises StoreError, for nobody else has heard of it; this
  process obeys it at once, and sends it as soon as Redis is back, before it uses anything that is stored there.
- A Redis that lost its data, or fell behind in a failover: see news.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from app.core.decisions import StoredResponse
from app.core.purge_log import PurgeLog
from app.core.purging import Kind, Purge, Selector
from app.store.base import State, StoreError, added, all_marked, is_husk, marked, renewed, unmarked, without
from app.store.redis import news as told
from app.store.redis.address import Address
from app.store.redis.follower import Follower
from app.store.redis.layout import Names
from app.store.redis.link import Link, misconfigured
from app.store.redis.news import News
from app.store.redis.shelf import Shelf
from app.store.redis.tier import Tier
from app.store.redis.trust import BOUND, Trust

log = logging.getLogger("swerve")

# Clients choose keys, and Redis keeps thousands of marks: of longer ones the others learn by themselves.
LONGEST_MARKED = 1_024

Start = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]


class RedisStore:
    """Responses in one Redis, and at most `tier_size` bytes of them in this process's memory.

    `start` begins a task (app/tasks.py) that runs until `aclose`: give it Tasks of the store's own, for those of the
    request path are drained while the store is still needed. `timeout`: seconds within which Redis answers, or is not
    waited for. `bound`: for how long memory stands without word from Redis.
    """

    shared = True
    indexed = frozenset({Kind.TAG, Kind.URL, Kind.PATH})

    def __init__(
        self, address: Address, tier_size: int, start: Start, *, timeout: float = 0.25, bound: float = BOUND
    ) -> None:
        self.epoch = 0
        self._trust = Trust(bound)
        self.pulse: Sequence[int] | memoryview = self._trust
        self._start = start
        self._task: asyncio.Task[None] | None = None
        self._link, self._tier, names = Link(address, timeout), Tier(tier_size), Names(address.namespace)
        self._news = News(self._link, names, self)
        self.log: PurgeLog = self._news.purges
        self._follower = Follower(self._news, self._trust)
        self._shelf = Shelf(self._link, names, self._news)
        self._marks: list[Callable[[str, bool], None]] = []

    async def open(self) -> None:
        """Raises StoreError for what waiting will not mend. One that does not answer yet is waited for meanwhile."""
        self._link.open()
        try:
            await self._follower.start()
        except StoreError as error:
            if (advice := misconfigured(error)) is not None:
                await self._link.aclose()
                raise StoreError(f"{self._link.address.shown}: {advice} ({error})") from None
        self._task = self._start(self._follower.run(), "follow the news of the store")

    async def aclose(self) -> None:
        self._follower.close()
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._link.aclose()

    async def advice(self) -> str | None:
        """Whether Redis may evict the log of purges, as far as it tells us."""
        link, policy = self._link, b""
        with suppress(StoreError):  # many who offer Redis let nobody ask
            policy = await link.policy()
        if not policy.startswith(b"allkeys-"):
            return None
        fix = "set volatile-lru or volatile-lfu, or what is stored there is lost each time"
        return f"{link.address.shown} has maxmemory-policy {policy.decode()} and may evict the log of purges; {fix}"

    async def lookup(self, key: str) -> Sequence[StoredResponse]:
        if self._trust.stands() and (kept := self._tier.get(key)) is not None:
            return all_marked(self.log, kept)
        if self._follower.owes:
            return ()
        before = self.log.number
        try:
            with self._tier.reading(key) as reading:
                kept, log_there, number = await self._shelf.read(key)
                if not await self._news.heard(log_there, number, before):
                    return ()
                self._tier.settle(key, reading, kept)
        except StoreError:
            return ()
        return all_marked(self.log, kept)

    def find(self, key: str) -> Sequence[StoredResponse] | None:
        kept = self._tier.lend(key) if self._trust.stands() else None
        return None if kept is None else all_marked(self.log, kept)

    async def save(self, stored: StoredResponse) -> None:
        key, stored = stored.key, unmarked(stored)
        try:
            with self._tier.reading(key) as reading:
                before, count = await self._shelf.save(stored)
                if count < 0:  # what is there is newer
                    return
                known = self._tier.get(key)
                kept = (stored,) if count == 1 else None if known is None else added(known, stored)
                self._tier.settle(key, reading, kept if kept and len(kept) == count else None, changed=True)
            if before or known:
                await self._news.tell(told.CHANGE, key)
        except StoreError:
            self._tier.drop(key)

    async def replace(self, old: StoredResponse, new: StoredResponse) -> None:
        key, new = old.key, unmarked(new)
        try:
            with self._tier.reading(key) as reading:
                if not await self._shelf.replace(old, new):
                    self._tier.drop(key)
                    return
                known = self._tier.get(key)
                kept = None if known is None else renewed(known, old, new)
                self._tier.settle(key, reading, kept, changed=True)
            await self._news.tell(told.CHANGE, key)
        except StoreError:
            self._tier.drop(key)

    async def remove(self, stored: StoredResponse) -> None:
        key = stored.key
        try:
            with self._tier.reading(key) as reading:
                if not await self._shelf.remove(stored):
                    self._tier.drop(key)
                    return
                known = self._tier.get(key)
                kept = None if known is None else without(known, stored)
                self._tier.settle(key, reading, kept, changed=True)
            await self._news.tell(told.CHANGE, key)
        except StoreError:
            self._tier.drop(key)

    async def clear(self) -> int:
        dropped = 0
        with suppress(StoreError):  # and then it is not all
            async for one in self._shelf.every():
                await self.remove(one)
                dropped += not is_husk(one)
        return dropped

    async def purge(self, purge: Purge) -> int:
        """Raises StoreError where Redis did not acknowledge it: then it is obeyed here, and sent later."""
        try:
            return await self._news.purge(purge)
        except StoreError as error:
            self._follower.owe(purge)
            raise StoreError(
                f"purge of {purge.selector.words} not acknowledged, and sent again later: {error}"
            ) from None

    def purged_since(self, key: str, number: int) -> bool:
        return self.log.touched(key, number) or self._follower.may_name(key)

    def purge_number(self) -> int:
        return self.log.number

    async def entries(self, selector: Selector | None = None) -> AsyncIterator[StoredResponse]:
        with suppress(StoreError):  # and then it is not all
            async for one in self._shelf.all(selector):
                yield marked(self.log, one)

    async def count(self, selector: Selector, now: float) -> int | None:
        return None

    async def sweep(self) -> int:
        """One of all who share the store sweeps at a time; the others sweep nothing meanwhile."""
        swept = 0
        with suppress(StoreError):  # what is left is swept the next time
            async for key in self._shelf.sweep():
                self._tier.drop(key)
                swept += 1
        return swept

    def touch(self, key: str) -> None:
        self._tier.get(key)

    def watch(self, listener: Callable[[str], None]) -> None:
        self._tier.watch(listener)

    def catch_up(self) -> None:
        if not self._trust.stands():
            self._tier.take_back()

    async def lease(self, key: str, seconds: float) -> bool:
        """Without Redis each machine refreshes for itself."""
        try:
            return await self._shelf.lease(key, seconds)
        except StoreError:
            return True

    async def release(self, key: str) -> None:
        with suppress(StoreError):  # it ends by itself
            await self._shelf.release(key)

    async def mark(self, key: str, *, cacheable: bool) -> None:
        if len(key) > LONGEST_MARKED:
            return
        with suppress(StoreError):  # it costs the others a moment of collapsing
            await self._news.tell(told.CACHEABLE if cacheable else told.UNCACHEABLE, key)

    def watch_marks(self, listener: Callable[[str, bool], None]) -> None:
        self._marks.append(listener)

    def state(self) -> State:
        """Size and limit are the memory tier's."""
        link, tier = self._link, self._tier.variants
        counts = {
            **link.counts, **self._news.counts, "evictions": tier.evictions, "in_memory": len(tier),
            "seconds_away": int(link.seconds_away), "trust_lost": self._trust.losses,
            "purges_owed": self._follower.owes,
        }  # fmt: skip
        trouble = f"{link.address.shown} is away" if link.away else None
        return State("redis", int(tier.currsize), int(tier.maxsize), None, counts, trouble)

    def purged(self) -> None:
        self.epoch = self.log.number
        self._trust.moves += 1

    def changed(self, key: str) -> None:
        self._tier.drop(key)
        self._trust.moves += 1

    def marked(self, key: str, cacheable: bool) -> None:
        for listener in self._marks:
            listener(key, cacheable)

    def missed(self) -> None:
        self._tier.forget()
