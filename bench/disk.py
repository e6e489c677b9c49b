"""`python -m bench.disk`: a million small responses in the disk store: how fast they are kept, found, listed, purged.

It needs some 4 GiB in the folder for temporary files, for two minutes. Exit code 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter, process_time

from app.core.decisions import StoredResponse
from app.core.directives import Directives
from app.core.freshness import Freshness
from app.core.purging import Kind, Mode, Purge, Selector
from app.store.disk.store import DiskStore
from bench.peers.swerve import environment
from bench.ports import LOOPBACK, free_port
from bench.processes import Where, await_port, running

GIB = 2**30
BODY = 1_024
TAGS = 10  # of these each response has one, beside one of its own
GETS = 20_000
FOUND_P99, PURGED_IN, OPENED_IN = 0.000_2, 1.0, 2.0
HEAD = b'content-type\0text/html; charset=utf-8\0cache-control\0public, s-maxage=3600\0etag\0"%032x"\0server\0nginx\0'


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report. `bar`: what it must stay below, in the same unit as the value."""

    name: str
    value: float
    unit: str
    bar: float | None = None

    @property
    def met(self) -> bool:
        return self.bar is None or self.value < self.bar

    @property
    def line(self) -> str:
        bar = "" if self.bar is None else f"{self.bar:g} {self.unit}: {'met' if self.met else 'MISSED'}"
        return f"| {self.name} | {self.value:,.3f} {self.unit} | {bar} |"


def response(number: int) -> StoredResponse:
    body = random.Random(number).randbytes(BODY)
    return StoredResponse(
        f"GET https example.com /page/{number}", (("accept-encoding", "br"),), 200, HEAD % number,
        Directives(public=True, s_maxage=3600), Freshness(1e9, 3600.0), body, BODY, number=number, stored_at=1e9,
        tags=(f"section-{number % TAGS}", f"page-{number}"),
    )  # fmt: skip


async def measured(folder: Path, count: int) -> list[Figure]:
    store = DiskStore(folder, 8 * GIB)
    await store.open()
    started, cpu = perf_counter(), process_time()
    for number in range(count):
        await store.save(response(number))
    took, cpu = perf_counter() - started, process_time() - cpu
    size = store.state().size or 0
    taken = on_disk(folder)
    await store.aclose()
    figures = [
        Figure("kept", took / count * 1e6, "µs each"),
        Figure("kept: CPU", cpu / count * 1e6, "µs each"),
        Figure("weight", size / count, "bytes each"),
        Figure("on disk", taken / count, "bytes each"),
    ]
    started = perf_counter()
    store = DiskStore(folder, 8 * GIB)
    await store.open()
    figures.append(Figure("opened", perf_counter() - started, "s", OPENED_IN))
    figures += [*found(store, count), *[figure async for figure in purged(store, count)]]
    await store.aclose()
    return [*figures, *acknowledged(folder, count)]


def on_disk(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def found(store: DiskStore, count: int) -> list[Figure]:
    """Any of them, one by one: few are in the process's memory already."""
    times = []
    for _ in range(GETS):
        key = response_key(random.randrange(count))
        started = perf_counter()
        there = store.find(key)
        times.append(perf_counter() - started)
        assert there, key
    times.sort()
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    return [Figure("found, p50", p50 * 1e3, "ms"), Figure("found, p99", p99 * 1e3, "ms", FOUND_P99 * 1e3)]


def response_key(number: int) -> str:
    return f"GET https example.com /page/{number}"


async def purged(store: DiskStore, count: int) -> AsyncIterator[Figure]:
    """A tag that a tenth of them have: counted and purged; and listed, before a purge has hit them and after."""
    tag = Selector(Kind.TAG, "section-1")
    for when in ("before", "after"):
        started = perf_counter()
        listed = sum([1 async for _ in store.entries(tag)])
        yield Figure(f"{listed:,} of one tag listed, {when} it was purged", perf_counter() - started, "s")
        started = perf_counter()
        counted = await store.count(tag, 1e9)
        await store.purge(Purge(Mode.SOFT, tag))
        yield Figure(f"{counted:,} of one tag counted and purged", perf_counter() - started, "s", PURGED_IN)
        assert counted == listed == count // TAGS, (counted, listed)


def acknowledged(folder: Path, count: int) -> Iterator[Figure]:
    """Purges of a tag that a tenth of them have, as somebody asks a running Swerve for them."""
    listen, admin = (f"{LOOPBACK}:{free_port()}" for _ in range(2))
    command = [
        sys.executable,
        "-m",
        "app",
        f"http://{LOOPBACK}:9",
        "--listen",
        listen,
        "--admin",
        admin,
        "--log",
        "off",
    ]
    where = Where(folder.with_suffix(".run"), min(os.sched_getaffinity(0)))
    with running([*command, "--store", str(folder), "--max-size", "8gb"], where, environment=environment()) as process:
        await_port(process, int(admin.rpartition(":")[2]), where)
        for order, tag, told in (
            ("invalidate", "section-2", "a tag invalidated over HTTP"),
            ("delete", "section-2", "the same deleted"),
            ("delete", "section-3", "another deleted, while the first is swept"),
        ):
            tried = purge(admin, order, {"tags": [tag], "dry_run": True})[0]
            matched, took = purge(admin, order, {"tags": [tag]})
            assert matched == tried == count // TAGS, (matched, tried)
            yield Figure(f"{matched:,} of {told}", took, "s", PURGED_IN)
    shutil.rmtree(where.folder)


def purge(admin: str, order: str, what: dict[str, object]) -> tuple[int, float]:
    """How many it hit, and the seconds until it was acknowledged."""
    connection = HTTPConnection(admin, timeout=60)
    started = perf_counter()
    connection.request("POST", f"/v1/{order}", json.dumps(what), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    return answer["matched"], perf_counter() - started


@contextmanager
def place(parent: Path | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="swerve-bench-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.disk", description=__doc__)
    parser.add_argument("--responses", type=int, default=1_000_000)
    parser.add_argument(
        "--folder", type=Path, help="where to make the store; the folder for temporary files by default"
    )
    asked = parser.parse_args(words)
    with place(asked.folder) as folder:
        figures = asyncio.run(measured(folder, asked.responses))
    print(f"| {asked.responses:,} responses of 1 KiB | | bar |\n| --- | ---: | --- |")
    print(*[figure.line for figure in figures], sep="\n")
    return int(not all(figure.met for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
