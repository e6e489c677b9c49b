"""`python -m bench.eviction`: what share of requests are hits, by how a full store chooses what has to go.

Two traces of the same seed: a Zipf distribution (s = 0.9) over 50,000 pages, and the same with a crawler, which asks
for 2,000 pages that nobody else wants after each 4,000 requests (its own are not counted). All pages have 1 KiB. The
policies are simulated with room for so many pages; the two stores are our own, with room for as many as they count.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections import OrderedDict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from app.store.base import Store
from app.store.disk.store import DiskStore
from app.store.memory import MemoryStore
from bench.disk import response, response_key

PAGES, REQUESTS = 50_000, 150_000
ROOM = (500, 2_500, 10_000)
SCAN_AFTER, SCANNED = 4_000, 2_000
Trace = list[tuple[int, bool]]  # a page, and whether it counts


def zipf(*, scans: bool) -> Trace:
    chance = random.Random(11)
    weights = [1 / rank**0.9 for rank in range(1, PAGES + 1)]
    trace: Trace = []
    for start in range(0, REQUESTS, SCAN_AFTER):
        trace += [(page, True) for page in chance.choices(range(PAGES), weights, k=SCAN_AFTER)]
        if scans:
            trace += [(PAGES + start + one, False) for one in range(SCANNED)]
    return trace


class Policy(Protocol):
    def __init__(self, room: int) -> None: ...

    def hit(self, page: int) -> bool:
        """Whether it is there; if not, it is from now on."""


class Fifo:
    def __init__(self, room: int) -> None:
        self.room, self.kept = room, OrderedDict[int, bool]()

    def hit(self, page: int) -> bool:
        if page in self.kept:
            self.used(page)
            return True
        if len(self.kept) >= self.room:
            self.evict()
        self.kept[page] = False
        return False

    def used(self, page: int) -> None:
        pass

    def evict(self) -> None:
        self.kept.popitem(last=False)


class Lru(Fifo):
    def used(self, page: int) -> None:
        self.kept.move_to_end(page)


class Clock(Fifo):
    """What was used is put behind the newest once more."""

    def used(self, page: int) -> None:
        self.kept[page] = True

    def evict(self) -> None:
        while self.kept[oldest := next(iter(self.kept))]:
            self.kept[oldest] = False
            self.kept.move_to_end(oldest)
        del self.kept[oldest]


class Sieve(Fifo):
    """What was used stays where it is, and the hand goes on from there, to the newest and around."""

    def __init__(self, room: int) -> None:
        super().__init__(room)
        self.order = list[int]()
        self.hand = 0

    def hit(self, page: int) -> bool:
        there = super().hit(page)
        if not there:
            self.order.append(page)
        return there

    def used(self, page: int) -> None:
        self.kept[page] = True

    def evict(self) -> None:
        while True:
            if self.hand == len(self.order):
                self.order, self.hand = list(self.kept), 0
            page, self.hand = self.order[self.hand], self.hand + 1
            if not self.kept[page]:
                del self.kept[page]
                return
            self.kept[page] = False


class S3Fifo:
    """A tenth of the room is on probation; who comes back after it was evicted from there is in the main part."""

    def __init__(self, room: int) -> None:
        self.small_room, self.room = max(1, room // 10), room
        self.small, self.main, self.ghost = deque[int](), deque[int](), OrderedDict[int, None]()
        self.uses: dict[int, int] = {}

    def hit(self, page: int) -> bool:
        if page in self.uses:
            self.uses[page] = min(3, self.uses[page] + 1)
            return True
        while len(self.uses) >= self.room:
            self.evict()
        self.uses[page] = 0
        (self.main if page in self.ghost else self.small).append(page)
        self.ghost.pop(page, None)
        return False

    def evict(self) -> None:
        if len(self.small) >= self.small_room:
            page = self.small.popleft()
            if self.uses[page] > 1:
                self.main.append(page)
            else:
                del self.uses[page]
                self.ghost[page] = None
                if len(self.ghost) > self.room:
                    self.ghost.popitem(last=False)
            return
        page = self.main.popleft()
        if self.uses[page]:
            self.uses[page] -= 1
            self.main.append(page)
        else:
            del self.uses[page]


POLICIES: dict[str, type[Policy]] = {"LRU": Lru, "FIFO": Fifo, "CLOCK": Clock, "S3-FIFO": S3Fifo, "SIEVE": Sieve}


def ratio(hits: Iterable[tuple[bool, bool]]) -> float:
    counted = [hit for hit, counts in hits if counts]
    return sum(counted) / len(counted)


def simulated(policy: Policy, trace: Trace) -> float:
    return ratio([(policy.hit(page), counts) for page, counts in trace])


async def in_store(store: Store, trace: Trace) -> float:
    await store.open()
    hits = []
    for page, counts in trace:
        there = bool(await store.lookup(response_key(page)))
        hits.append((there, counts))
        if not there:
            await store.save(response(page))
    await store.aclose()
    return ratio(hits)


async def weight_in(store: Store) -> int:
    """What one page counts for."""
    await store.open()
    await store.save(response(1))
    size = store.state().size
    await store.aclose()
    return size or 0


def in_memory(room: int, trace: Trace) -> float:
    return asyncio.run(in_store(MemoryStore(room * asyncio.run(weight_in(MemoryStore(2**30)))), trace))


def on_disk(room: int, trace: Trace) -> float:
    with tempfile.TemporaryDirectory() as folder:
        weight = asyncio.run(weight_in(DiskStore(Path(folder, "one"), 2**30)))
        return asyncio.run(in_store(DiskStore(Path(folder, "all"), room * weight), trace))


def main() -> int:
    traces = {"Zipf": zipf(scans=False), "Zipf and a crawler": zipf(scans=True)}
    names = [*POLICIES, "memory store", "disk store"]
    print("| | room for | " + " | ".join(names) + " |\n| --- | ---: |" + " ---: |" * len(names))
    for name, trace in traces.items():
        for room in ROOM:
            ratios = [simulated(policy(room), trace) for policy in POLICIES.values()]
            ratios += [in_memory(room, trace), on_disk(room, trace)]
            print(f"| {name} | {room:,} | " + " | ".join(f"{100 * one:.1f} %" for one in ratios) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
