"""Purges against constant fetches, on every process that shares a store: what was fetched before a purge was
acknowledged is not served after it (README § Purge)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest

from tests.live.raw_client import Caller, calling
from tests.live.raw_origin import Wire
from tests.live.redis_server import redis_server
from tests.live.routed_origin import Handler, RoutedOrigin, ok
from tests.live.swerve import Swerve, swerve, within

PAGES = 10
PURGES = 200
CLIENTS = 16
# How long another machine may serve past a purge that Redis has (README § Stores), and how much a busy test machine may
# add to what a client measures.
BOUND = 0.25


@dataclass(slots=True)
class Race:
    """What the origin says now, what has been purged since, and what the clients saw.

    `floors`: by page, the least version that may be served, and since when.
    """

    origin: Counter[int] = field(default_factory=Counter)
    floors: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    too_old: list[str] = field(default_factory=list)
    latest: float = 0.0
    over: bool = False

    def page(self, number: int) -> Handler:
        async def handler(wire: Wire, _: bytes) -> None:
            version = self.origin[number]
            await asyncio.sleep(0.002)  # in flight while purges come
            lines = "Cache-Control: s-maxage=3600", f"Cache-Tag: page-{number}", "Content-Type: text/plain"
            await wire.send(ok(str(version).encode(), *lines))

        return handler

    def seen(self, number: int, version: int, asked: float, grace: float) -> None:
        """An answer to a request that was sent at `asked`."""
        for since, floor in self.floors.get(number, ()):
            if version < floor and asked > since:
                self.latest = max(self.latest, asked - since)
                if asked > since + grace:
                    self.too_old.append(f"page {number}: {version} < {floor}, {asked - since:.3f} s after its purge")


@asynccontextmanager
async def racing(race: Race) -> AsyncIterator[RoutedOrigin]:
    async with RoutedOrigin({f"/{number}": race.page(number) for number in range(PAGES)}) as origin:
        yield origin


async def client(race: Race, port: int, grace: float) -> None:
    """Ask for one page after the other, on a new connection now and then."""
    number = 0
    while not race.over:
        async with calling(port) as caller:
            for _ in range(50):
                number = (number + 1) % PAGES
                asked = monotonic()
                answer = await caller.get(f"/{number}")
                assert answer.status == 200
                race.answered[answer.header("x-cache") or ""] += 1
                race.seen(number, int(answer.body), asked, grace)


async def purge(race: Race, caller: Caller, number: int) -> None:
    """Change a page, and delete what is stored of it."""
    race.origin[number] += 1
    version = race.origin[number]
    body = json.dumps({"tags": [f"page-{number}"]}).encode()
    answer = await caller.post("/v1/delete", body, "Content-Type: application/json")
    assert answer.status == 200, answer.body
    race.floors[number] = [*race.floors.get(number, [])[-2:], (monotonic(), version)]


async def stats(one: Swerve) -> dict[str, Any]:
    async with calling(one.admin) as caller:
        found: dict[str, Any] = json.loads((await caller.get("/v1/stats")).body)
        return found


async def run(race: Race, origin: RoutedOrigin, machines: Sequence[Swerve], grace: float) -> None:
    """The race, and the counts after it."""
    async with asyncio.TaskGroup() as group:
        for place in range(CLIENTS):
            group.create_task(client(race, machines[place % len(machines)].port, grace))
        async with AsyncExitStack() as stack:
            callers = [await stack.enter_async_context(calling(one.admin)) for one in machines]
            for count in range(PURGES):
                await purge(race, callers[count % len(callers)], count % PAGES)
                await asyncio.sleep(0.01)
        race.over = True
    assert not race.too_old, race.too_old[:5]
    assert race.answered["HIT"] > PURGES, race.answered
    found = [await stats(one) for one in machines]
    counted = [one["counters"] for one in found]
    assert sum(one["requests"] for one in counted) == race.answered.total()
    results: Counter[str] = sum((Counter(one["results"]) for one in counted), Counter())
    assert results["hit"] == race.answered["HIT"]
    fetched = sum(sum(one["origin_requests"].values()) for one in counted)
    assert fetched == len(origin.requests)
    assert race.origin.total() == PURGES


PLACES = [
    pytest.param(["--workers", "4"], id="four workers that share memory"),
    pytest.param(["--workers", "4", "--store", "./cache"], id="four workers that share a folder"),
    pytest.param(["--store", "./cache"], id="one process with a folder"),
    pytest.param([], id="one process with its memory"),
]


@pytest.mark.live
@pytest.mark.parametrize("flags", PLACES)
@within(90)
async def test_a_purge_is_seen_at_once(flags: list[str]) -> None:
    race = Race()
    async with racing(race) as origin, swerve(origin.url, *flags) as one:
        await run(race, origin, [one], grace=0.0)


@pytest.mark.live
@within(90)
async def test_a_purge_is_seen_in_time_by_every_machine() -> None:
    """Two machines' worth of processes on one Redis, four workers on one of them."""
    race = Race()
    with redis_server() as redis:
        async with (
            racing(race) as origin,
            swerve(origin.url, "--store", redis.url, "--workers", "4") as one,
            swerve(origin.url, "--store", redis.url) as other,
        ):
            await run(race, origin, [one, other], grace=BOUND)
    print(f"the latest that served past a purge did so {race.latest * 1000:.0f} ms after it")
