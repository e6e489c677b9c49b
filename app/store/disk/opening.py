"""Opening the store's folder: whose it is, whether what lies there can be trusted, and what is set aside."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lmdb

from app.store.base import StoreError
from app.store.disk.bodies import Bodies
from app.store.disk.damage import damage_of
from app.store.disk.layout import FORMAT
from app.store.disk.presence import Presence, presence_of
from app.store.disk.tables import MOST_READERS, Tables, open_tables
from app.store.disk.words import Words, floor_in, reserve

log = logging.getLogger("swerve")

DATA, LOCK, WORDS, BODIES = "swerve.lmdb", "swerve.lmdb-lock", "swerve.words", "swerve.bodies"
OPENING, USERS, GATE = "swerve.opening", "swerve.users", "swerve.gate"
OURS = "swerve."
# What file systems and their tools leave in a folder that is otherwise empty.
HARMLESS = ("lost+found", ".")

_BOOT, _FORMAT, _CLEAN = b"boot", b"format", b"clean"

# More than the file of LMDB's lock takes, with 64 bytes for each reader.
LOCK_SIZE = 64 * MOST_READERS + 2**12

# For how many seconds one that closes waits for another that opens, and how often it looks.
PATIENCE, PAUSE = 2.0, 0.01


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder in use. `users`: the lock that every process holds a share of while it uses the store. `data`: LMDB's
    file, for its size alone. `presence`: the files that all who share it must have open."""

    folder: Path
    tables: Tables
    words: Words
    bodies: Bodies
    users: int
    gate: int
    data: int
    presence: Presence


def open_folder(folder: Path, max_size: int) -> Opened:
    """Raises StoreError. Waits while another process does the same."""
    try:
        _prepare(folder)
        with _locked(folder / OPENING):
            users = _descriptor(folder / USERS)
            try:
                return _open(folder, max_size, users)
            except BaseException:
                os.close(users)
                raise
    except (OSError, lmdb.Error) as error:
        if "Resource temporarily unavailable" in str(error):  # LMDB tells processes apart by their ids
            raise StoreError(
                f"store {str(folder)!r} is in use by a process with our own id, in another container: have both see "
                "the same processes (Docker: pid: host), name another folder, or use Redis"
            ) from error
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(f"store {str(folder)!r}: {reason}; name a folder that can be written, or none") from error


def finish_folder(opened: Opened) -> None:
    """Have all on disk; the last one notes that. To be called when nobody changes anything any more. Raises lmdb.Error,
    OSError."""
    tables = opened.tables
    tables.env.sync(True)
    with _locked(opened.folder / OPENING, PATIENCE):
        if _alone(opened.users):
            with tables.env.begin(write=True) as txn:
                txn.put(_CLEAN, b"yes", db=tables.facts)
            tables.env.sync(True)


def let_go(opened: Opened) -> None:
    """To be called by the thread that reads and writes: LMDB takes its file away under a transaction of another."""
    opened.tables.env.close()
    for descriptor in (opened.users, opened.gate, opened.data):
        os.close(descriptor)


def _prepare(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"store {str(folder)!r} is a file: name a folder, which is made if there is none")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = sorted(os.listdir(folder))
    foreign = [name for name in names if not name.startswith((OURS, *HARMLESS))]
    if foreign and DATA not in names:
        raise StoreError(
            f"store {str(folder)!r} holds other things ({', '.join(foreign[:3])}{', …' if foreign[3:] else ''}): "
            "name a folder of its own"
        )


def _open(folder: Path, max_size: int, users: int) -> Opened:
    first, bodies = _alone(users), Bodies(folder / BODIES)
    data, boot = folder / DATA, boot_id()
    if first:
        trusted = _set_aside_damage(data, boot)
        bodies.prepare()
    _reserve_lock(folder / LOCK)
    if not first:
        _check_format(data)
    tables = open_tables(str(data), max_size)
    try:
        if first:
            change = _begin(tables, floor_in(folder / WORDS), bodies, boot, trusted=trusted)
            _take_words_away(folder, max_size)
        words = Words(folder / WORDS, max_size)
        if first:
            words.begin(change)
        fcntl.flock(users, fcntl.LOCK_SH)
        tables.env.reader_check()
        gate, file = _descriptor(folder / GATE), _descriptor(data)
        files = ((folder / USERS, users), (folder / GATE, gate), (data, file), (folder / WORDS, None))
        return Opened(folder, tables, words, bodies, users, gate, file, presence_of(*files))
    except BaseException:
        tables.env.close()
        raise


