"""A process that uses a disk store without a pause, until it is killed: it tells of each change once that is done."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from app.core.decisions import StoredResponse
from app.core.directives import Directives
from app.core.freshness import Freshness
from app.core.purging import Kind, Mode, Purge, Selector
from app.store.disk.store import DiskStore
from tests.store.stores import whole

MAX_SIZE = 512 * 2**20
KEYS = 150
# In KiB, the usual ones more often: in LMDB's leaves, in pages of their own, in files, in files that are streamed.
SIZES = [1] * 20 + [3, 8, 20] * 5 + [64, 200] * 2 + [1_500]


def key_of(worker: str, number: int) -> str:
    return f"GET http example.com /{worker}/{number % KEYS}"


def response(key: str, number: int, under: int = 0) -> StoredResponse:
    """One whose every byte follows from its key and its number."""
    source = random.Random(f"{key} {number}")
    body = source.randbytes(source.choice(SIZES) * 1_024 + source.randrange(100))
    head = b"x-number\0%d\0" % number
    return StoredResponse(
        key, (), 200, head, Directives(), Freshness(0.0, 60.0), body, len(body), number=number, fetched_under=under,
        tags=(f"tag-{number % 7}",),
    )  # fmt: skip


async def is_right(found: StoredResponse) -> bool:
    expected = response(found.key, found.number)
    body = await whole(found.body, 0, found.size)
    return (body, found.head, found.tags) == (expected.body, expected.head, expected.tags)


async def work(folder: Path, worker: str, number: int) -> None:
    store = DiskStore(folder, MAX_SIZE)
    await store.open()
    tell("open 0")
    while True:
        number += 1
        await store.save(response(key_of(worker, number), number, store.purge_number()))
        tell(f"kept {number}")
        for found in await store.lookup(key_of(random.choice("ab"), random.randrange(KEYS))):
            if not await is_right(found):
                tell(f"wrong {found.number}")
        if number % 50 == 0:
            tell(f"purged {await store.purge(Purge(Mode.SOFT, Selector(Kind.TAG, f'tag-{number % 7}')))}")
        if number % 97 == 0:
            await store.remove(response(key_of(worker, number), number))
            tell(f"removed {number}")


def tell(line: str) -> None:
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
