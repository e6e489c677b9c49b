"""Purges of every kind against pages that are fetched, confirmed and refreshed all the time, on every process that
shares a store (README § Purge)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import Random
from time import monotonic
from typing import Any

import pytest

from tests.live.processes import POLL
from tests.live.purge_race import SITE, Race, named
from tests.live.raw_client import Caller, calling
from tests.live.raw_origin import RawOrigin
from tests.live.redis_server import redis_server
from tests.live.swerve import Swerve, swerve, within
from tests.live.test_purge_races import BOUND, PLACES, stats

PURGES = 250
CLIENTS = 16
SEED = 20261125
# How a client asks: nearly always the plain way.
KINDS = {"GET": 36, "HEAD": 2, "range": 2, "POST": 1}
JSON = "Content-Type: application/json"


async def client(race: Race, port: int, random: Random) -> None:
    """Ask for one page or another, on a new connection now and then."""
    while not race.over:
        async with calling(port) as caller:
            for _ in range(50):
                page, kind = random.choice(SITE), random.choices([*KINDS], [*KINDS.values()])[0]
                method = "GET" if kind == "range" else kind
                lines = ["Range: bytes=0-99"] if kind == "range" else ["Content-Length: 0"] if kind == "POST" else []
                asked = monotonic()
                answer = await caller.get(page.target, f"Host: {page.host}", *lines, method=method)
                race.seen(page, kind, answer, asked)


async def purge(race: Race, admin: Caller, turn: int, made: Counter[str]) -> None:
    way = "invalidate" if race.random.random() < 0.25 else "delete"
    names, hit = named(race.random, turn)
    race.change(hit)
    least = race.serial + 1
    answer = await admin.post(f"/v1/{way}", json.dumps(names).encode(), JSON)
    assert answer.status == 200, answer.body
    made[way] += len(json.loads(answer.body)["purges"])
    if way == "delete":
        race.forbid(hit, serial=least)


async def compete(race: Race, machines: Sequence[Swerve]) -> Counter[str]:
    """Purges and clients at once. Returns how many purges were made, by mode."""
    made: Counter[str] = Counter()
    async with asyncio.TaskGroup() as group:
        for place in range(CLIENTS):
            group.create_task(client(race, machines[place % len(machines)].port, Random(f"{SEED} {place}")))
        async with AsyncExitStack() as stack:
            admins = [await stack.enter_async_context(calling(one.admin)) for one in machines]
            for turn in range(PURGES):
                await purge(race, admins[turn % len(machines)], turn, made)
                await asyncio.sleep(0.01)
        race.over = True
    made["validate"] = race.asked["POST"]
    return made


async def at_rest(machines: Sequence[Swerve]) -> list[dict[str, Any]]:
    """What each has counted, once nothing is under way any more."""
    async with asyncio.timeout(10):
        while True:
            found = [await stats(one) for one in machines]
            if not any(one["flights"]["under_way"] for one in found):
                return found
            await asyncio.sleep(POLL)


async def listed(one: Swerve) -> list[str]:
    async with calling(one.admin) as caller:
        found = json.loads((await caller.get("/v1/entries?limit=1000")).body)
        return [entry["url"] for entry in found["entries"]]


async def run(origin: RawOrigin, race: Race, machines: Sequence[Swerve]) -> None:
    """The race, and the counts after it."""
    made = await compete(race, machines)
    assert not race.wrong, (f"seed {SEED}", len(race.wrong), race.wrong[:5])
    counted = [one["counters"] for one in await at_rest(machines)]
    purges: Counter[str] = sum((Counter(one["purges"]) for one in counted), Counter())
    causes: Counter[str] = sum((Counter(one["origin_requests"]) for one in counted), Counter())
    assert purges == made
    assert sum(one["requests"] for one in counted) == race.answered.total()
    assert causes.total() == len(origin.requests)
    # However busy the machine is, there was something to go wrong.
    assert min(race.confirmed, causes["refresh"], race.answered["HIT"]) > PURGES // 10, (causes, race)
    for page in SITE:
        async with calling(machines[0].port) as caller:
            race.seen(page, "GET", await caller.get(page.target, f"Host: {page.host}"), monotonic())
    assert not race.wrong, (f"seed {SEED}", race.wrong[:5])
    everything = sorted(f"http://{page.host}{page.target}" for page in SITE)
    for one, state in zip(machines, await at_rest(machines), strict=True):
        assert sorted(await listed(one)) == everything
        assert state["store"]["keys"] in (len(SITE), None)


@pytest.mark.live
@pytest.mark.parametrize("flags", PLACES)
@within(90)
async def test_every_kind_of_purge_is_seen_at_once(flags: list[str]) -> None:
    race = Race(Random(SEED), grace=0.0)
    async with race.origin() as origin, swerve(origin.url, *flags) as one:
        await run(origin, race, [one])


@pytest.mark.live
@within(90)
async def test_every_kind_of_purge_is_seen_in_time_by_every_machine() -> None:
    race = Race(Random(SEED), grace=BOUND)
    with redis_server() as redis:
        async with (
            race.origin() as origin,
            swerve(origin.url, "--store", redis.url, "--workers", "4") as one,
            swerve(origin.url, "--store", redis.url) as other,
        ):
            await run(origin, race, [one, other])