def _begin(tables: Tables, floor: int, bodies: Bodies, boot: str, *, trusted: bool) -> int:
    """What the first process does: leases of those that are gone, files that nothing names, purges that were lost, of
    which `floor` is left. Returns the number of the last change."""
    with tables.env.begin(write=True, buffers=True) as txn:
        totals = tables.totals(txn)
        if floor > totals.purge:
            totals.purge = totals.floor = floor
            txn.put(totals.ROW, totals.packed(), db=tables.facts)
        txn.drop(tables.leases, delete=False)
        for key, value in ((_FORMAT, FORMAT), (_BOOT, boot.encode()), (_CLEAN, b"no")):
            txn.put(key, value, db=tables.facts)
        with txn.cursor(db=tables.files) as cursor:
            known = {bytes(key) for key, _ in cursor} if trusted else set()
    bodies.sweep(known)
    tables.env.sync(True)  # before the words forget the floor
    return totals.change


def _set_aside_damage(data: Path, boot: str) -> bool:
    """Begin anew where the file is not ours, or damaged. Returns whether body files can be trusted: not after the
    machine went down under them."""
    if not data.exists():
        return False
    problem = damage_of(data)
    if problem is None:
        problem, trusted = _facts_of(data, boot)
        if problem is None:
            return trusted
    aside = next(path for path in _names(data) if not path.exists())
    data.rename(aside)
    for name in (LOCK, WORDS):
        (data.parent / name).unlink(missing_ok=True)
    log.warning("store %s: %s; it is set aside as %s, and a new one begun", data, problem, aside.name)
    return False


def _facts_of(data: Path, boot: str) -> tuple[str | None, bool]:
    """What is wrong with the file, as it says itself, and whether it was closed well or the machine has run since."""
    try:
        with lmdb.open(str(data), subdir=False, max_dbs=1, readonly=True, lock=False) as env, env.begin() as txn:
            facts = env.open_db(b"facts", txn=txn, create=False)
            found = {key: txn.get(key, db=facts) for key in (_FORMAT, _BOOT, _CLEAN)}
    except lmdb.NotFoundError:
        return "it belongs to another program", False
    except lmdb.Error as error:
        return f"it cannot be read ({error})", False
    if found[_FORMAT] != FORMAT:
        return "it is of another version", False
    went_down = found[_CLEAN] != b"yes" and found[_BOOT] != boot.encode()
    return (damage_of(data, thoroughly=True) if went_down else None), not went_down


def _check_format(data: Path) -> None:
    """Raises StoreError where those who use it now are of another version: it can be neither used nor set aside."""
    with lmdb.open(str(data), subdir=False, max_dbs=1, readonly=True) as env, env.begin() as txn:
        found = txn.get(_FORMAT, db=env.open_db(b"facts", txn=txn, create=False))
    if found != FORMAT:
        raise StoreError(
            f"store {str(data.parent)!r} is in use by another version of Swerve: end that first, or name another folder"
        )


def _reserve_lock(path: Path) -> None:
    """LMDB makes its lock's file with holes, and maps it: on a full disk to use it would end the process. Raises
    OSError."""
    descriptor = _descriptor(path)
    try:
        if os.fstat(descriptor).st_size < LOCK_SIZE:
            reserve(descriptor, 0, LOCK_SIZE)
    finally:
        os.close(descriptor)


def _take_words_away(folder: Path, max_size: int) -> None:
    """The words of another size are made anew: only what was used lately is forgotten."""
    path = folder / WORDS
    if path.exists() and path.stat().st_size != Words.size_for(max_size):
        path.unlink()


def _names(data: Path) -> Iterator[Path]:
    number = 1
    while True:
        yield data.with_name(f"{data.name}.damaged-{number}")
        number += 1


def boot_id() -> str:
    """Which run of the machine this is; where that cannot be told, each process is one of its own."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return os.urandom(8).hex()


def _descriptor(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _alone(users: int) -> bool:
    """Whether no other process uses the store: if so, it is ours alone until we share the lock."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(path: Path, patience: float | None = None) -> Iterator[None]:
    """Raises BlockingIOError after so many seconds."""
    descriptor = _descriptor(path)
    try:
        if patience is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            _lock_within(descriptor, patience)
        yield
    finally:
        os.close(descriptor)


def _lock_within(descriptor: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE)
