"""The disk store's folder is deleted or replaced while it is in use, or the store is closed while it is."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import lmdb
import pytest

from app.core.decisions import StoredResponse
from app.core.purging import EVERYTHING, Mode, Purge
from app.core.purging import Kind as By
from app.store.base import StoreError
from app.store.disk.hearing import Hearing
from app.store.disk.store import DiskStore
from tests.store import stores
from tests.store.conftest import Run
from tests.store.examples import HOME, KEY, answer, by, fill, page, pattern, save
from tests.store.other_process import other
from tests.store.stores import MIB, Kind, kept

SIZE = 4 * MIB
DISK = Kind("disk", stores.disk, stores.folder)
DELETE = Purge(Mode.HARD, by(By.TAG, "a"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def disk(folder: Path, run: Run[Any]) -> Iterator[DiskStore]:
    store = DiskStore(folder, SIZE)
    run(store.open())
    yield store
    run(store.aclose())


def tagged(key: str = KEY, **changed: Any) -> StoredResponse:
    return answer(key, tags=("a",), **changed)


async def looked(store: DiskStore) -> None:
    """As its timer has it look."""
    store._poll()
    if store._folder._returning is not None:
        await store._folder._returning


def deleted(folder: Path) -> None:
    shutil.rmtree(folder)


def moved_away(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def emptied_of_one(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


ENDS = [deleted, moved_away, *map(emptied_of_one, ("swerve.lmdb", "swerve.words", "swerve.users", "swerve.gate"))]


@pytest.mark.parametrize("end", ENDS, ids=["deleted", "moved", "data", "words", "users", "gate"])
def test_all_who_share_it_agree_again(
    disk: DiskStore, folder: Path, run: Run[Any], end: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    run(save(disk, tagged()))
    before = run(disk.purge(DELETE))
    run(save(disk, tagged(HOME, fetched_under=before)))
    assert disk.find(HOME)
    end(folder)
    run(looked(disk))
    assert [one.getMessage() for one in caplog.records if "deleted" in one.getMessage()] == [
        f"store {folder}: its files were deleted or replaced while in use; it begins anew"
    ]
    assert all(one.purge is not None for key in (KEY, HOME) for one in run(disk.lookup(key)))
    assert disk.purged_since(HOME, before), "what is being fetched as well"
    with other(DISK, str(folder), SIZE) as second:
        assert second.purge_number() == disk.purge_number() > before
        run(save(disk, tagged(HOME, fetched_under=disk.purge_number())))
        assert [one.purge for one in second.kept(HOME)] == [None]
        second.purge(DELETE)
        assert [one.purge for one in run(disk.lookup(HOME))] == [DELETE]


def test_a_purge_goes_to_the_folder_that_the_others_have(disk: DiskStore, folder: Path, run: Run[Any]) -> None:
    run(save(disk, answer()))
    deleted(folder)
    with other(DISK, str(folder), SIZE) as second:
        second.save(tagged())
        assert [one.purge for one in second.kept(KEY)] == [None]
        number = run(disk.purge(DELETE))
        assert all(one.purge is not None for one in second.kept(KEY))
        assert second.purge_number() == number
        assert not [one for one in run(disk.lookup(KEY)) if one.purge is None]


def test_what_is_in_force_stays_so(disk: DiskStore, folder: Path, run: Run[Any]) -> None:
    run(disk.purge(Purge(Mode.SOFT, by(By.DEPLOYMENT, "blue"))))
    run(disk.purge(Purge(Mode.SOFT, by(By.CLOCK, "60.0"))))
    deleted(folder)
    run(looked(disk))
    late = DiskStore(folder, SIZE)
    with other(DISK, str(folder), SIZE):
        pass
    run(disk.aclose())
    run(late.open())
    assert (late.log.deployment, late.log.offset) == ("blue", 60)
    run(late.aclose())


def test_where_it_cannot_be_made_again_nothing_is_there_and_no_purge_acknowledged(
    disk: DiskStore, folder: Path, run: Run[Any], caplog: pytest.LogCaptureFixture
) -> None:
    run(save(disk, answer()))
    deleted(folder)
    folder.touch()
    with pytest.raises(StoreError, match="is gone: others who share it may not have heard"):
        run(disk.purge(DELETE))
    run(save(disk, answer(HOME), answer(body=pattern(200_000), size=200_000)))
    assert [run(disk.lookup(key)) for key in (KEY, HOME)] == [(), ()]
    assert (
        disk.state().trouble
        == f"cannot open: store '{folder}' is a file: name a folder, which is made if there is none"
    )
    folder.unlink()
    run(looked(disk))
    run(save(disk, answer(fetched_under=disk.purge_number())))
    assert [one.purge for one in run(disk.lookup(KEY))] == [None]
    assert disk.state().trouble is None
    assert len(caplog.records) == 3, "it is gone, it cannot be opened, it works again"


def test_what_could_not_be_heard_may_be_anything(
    disk: DiskStore, folder: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise lmdb.Error("cannot be read")

    told = list[str]()
    disk.watch(told.append)
    run(save(disk, tagged()))
    assert disk.find(KEY)
    number = disk.purge_number()
    with other(DISK, str(folder), SIZE) as second:
        second.purge(DELETE)
    told.clear()
    with monkeypatch.context() as broken:
        broken.setattr(Hearing, "_read", fail)
        assert [disk.find(KEY), run(disk.lookup(KEY)), disk.find(KEY)] == [(), (), ()]
        assert disk.purged_since(KEY, number)
        assert told == [KEY], "and whoever has made something of it"
    assert [one.purge for one in run(disk.lookup(KEY))] == [DELETE]


def test_who_opens_it_knows_of_a_purge_that_could_not_be_written(
    disk: DiskStore, folder: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise lmdb.Error("cannot be written")

    monkeypatch.setattr(disk._commits, "_commit", fail)
    number = run(disk.purge(DELETE))
    with other(DISK, str(folder), SIZE) as second:
        assert second.ask("epoch") == number


@pytest.mark.parametrize("held", [False, True], ids=["free", "another-writes"])
def test_it_can_be_closed_at_any_moment(tmp_path: Path, run: Run[Any], held: bool) -> None:
    async def used_and_closed(store: DiskStore, turns: int) -> None:
        await store.open()
        gate = os.open(tmp_path / "store" / "swerve.gate", os.O_RDWR)
        if held:
            fcntl.flock(gate, fcntl.LOCK_EX)
        work = [asyncio.create_task(one) for one in (
            *[fill(store, range(start, start + 20)) for start in range(0, 100, 20)],
            save(store, page(7, 200_000)), store.sweep(), store.purge(Purge(Mode.HARD, EVERYTHING)), store.lookup(KEY),
        )]  # fmt: skip
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await store.aclose()
        os.close(gate)
        done = await asyncio.gather(*work, return_exceptions=True)
        assert not [one for one in done if isinstance(one, Exception) and not isinstance(one, StoreError)]
        assert not store.find(KEY)
        await store.aclose()

    for turns in range(0, 60, 5):
        run(used_and_closed(DiskStore(tmp_path / "store", SIZE), turns))
    again = DiskStore(tmp_path / "store", SIZE)
    run(again.open())
    run(save(again, answer(fetched_under=again.purge_number())))
    assert [one.purge for one in run(kept(again, KEY))] == [None]
    run(again.aclose())


def test_it_can_be_closed_while_it_begins_anew(disk: DiskStore, folder: Path, run: Run[Any]) -> None:
    async def both() -> None:
        deleted(folder)
        disk._poll()
        async with asyncio.timeout(5):
            await disk.aclose()

    run(both())
    assert run(disk.lookup(KEY)) == ()
