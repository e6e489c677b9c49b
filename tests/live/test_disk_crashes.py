"""What the disk store keeps when processes are killed while they write, or stand still."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.store.disk.layout import INLINE
from app.store.disk.store import DiskStore
from tests.live.disk_worker import KEYS, MAX_SIZE, is_right, key_of, response
from tests.live.swerve import ROOT, environment, within

pytestmark = pytest.mark.live

KILLS = 50
ALL_AT_ONCE = 5  # every so many kills, nobody is left


@dataclass
class Worker:
    """A process that uses the store, started again after each kill; `kept` and `purged` are what it has told of;
    `unsaid` are the keys that it may have changed without."""

    name: str
    folder: Path
    number: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    unsaid: set[str] = field(default_factory=set)
    purged: int = 0
    wrong: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> Path:
        return self.folder.with_name(f"output-{self.name}")

    def start(self) -> None:
        words = [sys.executable, "-m", "tests.live.disk_worker", str(self.folder), self.name, str(self.number)]
        with self.output.open("wb") as sink:
            self.process = subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=sink, stdin=subprocess.DEVNULL)

    def told(self) -> list[str]:
        """Whole lines only."""
        return self.output.read_text().rpartition("\n")[0].splitlines()

    async def until_busy(self, after: int) -> None:
        assert self.process is not None
        deadline = time.monotonic() + 30
        while len(self.told()) < after:
            assert self.process.poll() is None, f"{self.name} ended by itself"
            assert time.monotonic() < deadline, f"{self.name} did nothing"
            await asyncio.sleep(0.01)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL
        for line in self.told():
            word, number = line.split()
            self._hear(word, int(number))
        self.unsaid |= {key_of(self.name, self.number), key_of(self.name, self.number + 1)}  # removed, or kept
        self.number += 1

    def _hear(self, word: str, number: int) -> None:
        key = key_of(self.name, number)
        if word == "kept":
            self.number = number
            self.kept[key] = number
            self.unsaid.discard(key)
        elif word == "removed":
            del self.kept[key]
        elif word == "purged":
            self.purged = number
        elif word == "wrong":
            self.wrong.append(f"{self.name} found {number}")


async def check(store: DiskStore, workers: list[Worker]) -> None:
    """What was told of is there, or what the worker did next; and everything is whole."""
    for worker in workers:
        assert worker.wrong == []
        for number in range(KEYS):
            key = key_of(worker.name, number)
            found = await store.lookup(key)
            assert len(found) <= 1
            for one in found:
                assert await is_right(one), f"{key} is not what was kept"
            if key not in worker.unsaid:
                expected = [worker.kept[key]] if key in worker.kept else []
                assert [one.number for one in found] == expected, f"{key} is lost"
    assert store.purge_number() >= max(worker.purged for worker in workers)
    listed = [one.key async for one in store.entries()]
    state = store.state()
    assert len(listed) == len(set(listed)) == state.keys
    assert (state.trouble, state.counts["errors"]) == (None, 0)


@within(240)
async def test_killed_fifty_times_under_load_it_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    folder, chance = tmp_path / "store", random.Random(7)
    workers = [Worker(name, folder) for name in "ab"]
    store = DiskStore(folder, MAX_SIZE)
    await store.open()
    try:
        for worker in workers:
            worker.start()
        for kill in range(KILLS):
            victims = workers if kill % ALL_AT_ONCE == 0 else [workers[kill % 2]]
            for victim in victims:
                await victim.until_busy(chance.randrange(5, 60))
            await asyncio.sleep(chance.random() * 0.02)
            for victim in victims:
                victim.kill()
            if victims == workers:
                await store.aclose()
                store = DiskStore(folder, MAX_SIZE)
                await store.open()
                await check(store, workers)
            for victim in victims:
                victim.start()
    finally:
        for worker in workers:
            if worker.process is not None and worker.process.poll() is None:
                worker.kill()
    await check(store, workers)
    large = [one async for one in store.entries() if one.size > INLINE]
    await store.aclose()
    again = DiskStore(folder, MAX_SIZE)
    await again.open()
    files = list((folder / "swerve.bodies").glob("??/*"))
    await again.aclose()
    assert len(files) == len(large) > 0, "what nobody had told of is swept away at the start"
    assert not list(folder.glob("*.damaged-*"))


class Holder:
    """A process that stands still in the middle of a change."""

    def __init__(self, folder: Path, where: str) -> None:
        words = [sys.executable, "-m", "tests.live.disk_holder", str(folder), where]
        self.process = subprocess.Popen(
            words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"holding\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.mark.parametrize("where", ["in a transaction", "in the lock of LMDB"])
@within(60)
async def test_who_is_killed_in_the_middle_of_a_change_holds_nobody_up(tmp_path: Path, where: str) -> None:
    folder = tmp_path / "store"
    store = DiskStore(folder, MAX_SIZE)
    await store.open()
    holder = await asyncio.to_thread(Holder, folder, where)
    holder.kill()
    await store.save(response("GET http example.com /a", 1))
    assert [one.number for one in await store.lookup("GET http example.com /a")] == [1]
    assert not await store.lookup("GET http example.com /held"), "what was not committed has not happened"
    assert store.state().counts["errors"] == 0
    await store.aclose()


@within(60)
async def test_what_was_committed_by_who_died_before_telling_is_heard_of_soon(tmp_path: Path) -> None:
    folder, heard = tmp_path / "store", asyncio.Event()
    store = DiskStore(folder, MAX_SIZE)
    await store.open()
    await store.save(response("GET http example.com /held", 1))
    await store.lookup("GET http example.com /held")
    store.watch(lambda _: heard.set())
    holder = await asyncio.to_thread(Holder, folder, "before telling")
    holder.kill()
    await asyncio.wait_for(heard.wait(), 5)
    assert [one.number for one in await store.lookup("GET http example.com /held")] == [2]
    await store.aclose()


@within(60)
async def test_who_stands_still_in_a_change_keeps_others_from_changes_and_not_from_reading(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = DiskStore(folder, MAX_SIZE)
    await store.open()
    await store.save(response("GET http example.com /a", 1))
    holder = await asyncio.to_thread(Holder, folder, "in a transaction")
    saving = asyncio.create_task(store.save(response("GET http example.com /a", 2)))
    while not saving.done():
        assert [one.number for one in await store.lookup("GET http example.com /a")] == [1]
        await asyncio.sleep(0.01)
    state = store.state()
    assert state.counts["errors"] > 0
    assert state.trouble is not None
    holder.kill()
    await store.save(response("GET http example.com /a", 3))
    assert [one.number for one in await store.lookup("GET http example.com /a")] == [3]
    assert store.state().trouble is None
    await store.aclose()
