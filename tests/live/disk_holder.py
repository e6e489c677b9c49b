"""A process that begins to change a disk store, says so, and stands still: in the middle, or before it has told."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

from app.store.disk import words, writing
from app.store.disk.store import DiskStore
from tests.live.disk_worker import MAX_SIZE, response


def stand_still(*_: Any) -> None:
    print("holding", flush=True)
    signal.pause()


async def hold(folder: Path, where: str) -> None:
    store = DiskStore(folder, MAX_SIZE)
    await store.open()
    if where == "before telling":
        words.Words.tell = stand_still  # type: ignore[method-assign, assignment]
    else:
        writing.Writing.finish = stand_still  # type: ignore[method-assign, assignment]
    if where == "in the lock of LMDB":  # and not in our own
        store._commits.transaction(lambda to: to.save(held(), held().body, in_file=False))
    await store.save(held())


def held() -> Any:
    return response("GET http example.com /held", 2)


if __name__ == "__main__":
    asyncio.run(hold(Path(sys.argv[1]), sys.argv[2]))
