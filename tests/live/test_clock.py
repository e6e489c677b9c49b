"""HTTP time moved from the command line: for every worker at once, and for the next start on the same store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.raw_client import calling, get
from tests.live.routed_origin import RoutedOrigin, ok, says
from tests.live.swerve import Swerve, swerve, within
from tests.live.test_commands import Shell
from tests.live.workforce import until

pytestmark = pytest.mark.live

HOUR = 3_600
PAGES = {"/blog": says(ok(b"blog", f"Cache-Control: s-maxage={2 * HOUR}"))}


async def moved(proxy: Swerve, *words: str) -> Any:
    return json.loads((await Shell(proxy, {}).run("clock", *words, "--json")).out)


async def ages(proxy: Swerve, visits: int = 24) -> set[int]:
    """Of one page, asked for on connections that are spread over the workers, twice on each."""
    found = set()
    for _ in range(visits):
        async with calling(proxy.port) as caller:
            for _ in range(2):
                answer = await caller.get("/blog")
                assert answer.header("x-cache") == "HIT"
                found.add(int(answer.header("age") or 0))
    return found


async def left(proxy: Swerve) -> float:
    """For how many seconds the one stored response will be fresh."""
    (entry,) = json.loads((await Shell(proxy, {}).run("ls", "--json")).out)["entries"]
    return float(entry["ttl"])


@pytest.mark.parametrize("store", ["memory", "./cache"])
@within(90)
async def test_every_worker_has_the_same_time(tmp_path: Path, store: str) -> None:
    where = store if store == "memory" else str(tmp_path / store)
    flags = "--workers", "4", "--store", where
    async with RoutedOrigin(PAGES) as origin:
        async with swerve(origin.url, *flags) as proxy:
            assert (await get(proxy.port, "/blog")).header("x-cache") == "MISS"
            assert max(await ages(proxy)) < 60
            assert (await moved(proxy, "+1h"))["offset"] == HOUR
            assert min(await ages(proxy)) >= HOUR
            assert "60 min ahead" in (await Shell(proxy, {}).run("clock")).out
            await moved(proxy, "+61m")
            assert (await get(proxy.port, "/blog")).header("x-cache") == "EXPIRED"
            refused = await Shell(proxy, {}).run("clock", "1h", code=2)
            assert "'1h' is no move; write how much further, like +1h, or reset" in refused.err
        if store == "memory":
            return
        async with swerve(origin.url, *flags) as again:
            await until(lambda: "HTTP time is 2 h ahead, as it was left" in again.printed)
            assert 0 < 2 * HOUR - await left(again) < 60, "what was stored under a moved clock is as old as it was"
            assert (await moved(again, "reset"))["offset"] == 0
            assert await left(again) == 2 * HOUR
