"""What the disk store does with the folder that it is given: what it refuses, and what it sets aside."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import lmdb
import pytest

from app.config_error import ConfigError
from app.store.base import StoreError
from app.store.disk import opening
from app.store.disk.store import DiskStore
from app.store.disk.temporary import temporary_folder
from tests.core.build import row
from tests.store import stores
from tests.store.conftest import Run
from tests.store.examples import HOME, KEY, answer, page, pattern, save
from tests.store.other_process import other
from tests.store.stores import MIB, Kind, kept

SIZE = 16 * MIB
MANY = range(1, 1_500)


async def filled(folder: Path) -> None:
    store = DiskStore(folder, SIZE)
    await store.open()
    await save(
        store, answer(), answer(HOME, body=pattern(100_000), size=100_000), *[page(number, 10) for number in MANY]
    )
    await store.aclose()


async def found(folder: Path, *keys: str) -> list[int]:
    """How many bytes of body there are under each key, in a store that is opened for it."""
    store = DiskStore(folder, SIZE)
    await store.open()
    sizes = [len(one.body) for key in keys for one in await kept(store, key)]
    await store.aclose()
    return sizes


def test_a_file_is_refused(tmp_path: Path, run: Run[Any]) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StoreError, match=f"{file}.*is a file: name a folder"):
        run(DiskStore(file, SIZE).open())


def test_a_place_where_nothing_can_be_made_is_refused(tmp_path: Path, run: Run[Any]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/store.*Not a directory.*name a folder that can be written"):
        run(DiskStore(tmp_path / "file" / "store", SIZE).open())


def test_a_folder_with_other_things_is_refused_and_left_as_it_is(tmp_path: Path, run: Run[Any]) -> None:
    for name in ("holiday.jpg", "notes.txt", "taxes.pdf", "zebra.png"):
        (tmp_path / name).write_text(name)
    with pytest.raises(StoreError, match=r"holds other things \(holiday.jpg, notes.txt, taxes.pdf, …\): name a folder"):
        run(DiskStore(tmp_path, SIZE).open())
    assert len(list(tmp_path.iterdir())) == 4


def test_what_file_systems_leave_in_an_empty_folder_does_not_matter(tmp_path: Path, run: Run[Any]) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / ".gitkeep").touch()
    assert run(found(tmp_path, KEY)) == []


def text(data: Path) -> None:
    data.write_text("once upon a time " * 1_000)


def empty(data: Path) -> None:
    data.write_bytes(b"")


def cut_off(data: Path) -> None:
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])


def without_head(data: Path) -> None:
    data.write_bytes(data.read_bytes()[:4_096] + bytes(4_096) + data.read_bytes()[8_192:])


def foreign(data: Path) -> None:
    data.unlink()
    with lmdb.open(str(data), subdir=False, max_dbs=3) as env, env.begin(write=True) as txn:
        txn.put(b"theirs", b"1", db=env.open_db(b"other", txn=txn))


def newer(data: Path) -> None:
    with lmdb.open(str(data), subdir=False, max_dbs=3) as env:
        facts = env.open_db(b"facts")
        with env.begin(write=True) as txn:
            txn.put(b"format", b"swerve 99", db=facts)


DAMAGE = [
    #                                          what happened  what is said
    row("text",                                text,          "it is no LMDB file"),
    row("nothing",                             empty,         "it is no LMDB file"),
    row("half of it",                          cut_off,       "it is cut off after"),
    row("zeros in its head",                   without_head,  "its head is damaged"),
    row("the LMDB file of another program",    foreign,       "it belongs to another program"),
    row("the file of another version",         newer,         "it is of another version"),
]  # fmt: skip


@pytest.mark.parametrize(("happen", "said"), DAMAGE)
def test_what_cannot_be_used_is_set_aside(
    tmp_path: Path, run: Run[Any], caplog: pytest.LogCaptureFixture, happen: Callable[[Path], None], said: str
) -> None:
    data = tmp_path / "swerve.lmdb"
    run(filled(tmp_path))
    happen(data)
    before = data.read_bytes()
    assert run(found(tmp_path, KEY)) == []
    [line] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert said in line.getMessage()
    assert "it is set aside as swerve.lmdb.damaged-1, and a new one begun" in line.getMessage()
    assert (tmp_path / "swerve.lmdb.damaged-1").read_bytes() == before
    run(filled(tmp_path))
    assert run(found(tmp_path, KEY, HOME)) == [10, 100_000], "and the new one keeps what it is given"
    happen(data)
    run(found(tmp_path))
    assert (tmp_path / "swerve.lmdb.damaged-2").exists()


def test_a_process_of_another_container_with_our_id_is_told_of(
    tmp_path: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: object) -> NoReturn:  # what LMDB says where another holds the lock that stands for our id
        raise lmdb.Error("mdb_txn_begin: Resource temporarily unavailable")

    monkeypatch.setattr(opening, "open_tables", taken)
    with pytest.raises(StoreError, match=r"in another container.*pid: host.*another folder.*Redis"):
        run(DiskStore(tmp_path / "store", SIZE).open())


def test_what_another_version_is_using_is_refused_and_left_alone(
    tmp_path: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "store")
    with other(Kind("disk", stores.disk, stores.folder), place, SIZE) as second:
        second.save(answer())
        with monkeypatch.context() as newer:
            newer.setattr(opening, "FORMAT", b"swerve 99")
            with pytest.raises(StoreError, match=r"in use by another version.*end that"):
                run(DiskStore(Path(place), SIZE).open())
        assert second.kept(KEY) == [answer()]
        assert run(found(Path(place), KEY)) == [10], "the same version may come in"


async def killed(folder: Path) -> None:
    """A process ended without closing its store; as far as the folder can tell."""
    store = DiskStore(folder, SIZE)
    await store.open()
    opened, store._folder.opened = store._folder.opened, None
    assert opened is not None
    await store._upkeep.stop()
    opening.let_go(opened)


def another_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "boot_id", lambda: "another")


def test_after_a_kill_everything_is_there(tmp_path: Path, run: Run[Any]) -> None:
    run(filled(tmp_path))
    run(killed(tmp_path))
    assert run(found(tmp_path, KEY, HOME)) == [10, 100_000]


def test_after_a_reboot_everything_is_there(tmp_path: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run(filled(tmp_path))
    another_boot(monkeypatch)
    assert run(found(tmp_path, KEY, HOME)) == [10, 100_000]


def test_after_the_machine_went_down_files_may_be_anything(
    tmp_path: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(filled(tmp_path))
    run(killed(tmp_path))
    another_boot(monkeypatch)
    assert run(found(tmp_path, KEY, HOME)) == [10]


def test_after_the_machine_went_down_damaged_pages_are_noticed(
    tmp_path: Path, run: Run[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run(filled(tmp_path))
    run(killed(tmp_path))
    data = tmp_path / "swerve.lmdb"
    pages = bytearray(data.read_bytes())
    for start in range(10 * 4_096, len(pages), 8 * 4_096):
        pages[start : start + 4_096] = bytes(4_096)
    data.write_bytes(pages)
    another_boot(monkeypatch)
    assert run(found(tmp_path, KEY)) == []
    assert "the machine went down under it, and pages are damaged" in caplog.text


def test_files_that_nobody_had_told_of_are_swept_away(tmp_path: Path, run: Run[Any]) -> None:
    run(filled(tmp_path))
    stray = tmp_path / "swerve.bodies" / "ab" / "cdef0123456789"
    stray.write_bytes(b"stray")
    assert run(found(tmp_path, HOME)) == [100_000]
    assert not stray.exists()


def no_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)


def test_without_temporary_files_there_is_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_temporary_files(monkeypatch)
    with temporary_folder(MIB, tmp_path) as (folder, note):
        assert (folder.parent, note) == (tmp_path, None)


def test_without_either_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    no_temporary_files(monkeypatch)
    with pytest.raises(ConfigError, match=r"/nowhere has too little room for 256 MiB.*--shm-size.*--store.*--max-size"):
        temporary_folder(256 * MIB, Path("/nowhere")).__enter__()


def test_a_temporary_folder_goes(tmp_path: Path) -> None:
    with temporary_folder(MIB, tmp_path) as (folder, note):
        assert folder.parent == tmp_path
        assert note is None
        (folder / "file").touch()
    assert not folder.exists()


@pytest.mark.parametrize("memory", ["/nowhere", "/proc"])
def test_where_shared_memory_is_too_small_the_folder_is_elsewhere(memory: str) -> None:
    with temporary_folder(2**60, Path(memory)) as (folder, note):
        assert not folder.is_relative_to(memory)
        assert folder.is_dir()
        assert note is not None
        assert str(folder) in note
