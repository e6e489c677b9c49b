"""Every store that there is, for the contract suite. One line in KINDS has a store tested like all others."""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from app.core.decisions import StoredResponse
from app.store.base import Body, Store
from app.store.disk.store import DiskStore
from app.store.memory import MemoryStore
from app.store.redis.address import Address
from app.store.redis.store import RedisStore
from app.tasks import Tasks
from tests.live.redis_server import redis_server

MIB = 2**20
POLL = 0.005
# Seconds for which a test waits for Redis where the machine is busy; tests/live has those of the deadline itself.
PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of store.

    `make` opens nothing: it is given a place and a maximum size in bytes, and is a function of a module, because other
    processes call it too. `place`: where a store of its own may keep its things, for one test. `delay`: for how many
    seconds a change by one process may stay unseen by another; 0: it is seen at once. `bounded`: it keeps to the size
    that it is given by itself; Redis has a setting of its own for that.
    """

    name: str
    make: Callable[[str, int], Store]
    place: Callable[[Path], AbstractContextManager[str]]
    shared: bool = False
    lasting: bool = False
    delay: float = 0.0
    bounded: bool = True


def memory(place: str, max_size: int) -> Store:
    return MemoryStore(max_size)


def disk(place: str, max_size: int) -> Store:
    return DiskStore(Path(place), max_size)


def redis(place: str, max_size: int) -> Store:
    return RedisStore(Address.of(place), max_size, Tasks().start, timeout=PATIENCE)


@contextmanager
def server(path: Path) -> Iterator[str]:
    """A namespace of its own in one server; $CONTRACT_REDIS names another one than ours."""
    yield f"{os.environ.get('CONTRACT_REDIS') or _shared_server()}?namespace={uuid4().hex}"


@functools.cache
def _shared_server() -> str:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(redis_server()).url


@contextmanager
def folder(path: Path) -> Iterator[str]:
    yield str(path / "store")


KINDS = [
    Kind("memory", memory, folder),
    Kind("disk", disk, folder, shared=True, lasting=True),
    Kind("redis", redis, server, shared=True, lasting=True, delay=0.25, bounded=False),
]
SHARED = [kind for kind in KINDS if kind.shared]
BOUNDED = [kind for kind in KINDS if kind.bounded]
LASTING = [kind for kind in KINDS if kind.lasting]


@asynccontextmanager
async def opened(kind: Kind, place: str, max_size: int = 64 * MIB) -> AsyncIterator[Store]:
    store = kind.make(place, max_size)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


async def whole(body: bytes | Body, start: int = 0, stop: int | None = None) -> bytes:
    """A stored body, or a part of it. `stop` must be given for what is not bytes."""
    if isinstance(body, bytes):
        return body[start:stop]
    assert stop is not None
    return b"".join([chunk async for chunk in body.chunks(start, stop)])


async def kept(store: Store, key: str) -> list[StoredResponse]:
    """What is stored under a key, with bodies that are bytes, the oldest first."""
    found = await store.lookup(key)
    return [_with(one, await whole(one.body, 0, one.size)) for one in sorted(found, key=lambda one: one.number)]


def _with(one: StoredResponse, body: bytes) -> StoredResponse:
    return replace(one, body=body)


async def until(kind: Kind, condition: Callable[[], bool]) -> bool:
    """Whether the condition holds, at the latest after the delay that the store promises."""
    deadline = time.monotonic() + kind.delay
    while not condition():
        if time.monotonic() >= deadline:
            return condition()
        await asyncio.sleep(POLL)
    return True
