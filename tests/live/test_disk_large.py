"""The disk store with much in it: how soon it is open, how soon something is found, how soon a tag is purged."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

import pytest

from app.core.purging import Kind, Mode, Purge, Selector
from app.store.disk.layout import INLINE
from app.store.disk.store import DiskStore
from bench.disk import TAGS, response, response_key
from tests.live.swerve import within

pytestmark = pytest.mark.live

GIB = 2**30
RESPONSES = 50_000
LARGE, IN_RECORDS, IN_FILES = 2 * GIB, INLINE, 2**20
OPENED_IN = 2.0
# What the issue of a million is, in the benchmark: a twentieth of it here, with a wide margin for a busy machine.
FOUND_P99, PURGED_IN = 0.001, 1.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is gone at once, not after some more runs of the tests: much is in it."""
    place = Path(tempfile.mkdtemp(prefix="swerve-large-"))
    yield place / "store"
    shutil.rmtree(place)


def filled_and_killed(folder: Path) -> int:
    """How many responses a process has stored, that was killed then."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=fill, args=(folder, theirs), daemon=True)
    process.start()
    theirs.close()
    count: int = ours.recv()
    process.kill()
    process.join()
    ours.close()
    return count


def fill(folder: Path, done: Connection) -> None:
    async def fill_and_tell() -> None:
        store = DiskStore(folder, 3 * GIB)
        await store.open()
        number = 0
        while (store.state().size or 0) < LARGE:
            size = IN_FILES if number % 16 == 0 else IN_RECORDS
            await store.save(replace(response(number), body=bytes(size), size=size))
            number += 1
        done.send(number)
        await asyncio.Event().wait()

    asyncio.run(fill_and_tell())


@within(120)
async def test_with_2_gib_in_it_it_is_open_within_2_seconds_after_a_kill(folder: Path) -> None:
    free = shutil.disk_usage(folder.parent).free
    if free < 3 * GIB:
        pytest.skip(f"only {free // 2**20} MiB are free in {folder.parent}")
    count = await asyncio.to_thread(filled_and_killed, folder)
    started = perf_counter()
    store = DiskStore(folder, 3 * GIB)
    await store.open()
    took = perf_counter() - started
    found = [await store.lookup(response_key(one)) for one in (0, 1, count - 1)]
    await store.aclose()
    assert all(found)
    assert took < OPENED_IN


@within(120)
async def test_among_50_000_one_is_found_and_a_tenth_of_them_purged(folder: Path) -> None:
    store = DiskStore(folder, GIB)
    await store.open()
    for number in range(RESPONSES):
        await store.save(response(number))
    times = []
    for number in range(0, RESPONSES, 7):
        started = perf_counter()
        found = store.find(response_key(number))
        times.append(perf_counter() - started)
        assert found
    tag = Selector(Kind.TAG, "section-1")
    started = perf_counter()
    named = [one.key async for one in store.entries(tag)]
    await store.purge(Purge(Mode.SOFT, tag))
    took = perf_counter() - started
    [purged], [other] = await store.lookup(response_key(1)), await store.lookup(response_key(2))
    await store.aclose()
    assert len(named) == len(set(named)) == RESPONSES // TAGS
    assert (purged.purge is not None, other.purge) == (True, None)
    assert sorted(times)[len(times) * 99 // 100] < FOUND_P99
    assert took < PURGED_IN
