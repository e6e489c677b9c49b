"""Stores as several machines open them, each with a memory tier of its own, on one Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from app.core.decisions import StoredResponse
from app.core.purging import EVERYTHING, Mode, Purge, Selector
from app.store.redis.address import Address
from app.store.redis.store import RedisStore
from app.tasks import Tasks

MIB = 2**20


@asynccontextmanager
async def machine(url: str, tier: int = 16 * MIB, **options: float) -> AsyncIterator[RedisStore]:
    store = RedisStore(Address.of(url), tier, Tasks().start, **options)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def machines(*urls: str) -> AsyncIterator[list[RedisStore]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(machine(url)) for url in urls]


async def come_true(condition: Callable[[], bool], patience: float = 10.0) -> float:
    """How many seconds it took."""
    started = time.perf_counter()
    while not condition():
        assert time.perf_counter() - started < patience, "it did not come true"
        await asyncio.sleep(0.001)
    return time.perf_counter() - started


def deletion(selector: Selector = EVERYTHING) -> Purge:
    return Purge(Mode.HARD, selector)


async def usable(store: RedisStore, key: str) -> list[StoredResponse]:
    """What a lookup finds that no purge has hit."""
    return [one for one in await store.lookup(key) if one.purge is None]


def at_once(store: RedisStore, key: str) -> list[StoredResponse]:
    """What could be answered without waiting for Redis."""
    return [one for one in store.find(key) or () if one.purge is None]
