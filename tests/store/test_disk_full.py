"""The disk store on a file system that is full before the store's maximum is reached."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.purging import Kind as By
from app.core.purging import Mode, Purge
from app.store.disk.store import DiskStore
from tests.core.build import NOW
from tests.store import stores
from tests.store.conftest import Run
from tests.store.examples import KEY, answer, by, fill, names, page, pattern, save
from tests.store.other_process import other
from tests.store.small_disk import look_for_room, small_disk
from tests.store.stores import MIB, Kind, kept

DISK, MAX_SIZE = 8 * MIB, 64 * MIB
KIND = Kind("disk", stores.disk, stores.folder)
FULL = "the disk is full (No space left on device): until it has room, what comes takes the place of what was not used"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", DISK) as path:
        yield path


@pytest.fixture
def disk(there: Path, run: Run[Any]) -> Iterator[DiskStore]:
    store = DiskStore(there / "store", MAX_SIZE)
    run(store.open())
    yield store
    run(store.aclose())


async def keep(store: DiskStore, *numbers: int, **changes: Any) -> None:
    """Each is there as soon as it was saved, however full the disk is."""
    for number in numbers:
        await fill(store, range(number, number + 1), **changes)
        assert [one.number for one in await store.lookup(page(number, 0).key)] == [number]


async def begun_anew(store: DiskStore) -> None:
    store._poll()
    assert store._folder._returning is not None
    await store._folder._returning


def fill_up(path: Path) -> None:
    """Another program takes all that is left."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4_096))
        except OSError:
            pass


# Their size, how many come, how many MiB of them stay. The log of changes, which is not part of the size, takes some
# 2 MiB where changes are many.
@pytest.mark.parametrize(
    "pages", [(10, 12_000, 2), (5_000, 2_000, 5), (30_000, 400, 5), (100_000, 150, 5), (MIB, 20, 5)], ids=str
)
def test_what_comes_takes_the_place_of_what_was_not_used(
    disk: DiskStore, run: Run[Any], caplog: pytest.LogCaptureFixture, pages: tuple[int, int, int]
) -> None:
    size, count, least = pages
    run(keep(disk, *range(1, count), size=size, tags=("a", "b")))
    state, left = disk.state(), run(names(disk))
    assert len(left) == state.keys == count - 1 - state.counts["evictions"] < count - 1
    assert (state.size or 0) > least * MIB, "most of the disk is used"
    assert state.counts["errors"] == 0
    assert state.trouble == "the disk is full: No space left on device"
    assert [one.getMessage() for one in caplog.records] == [
        f"store {disk._name}: {FULL}; free some, or lower --max-size"
    ]


def test_what_is_used_stays(disk: DiskStore, run: Run[Any]) -> None:
    async def use_some_and_fill() -> None:
        await fill(disk, range(1, 11))
        await fill(disk, range(11, 21), size=50_000)
        for number in range(21, 500):
            for used in range(1, 21):
                disk.touch(page(used, 0).key)
            await disk.save(page(number, 50_000 if number % 2 else 5_000))

    run(use_some_and_fill())
    assert {page(number, 0).key for number in range(1, 21)} <= set(run(names(disk)))
    assert disk.state().counts["errors"] == 0


def test_it_takes_what_fits_for_its_maximum_until_there_is_room(
    disk: DiskStore, there: Path, run: Run[Any], caplog: pytest.LogCaptureFixture
) -> None:
    (there / "other").write_bytes(bytes(4 * MIB))
    run(keep(disk, *range(1, 1_200)))
    run(look_for_room(disk))
    state = disk.state()
    assert (state.size or 0) <= (state.limit or 0) < 4 * MIB
    (there / "other").unlink()
    run(look_for_room(disk))
    assert (disk.state().limit, disk.state().trouble) == (MAX_SIZE, None)
    assert [one.getMessage().rpartition(": ")[2] for one in caplog.records][1:] == ["the disk has room again"]
    run(keep(disk, *range(1_200, 2_500)))
    assert (disk.state().size or 0) > 5 * MIB


def test_a_new_folder_may_have_room(
    disk: DiskStore, there: Path, run: Run[Any], caplog: pytest.LogCaptureFixture
) -> None:
    run(keep(disk, *range(1, 1_200)))
    shutil.rmtree(there / "store")
    run(begun_anew(disk))
    assert (disk.state().limit, disk.state().trouble) == (MAX_SIZE, None)
    run(keep(disk, *range(1, 400), fetched_under=disk.purge_number()))
    assert disk.state().counts["errors"] == 0


def test_another_program_may_fill_the_disk(disk: DiskStore, there: Path, run: Run[Any]) -> None:
    run(keep(disk, *range(1, 300)))
    fill_up(there / "other")
    run(keep(disk, *range(300, 1_000)))
    state = disk.state()
    assert state.counts["errors"] == 0
    assert MIB < (state.size or 0) < 3 * MIB


