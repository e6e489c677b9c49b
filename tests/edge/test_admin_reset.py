"""`POST /v1/reset`: everything as at the start."""

from __future__ import annotations

import asyncio

from tests.edge.administered import Administered, run, says


def test_after_a_reset_everything_is_as_at_the_start() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/cart")
        assert await site.told("POST", "/v1/reset") == {"dropped": 1}
        stats = await site.told("GET", "/v1/stats")
        assert (stats["counters"]["requests"], stats["counters"]["results"], stats["store"]["keys"]) == (0, {}, 0)
        assert (await site.told("GET", "/v1/decisions"))["decisions"] == []
        why = await site.told("POST", "/v1/why", {"url": "http://localhost:8080/cart"})
        assert (why["uncacheable"], why["last_answer"], why["last_request"]) == (False, None, None)
        assert await says(site, "/blog") == "MISS", "not REVALIDATED, as after a purge"

    run(talk, dialect="vercel")


def test_a_reset_also_forgets_what_had_been_deleted_and_swept_before() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/shop")
        await site.told("POST", "/v1/delete", {"paths": ["/blog"]})
        await site.around.tasks.drain(1)
        assert await site.told("POST", "/v1/reset") == {"dropped": 1}
        assert await says(site, "/blog") == "MISS"

    run(talk, dialect="vercel")


def test_what_is_being_fetched_does_not_survive_a_reset() -> None:
    async def talk(site: Administered) -> None:
        site.origin.gate.clear()
        visiting = asyncio.ensure_future(site.visit("/blog"))
        for _ in range(20):
            await asyncio.sleep(0)
        await site.told("POST", "/v1/reset")
        site.origin.gate.set()
        await visiting
        assert (await site.visit("/blog")).header("x-vercel-cache") != "HIT"

    run(talk, dialect="vercel")
