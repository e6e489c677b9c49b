"""The same store in another process: told what to do, one call at a time."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from app.core.decisions import StoredResponse
from app.core.purging import Purge
from app.store.base import Store
from tests.store.stores import Kind, kept, opened

PATIENCE = 30


class Other:
    """A store in a process of its own. Its methods are those of a store, but they wait."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, *stored: StoredResponse) -> None:
        for one in stored:
            self.ask("save", one)

    def replace(self, old: StoredResponse, new: StoredResponse) -> None:
        self.ask("replace", old, new)

    def remove(self, stored: StoredResponse) -> None:
        self.ask("remove", stored)

    def kept(self, key: str) -> list[StoredResponse]:
        found: list[StoredResponse] = self.ask("kept", key)
        return found

    def purge(self, purge: Purge) -> int:
        return int(self.ask("purge", purge))

    def purge_number(self) -> int:
        return int(self.ask("purge_number"))

    def sweep(self) -> int:
        return int(self.ask("sweep"))

    def lease(self, key: str, seconds: float) -> bool:
        return bool(self.ask("lease", key, seconds))

    def release(self, key: str) -> None:
        self.ask("release", key)

    def mark(self, key: str, *, cacheable: bool) -> None:
        self.ask("mark", key, cacheable)

    def ask(self, name: str, *arguments: object) -> Any:
        self._connection.send((name, arguments))
        if not self._connection.poll(PATIENCE):
            raise TimeoutError(f"the other process did not answer {name} within {PATIENCE} s")
        good, answer = self._connection.recv()
        if not good:
            raise AssertionError(f"{name} failed in the other process: {answer}")
        return answer


@contextmanager
def other(kind: Kind, place: str, max_size: int) -> Iterator[Other]:
    """A second handle on the store at that place, until the block ends."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(kind, place, max_size, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        remote = Other(ours)
        remote.ask("epoch")  # so that it is open
        yield remote
    finally:
        ours.close()
        process.join(PATIENCE)
        process.kill()
        process.join()


def _run(kind: Kind, place: str, max_size: int, connection: Connection) -> None:
    asyncio.run(_obey(kind, place, max_size, connection))


async def _obey(kind: Kind, place: str, max_size: int, connection: Connection) -> None:
    async with opened(kind, place, max_size) as store:
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(connection.fileno(), readable.set)
        while True:
            await readable.wait()
            readable.clear()
            try:
                while connection.poll():
                    name, arguments = connection.recv()
                    connection.send(await _answer(store, name, arguments))
            except EOFError:
                return


async def _answer(store: Store, name: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        if name == "kept":
            return True, await kept(store, *arguments)
        if name == "epoch":
            return True, store.epoch
        if name == "mark":
            await store.mark(arguments[0], cacheable=arguments[1])
            return True, None
        answer = getattr(store, name)(*arguments)
        return True, await answer if asyncio.iscoroutine(answer) else answer
    except Exception as error:
        return False, repr(error)