def test_purges_and_what_is_cleared_need_no_room_either(disk: DiskStore, there: Path, run: Run[Any]) -> None:
    run(keep(disk, *range(1, 1_200)))
    before = disk.purge_number()
    numbers = [run(disk.purge(Purge(Mode.SOFT, by(By.TAG, f"tag-{number}")))) for number in range(9_000)]
    assert numbers == list(range(before + 1, before + 9_001)), "each was written, none counts everything as purged"
    assert [one.purge for one in run(kept(disk, page(1_199).key))] in ([None], [])
    run(keep(disk, *range(1_200, 2_000), fetched_under=numbers[-1]))
    run(disk.purge(Purge(Mode.HARD, by(By.HOST, host="example.com"))))
    assert run(disk.sweep()) > 400
    assert run(disk.count(by(By.TAG, "a"), NOW)) == 0, "all of it was swept"
    fill_up(there / "other")
    run(keep(disk, *range(2_000, 2_500), fetched_under=disk.purge_number()))
    assert run(disk.clear()) > 0
    assert (disk.state().keys, disk.state().counts["errors"]) == (0, 0)
    run(keep(disk, *range(1, 1_200), fetched_under=disk.purge_number()))


def test_a_large_body_takes_the_place_of_large_ones_alone(disk: DiskStore, there: Path, run: Run[Any]) -> None:
    run(keep(disk, *range(1, 200)))
    run(keep(disk, *range(1_000, 1_040), size=100_000))
    fill_up(there / "other")
    run(keep(disk, *range(1_040, 1_100), size=100_000))
    left = run(names(disk))
    assert {page(number, 0).key for number in range(1, 200)} < set(left)
    assert 30 < len(left) - 199 <= 40
    files = set(left) - {page(number, 0).key for number in range(1, 200)}
    run(save(disk, answer(body=pattern(5 * MIB), size=5 * MIB)))
    assert not run(disk.lookup(KEY)), "all of them together would not do"
    assert files <= set(run(names(disk)))
    assert disk.state().counts["errors"] == 1


def test_a_large_body_that_the_disk_has_no_room_for_costs_small_ones_nothing(disk: DiskStore, run: Run[Any]) -> None:
    run(keep(disk, *range(1, 2_000)))
    left, size = run(names(disk)), (disk.state().limit or 0) - 10_000
    for _ in range(2):
        run(save(disk, answer(body=pattern(size), size=size)))
    assert not run(disk.lookup(KEY))
    assert run(names(disk)) == left


def test_a_disk_that_had_no_room_for_a_large_body_is_full_until_it_has(
    disk: DiskStore, there: Path, run: Run[Any]
) -> None:
    run(keep(disk, *range(1, 30), size=100_000))
    fill_up(there / "other")
    run(keep(disk, *range(30, 35), size=100_000))
    run(look_for_room(disk))
    assert disk.state().trouble == "the disk is full: No space left on device"
    (there / "other").unlink()
    run(look_for_room(disk))
    assert disk.state().trouble is None


OPEN = """
import asyncio, sys
from pathlib import Path
from app.store.disk.store import DiskStore
asyncio.run(DiskStore(Path(sys.argv[1]), 2**26).open())
"""


def test_a_folder_that_a_full_disk_has_no_room_for_is_refused(there: Path) -> None:
    (there / "store").mkdir()
    for left in range(0, 2**20, 2**15):
        fill_up(there / "other")
        with (there / "other").open("r+b") as file:
            file.truncate((there / "other").stat().st_size - left)
        ended = subprocess.run(
            [sys.executable, "-c", OPEN, str(there / "store")], capture_output=True, text=True, timeout=30, check=False
        )
        if ended.returncode == 0:
            break
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "StoreError" in ended.stderr
        assert "No space left on device" in ended.stderr
        shutil.rmtree(there / "store")
        (there / "store").mkdir()
    else:
        pytest.fail("1 MiB was not enough")
    assert left > 0


def test_small_and_large_ones_together(disk: DiskStore, run: Run[Any]) -> None:
    for number in range(1, 2_000):
        run(keep(disk, number, size=(10, 500, 5_000, 30_000, 60_000)[number % 5]))
    assert disk.state().counts["errors"] == 0


def test_it_is_opened_again_on_a_full_disk(disk: DiskStore, there: Path, run: Run[Any]) -> None:
    run(keep(disk, *range(1, 1_200)))
    fill_up(there / "other")
    left = run(names(disk))
    run(disk.aclose())
    again = DiskStore(there / "store", MAX_SIZE)
    run(again.open())
    assert run(names(again)) == left
    run(keep(again, *range(1_200, 1_500)))
    assert again.state().counts["errors"] == 0
    run(again.aclose())


def test_to_open_it_again_gives_up_no_more(disk: DiskStore, there: Path, run: Run[Any]) -> None:
    run(keep(disk, *range(1, 1_500)))
    sizes = [disk.state().size or 0]
    run(disk.aclose())
    for number in range(1_500, 1_520):
        again = DiskStore(there / "store", MAX_SIZE)
        run(again.open())
        run(keep(again, number))
        sizes.append(again.state().size or 0)
        run(again.aclose())
    assert sizes[-1] > sizes[0] * 0.9


def test_two_processes_share_what_fits(disk: DiskStore, there: Path, run: Run[Any]) -> None:
    with other(KIND, str(there / "store"), MAX_SIZE) as second:
        for number in range(1, 1_500, 2):
            run(keep(disk, number))
            second.save(page(number + 1))
            if number % 50 == 1:
                assert [one.number for one in second.kept(page(number + 1, 0).key)] == [number + 1]
                assert [one.number for one in run(disk.lookup(page(number + 1, 0).key))] == [number + 1]
        theirs, ours = second.ask("state"), disk.state()
        assert ours.size == theirs.size
        assert ours.counts["errors"] == theirs.counts["errors"] == 0
        assert all(state.trouble == "the disk is full: No space left on device" for state in (ours, theirs))
        assert len(run(names(disk))) == ours.keys
