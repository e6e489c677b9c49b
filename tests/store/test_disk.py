"""The disk store where it differs: what it holds and hears of, and what it does when the disk will not."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import lmdb
import pytest

from app.core.purge_log import FORGOTTEN
from app.core.purging import EVERYTHING, Mode, Purge
from app.core.purging import Kind as By
from app.store.base import StoreError, turn
from app.store.disk import changes, purging, tables
from app.store.disk.bodies import FileBody
from app.store.disk.layout import number, row_of
from app.store.disk.room import EVICTED_AT_A_TIME
from app.store.disk.store import DiskStore
from app.store.disk.writing import Writing
from tests.core.build import NOW
from tests.store import stores
from tests.store.conftest import Run
from tests.store.examples import HOME, KEY, answer, by, fill, listed, names, page, pattern, save
from tests.store.other_process import other
from tests.store.small_disk import look_for_room
from tests.store.stores import MIB, Kind, kept

SIZE = 4 * MIB
PAGE = 4_096


@pytest.fixture
def disk(tmp_path: Path, run: Run[Any]) -> Iterator[DiskStore]:
    store = DiskStore(tmp_path / "store", SIZE)
    run(store.open())
    yield store
    run(store.aclose())


def large(key: str = KEY, size: int = 200_000, **changed: Any) -> Any:
    return answer(key, body=pattern(size), size=size, **changed)


# What it holds


def test_what_was_found_is_found_again_without_the_disk(
    disk: DiskStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(save(disk, answer(), large(HOME)))
    first = [disk.find(key) for key in (KEY, HOME)]
    monkeypatch.setattr(disk._finding, "_from_disk", lambda key: pytest.fail("it was read again"))
    assert [disk.find(key) for key in (KEY, HOME)] == first


def test_a_file_that_is_not_in_memory_is_waited_for(
    disk: DiskStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileBody, "at_once", lambda *_: None)
    run(save(disk, large(), answer(HOME)))
    assert disk.find(KEY) is None
    assert disk.find(HOME)
    assert [one.body for one in run(disk.lookup(KEY))] == [pattern(200_000)]
    assert disk.find(KEY), "for it is held now"


def test_who_is_told_may_look_again_and_the_memory_stays_bounded(disk: DiskStore, run: Run[Any]) -> None:
    told = list[str]()

    def look_again(key: str) -> None:
        told.append(key)
        assert disk.find(key), "it is only out of the memory"

    run(fill(disk, range(1, 400)))
    disk.watch(look_again)
    for place in range(1, 400):
        disk.find(page(place, 0).key)
    assert disk._tier.currsize <= SIZE / 4
    assert len(told) == len(set(told)) == 399 - len(disk._tier)


def test_bodies_of_what_is_gone_are_gone_from_the_disk(disk: DiskStore, run: Run[Any], tmp_path: Path) -> None:
    def files() -> int:
        return len(list((tmp_path / "store" / "swerve.bodies").glob("??/*")))

    run(save(disk, large(number=1), large(HOME)))
    assert files() == 2
    run(save(disk, large(number=2)))
    run(disk.replace(large(number=2), large(number=3)))
    assert files() == 2
    run(save(disk, large(number=1)))
    assert files() == 2, "one that came too late is not kept"
    run(disk.remove(large()))
    assert files() == 1
    run(disk.purge(Purge(Mode.HARD, EVERYTHING)))
    run(disk.sweep())
    assert files() == 0
    run(fill(disk, range(1, 100), size=200_000))
    assert files() == len(run(names(disk))) < 99


def test_counting(disk: DiskStore, run: Run[Any]) -> None:
    run(fill(disk, range(1, 1_000), size=1, tags=("t", "u")))
    run(disk.remove(page(1)))
    selectors = [by(By.TAG, "t"), EVERYTHING, by(By.TAG, "v"), by(By.PATH, "/2"), by(By.TAG, "t", "example.com")]
    counted = [998, 998, 0, 1, None]
    assert [run(disk.count(selector, NOW)) for selector in selectors] == counted
    run(disk.purge(Purge(Mode.SOFT, EVERYTHING)))
    assert [run(disk.count(selector, NOW)) for selector in selectors] == counted, "what is stale is there"


TAG = by(By.TAG, "t")


@pytest.mark.parametrize("swept", [False, True])
def test_what_is_deleted_is_not_counted_swept_or_not(disk: DiskStore, run: Run[Any], swept: bool) -> None:
    run(fill(disk, range(1, 20), size=1, tags=("t", "u")))
    for selector in (by(By.PATH, "/3"), by(By.TAG, "w"), by(By.PATH, "/3"), by(By.PATH, "/4")):
        run(disk.purge(Purge(Mode.HARD, selector)))
    if swept:
        run(disk.sweep())
    assert [run(disk.count(one, NOW)) for one in (TAG, EVERYTHING, by(By.PATH, "/3"))] == [17, 17, 0]
    run(save(disk, replace(page(3, size=1, tags=("t",)), number=99, fetched_under=4)))
    assert [run(disk.count(one, NOW)) for one in (TAG, EVERYTHING, by(By.PATH, "/3"))] == [18, 18, 1]
    run(save(disk, replace(page(3, size=1, tags=("t",)), number=100, fetched_under=4)))
    run(save(disk, replace(page(4, size=1, tags=("t",)), number=101, fetched_under=2)))
    assert [run(disk.count(one, NOW)) for one in (TAG, EVERYTHING, by(By.PATH, "/4"))] == [18, 18, 0]


@pytest.mark.parametrize("purge", [Purge(Mode.HARD, by(By.HOST, host="example.org")), Purge(Mode.HARD, EVERYTHING)])
def test_after_other_deletions_all_is_looked_at_until_it_was_swept(
    disk: DiskStore, run: Run[Any], purge: Purge
) -> None:
    run(disk.purge(purge))
    run(fill(disk, range(1, 20), size=1, tags=("t",), fetched_under=1))
    assert run(disk.count(TAG, NOW)) is None
    run(disk.sweep())
    assert run(disk.count(TAG, NOW)) == 19
    run(save(disk, page(20, size=1, tags=("t",), fetched_under=0)))
    assert run(disk.count(TAG, NOW)) is None, "it was asked for before the purge, which may have deleted it"
    run(disk.sweep())
    assert run(disk.count(TAG, NOW)) == len([one for one in run(listed(disk.entries(TAG))) if one.purge is None])


def test_what_is_being_counted_when_the_map_is_made_larger_is_looked_at(disk: DiskStore, run: Run[Any]) -> None:
    async def story() -> None:
        await fill(disk, range(1, 5_000), size=1, tags=("t", "u"))
        await disk.purge(Purge(Mode.HARD, by(By.TAG, "u")))
        counting = asyncio.ensure_future(disk.count(TAG, NOW))
        await turn()
        assert not counting.done(), "so many take several turns"
        disk._tables.grow(2**20)
        assert await counting is None
        assert await disk.count(TAG, NOW) == 0
        assert disk.state().trouble is None
        assert not disk._tables.snapshots

    run(story())


def test_after_a_deadline_all_is_looked_at(disk: DiskStore, run: Run[Any]) -> None:
    run(fill(disk, range(1, 20), size=1, tags=("t",)))
    run(disk.purge(Purge(Mode.SOFT, TAG, deadline=NOW + 10)))
    assert [run(disk.count(TAG, NOW)), run(disk.count(TAG, NOW + 10))] == [19, None]


def test_what_comes_behind_a_sweep_is_counted_by_the_next(disk: DiskStore, run: Run[Any]) -> None:
    async def right() -> bool:
        left = [one async for one in disk.entries(TAG) if one.purge is None]
        return await disk.count(TAG, NOW) in (None, len(left))

    async def story() -> None:
        await fill(disk, range(1, 2_000), size=1, tags=("t",))
        await disk.purge(Purge(Mode.HARD, by(By.HOST, host="example.com")))
        first = asyncio.ensure_future(disk.sweep())
        await turn()
        await fill(disk, range(3_000, 3_100), size=1, tags=("t",), fetched_under=0)
        await first
        assert await right()
        await asyncio.gather(disk.sweep(), disk.sweep())
        assert await right()
        await disk.sweep()
        assert await disk.count(TAG, NOW) == 0

    run(story())


# What it hears of


def test_who_has_fallen_behind_forgets_all_that_it_holds(
    disk: DiskStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_CHANGES", 10)
    monkeypatch.setattr(changes, "TRIMMED", 1)
    run(fill(disk, range(1, 100)))
    run(disk.purge(Purge(Mode.SOFT, by(By.TAG, "a"))))
    assert [bool(disk.find(page(place, 0).key)) for place in (1, 2)] == [True, True]
    told = list[str]()
    disk.watch(told.append)
    disk._hearing.seen -= 9
    disk.catch_up()
    assert told == [page(place, 0).key for place in range(92, 100)], "these are still known"
    told.clear()
    disk._hearing.seen -= 50
    disk.catch_up()
    assert told == [page(place, 0).key for place in (1, 2)]
    assert not len(disk._tier)


def test_the_log_of_purges_is_bounded_as_in_memory(
    disk: DiskStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def purge(tag: str) -> int:
        selector = by(By.TAG, tag)
        return run(disk._change(lambda to: purging.append(to, Purge(Mode.SOFT, selector), disk.log, 3), 0))  # type: ignore[no-any-return]

    run(disk.purge(Purge(Mode.SOFT, by(By.DEPLOYMENT, "blue"))))
    run(disk.purge(Purge(Mode.SOFT, by(By.CLOCK, "60.0"))))
    assert [purge(tag) for tag in "ababababcd"] == list(range(3, 13))
    run(save(disk, answer(fetched_under=11), answer(HOME, fetched_under=10)))
    folder = Path(disk._name)
    run(disk.aclose())
    again = DiskStore(folder, SIZE)
    run(again.open())
    assert [(at, purge.selector.value) for at, purge in again.log] == [(1, "blue"), (2, "60.0"), (12, "d")]
    assert (again.log.floor, again.log.number, again.log.deployment, again.log.offset) == (11, 12, "blue", 60)
    assert [one.purge for key in (KEY, HOME) for one in run(again.lookup(key))] == [None, FORGOTTEN]
    run(again.aclose())


# What it does when the disk will not


def fail(*_: object, **__: object) -> NoReturn:
    raise lmdb.DiskError("no space left")


def test_what_cannot_be_written_is_not_kept_and_said_once(
    disk: DiskStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run(save(disk, answer(number=1)))
    with monkeypatch.context() as broken:
        broken.setattr(disk._commits, "_commit", fail)
        run(save(disk, answer(number=2), answer(HOME), large()))
        run(disk.remove(answer()))
        assert run(disk.lease(KEY, 1.0)), "better two that refresh than none"
    state = disk.state()
    assert state.counts["errors"] == 5
    assert state.trouble == "cannot write: no space left"
    assert len(caplog.records) == 1
    assert [one.number for one in run(kept(disk, KEY))] == [1]
    run(save(disk, answer(number=3)))
    assert disk.state().trouble is None


def test_what_fails_and_works_in_turn_is_said_once(
    disk: DiskStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_body: bytes) -> NoReturn:
        raise OSError("no space for files")

    monkeypatch.setattr(disk._bodies, "write", full)
    for place in range(1, 20):
        run(save(disk, large(number=place), answer(HOME, number=place)))
    assert [one.getMessage().rpartition(": ")[2] for one in caplog.records] == [
        "no space for files; going on without what it keeps", "works again",
    ]  # fmt: skip
    assert disk.state().counts["errors"] == 19


def test_a_store_that_shall_be_much_smaller_becomes_so_bit_by_bit(tmp_path: Path, run: Run[Any]) -> None:
    large_one = DiskStore(tmp_path / "store", 64 * MIB)
    run(large_one.open())
    run(fill(large_one, range(1, 2_000), size=10))
    run(large_one.aclose())
    small = DiskStore(tmp_path / "store", MIB // 8)
    run(small.open())
    evicted = list[int]()
    for place in range(2_000, 2_030):
        run(fill(small, range(place, place + 1), size=10))
        evicted.append(small.state().counts["evictions"])
    assert max(after - before for before, after in pairwise([0, *evicted])) == EVICTED_AT_A_TIME
    assert (small.state().size or 0) <= MIB // 8
    run(small.aclose())


def test_what_cannot_be_read_is_not_there(
    disk: DiskStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run(save(disk, answer()))
    monkeypatch.setattr(disk._finding, "_from_disk", fail)
    assert [disk.find(KEY), run(disk.lookup(KEY))] == [(), ()]
    assert disk.state().counts["errors"] == 2
    assert len(caplog.records) == 1


def test_a_purge_that_cannot_be_written_counts_everything_as_purged(
    disk: DiskStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(save(disk, answer()))
    before, pulse = disk.purge_number(), disk.pulse[0]
    with monkeypatch.context() as broken:
        broken.setattr(disk._commits, "_commit", fail)
        lost = run(disk.purge(Purge(Mode.HARD, by(By.TAG, "a"))))
    assert lost == disk.purge_number() == disk.epoch > before
    assert disk.pulse[0] != pulse, "so that the others look"
    assert [one.purge for one in run(disk.lookup(KEY))] == [FORGOTTEN]
    run(save(disk, answer(HOME, fetched_under=lost)))
    folder = Path(disk._name)
    run(disk.aclose())
    again = DiskStore(folder, SIZE)
    run(again.open())
    assert [one.purge for key in (KEY, HOME) for one in run(again.lookup(key))] == [FORGOTTEN, None]
    assert run(again.purge(Purge(Mode.SOFT, EVERYTHING))) > lost
    run(again.aclose())


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file can grow beyond that size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [SIZE, 64 * MIB, 256 * MIB, 512 * MIB])
def test_a_purge_that_could_not_be_written_outlives_starts_that_fail_or_have_another_size(
    tmp_path: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    folder = tmp_path / "store"
    full = DiskStore(folder, 256 * MIB)
    run(full.open())
    run(save(full, answer()))
    with monkeypatch.context() as broken:
        broken.setattr(full._commits, "_commit", fail)
        run(full.purge(Purge(Mode.HARD, by(By.TAG, "a"))))
    run(full.aclose())
    with full_disk(2 * PAGE), pytest.raises(StoreError, match="File too large"):
        run(DiskStore(folder, 256 * MIB).open())
    again = DiskStore(folder, size)
    run(again.open())
    assert [one.purge for one in run(again.lookup(KEY))] == [FORGOTTEN]
    run(again.aclose())


def test_where_not_even_what_was_had_ahead_can_be_written_it_goes_on(disk: DiskStore, run: Run[Any]) -> None:
    run(fill(disk, range(1, 100)))
    with full_disk(MIB):
        run(fill(disk, range(100, 600)))
        assert disk.state().counts["errors"] > 0
        number_then = run(disk.purge(Purge(Mode.SOFT, EVERYTHING)))
        assert disk.purge_number() == number_then
        for place in range(1, 100):
            assert all(one.purge is not None for one in run(disk.lookup(page(place, 0).key)))
    run(look_for_room(disk))
    run(save(disk, answer(fetched_under=disk.purge_number())))
    assert [one.purge for one in run(disk.lookup(KEY))] == [None]
    assert disk.state().trouble is None


def test_what_was_too_large_until_the_disk_had_room_is_not_kept_without_its_body(
    disk: DiskStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = disk._commits.room
    run(save(disk, large(number=1)))
    room.limit = PAGE
    monkeypatch.setattr(room, "see_to_it", lambda _size: setattr(room, "limit", SIZE))
    run(save(disk, large(number=2)))
    assert not run(disk.lookup(KEY))
    assert disk.state().keys == 0


def test_when_the_map_is_full_others_make_room(tmp_path: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAP_FACTOR", 0)
    monkeypatch.setattr(tables, "MAP_EXTRA", 2 * MIB)
    store = DiskStore(tmp_path / "store", SIZE)
    run(store.open())
    run(fill(store, range(1, 1_000)))
    state, left = store.state(), run(names(store))
    assert state.counts["evictions"] > 100
    assert len(left) == state.keys
    assert run(kept(store, page(999).key)) == [page(999)]
    run(store.aclose())


def test_a_map_that_another_process_has_outgrown_is_taken_over(
    tmp_path: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAP_FACTOR", 0)
    monkeypatch.setattr(tables, "MAP_EXTRA", MIB)
    store = DiskStore(tmp_path / "store", SIZE)
    run(store.open())
    with other(Kind("disk", stores.disk, stores.folder), str(tmp_path / "store"), SIZE) as second:
        second.save(*[page(place) for place in range(1, 300)])
        assert [run(kept(store, page(place).key)) for place in range(1, 300)] == [
            [page(place)] for place in range(1, 300)
        ]
        run(save(store, page(300)))
        assert second.kept(page(300).key) == [page(300)]
    assert store.state().counts["errors"] == 0
    run(store.aclose())


def test_damaged_rows_are_not_there_and_give_way(disk: DiskStore, run: Run[Any]) -> None:
    responses = [answer(), answer(HOME), *[page(place, 3_000, tags=("t",)) for place in range(1, 50)]]
    run(save(disk, *responses))
    with disk._tables.env.begin(write=True) as txn:
        for one in responses:
            data = bytearray(txn.get(row_of(one), db=disk._tables.records) or b"")
            data[len(data) // 2] ^= 1
            txn.put(row_of(one), bytes(data) if one.number % 2 else b"", db=disk._tables.records)
        txn.put(number(10**6), b"no such row", db=disk._tables.order)
    assert [run(disk.lookup(one.key)) for one in responses] == [()] * len(responses)
    run(save(disk, answer(number=1)))
    assert [one.number for one in run(disk.lookup(KEY))] == [1]
    run(disk.remove(answer(HOME)))
    run(disk.purge(Purge(Mode.HARD, EVERYTHING)))
    run(disk.sweep())
    run(fill(disk, range(100, 2_000)))
    assert run(kept(disk, page(1_999).key)) == [page(1_999).purged(Purge(Mode.HARD, EVERYTHING))]
    assert disk.state().counts["errors"] == 0


def test_a_change_of_one_process_that_is_cancelled_leaves_no_file(
    disk: DiskStore, run: Run[Any], tmp_path: Path
) -> None:
    def cancelled(*_: object, **__: object) -> NoReturn:
        raise KeyError("stopped in between")

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(Writing, "save", cancelled)
        with pytest.raises(KeyError):
            run(save(disk, large()))
    assert not list((tmp_path / "store" / "swerve.bodies").glob("??/*"))
    run(save(disk, large()))
    assert run(kept(disk, KEY)) == [large()], "and the lock is free"
