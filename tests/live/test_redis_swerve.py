"""Swerves on one Redis that dies and comes back under load: no client sees it."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.live.raw_client import calling, get
from tests.live.redis_machines import come_true
from tests.live.redis_server import free_port, redis_server
from tests.live.routed_origin import RoutedOrigin, ok, says
from tests.live.swerve import Swerve, swerve, within

pytestmark = pytest.mark.live

PAGES = 20
ORIGIN = {
    f"/{number}": says(ok(b"page %d" % number * 200, "Cache-Control: s-maxage=3600", f"Cache-Tag: {number}"))
    for number in range(PAGES)
}


class Load:
    """Clients of several Swerves, who ask for one page after the other."""

    def __init__(self, machines: list[Swerve]) -> None:
        self.over = False
        self.statuses, self.caches = Counter[int](), Counter[str]()
        self.wrong = 0
        self.longest = 0.0
        self.tasks = [asyncio.create_task(self._client(one.port, first)) for one in machines for first in range(4)]

    async def _client(self, port: int, number: int) -> None:
        async with calling(port) as caller:
            while not self.over:
                number, began = (number + 1) % PAGES, time.monotonic()
                answer = await caller.get(f"/{number}")
                self.longest = max(self.longest, time.monotonic() - began)
                self.statuses[answer.status] += 1
                self.caches[answer.header("x-cache") or ""] += 1
                self.wrong += answer.body != b"page %d" % number * 200

    async def more(self, cache: str, count: int) -> None:
        """Wait for so many more answers of that kind."""
        wanted = self.caches[cache] + count
        await come_true(lambda: self.caches[cache] >= wanted)

    async def done(self) -> None:
        self.over = True
        await asyncio.gather(*self.tasks)


async def asked(one: Swerve, what: str, *tags: str) -> tuple[int, dict[str, Any]]:
    async with calling(one.admin) as caller:
        if tags:
            answer = await caller.post(what, json.dumps({"tags": tags}).encode(), "Content-Type: application/json")
        else:
            answer = await caller.get(what)
        return answer.status, json.loads(answer.body)


@within(60)
async def test_killed_and_restarted_under_load_no_client_sees_an_error() -> None:
    port = free_port()
    async with RoutedOrigin(ORIGIN) as origin, AsyncExitStack() as stack:
        with redis_server(port=port) as server:
            machines = [
                await stack.enter_async_context(swerve(origin.url, "--store", f"{server.url}?namespace=test"))
                for _ in range(2)
            ]
            load = Load(machines)
            await load.more("HIT", 200)
            server.kill()
            await load.more("MISS", 200)
            status, problem = await asked(machines[0], "/v1/delete", "1")
            assert status == 503, problem
        with redis_server(port=port):
            await load.more("HIT", 200)
            status, _ = await asked(machines[0], "/v1/delete", "1")
            assert status == 200
        await load.more("MISS", 50)
        await load.done()
        assert (set(load.statuses), load.wrong) == ({200}, 0)
        assert load.longest < 2.0
        print(f"{load.statuses[200]} answers, {dict(load.caches)}, longest {load.longest * 1e3:.0f} ms")
        for one in machines:
            assert "Traceback" not in one.printed
            began = time.monotonic()
            assert await asyncio.to_thread(one.running.stop) == 0
            assert time.monotonic() - began < 2.0


@within(30)
async def test_the_start_does_not_depend_on_it() -> None:
    port = free_port()
    flags = "--store", f"redis://127.0.0.1:{port}", "--deployment", "blue"
    async with RoutedOrigin(ORIGIN) as origin, swerve(origin.url, *flags) as one:
        assert (await get(one.port, "/1")).status == 200
        with redis_server(port=port) as server:
            for _ in range(200):
                if (await get(one.port, "/1")).header("x-cache") == "HIT":
                    break
                await asyncio.sleep(0.02)
            assert (await get(one.port, "/1")).header("x-cache") == "HIT"
            assert "deployment * blue invalidate" in server.command("hkeys", "swerve:{default}:purges")
