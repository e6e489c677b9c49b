"""What the memo may not take for the same, although the requests look alike."""

from __future__ import annotations

from typing import Any

from tests.live.wire import World, both_ways
from tests.live.wire_client import get, turns

BY_ADDRESS: dict[str, Any] = {
    "/mine": {
        "headers": {"cache-control": "s-maxage=60", "vary": "x-forwarded-for"},
        "echo": "x-forwarded-for",
        "body": "for {}",
    }
}


@both_ways(site=BY_ADDRESS)
async def test_clients_whose_address_selects(world: World) -> None:
    for own in ["127.0.0.1", "127.0.0.3"] * 3:
        async with world.calling(own=own) as client:
            await client.send(get("/mine"))
            assert (await client.probe()).answers()[0].body == f"for {own}".encode()


STALE = {"headers": {"cache-control": "max-age=1, stale-while-revalidate=60"}}


@both_ways(
    site={"/first": STALE | {"body": "first"}, "/second": STALE | {"body": "second"}}, max_refreshes="1"
)  # so that one must wait for the other
async def test_a_refresh_that_could_not_be_begun_is_begun_later(world: World) -> None:
    for target in ("/first", "/second"):
        await world.told(get(target))
    world.clock.advance(2)
    world.origin.gate.clear()
    for _ in range(3):
        for target in ("/first", "/second"):
            assert (await world.told(get(target))).said() == "200 STALE open"
    assert world.seen() == ["GET /first", "GET /second", "GET /first"]
    world.origin.gate.set()
    await turns()
    assert (await world.told(get("/second"))).said() == "200 STALE open"
    assert (await world.told(get("/second"))).said() == "200 HIT open"
    assert world.seen()[3:] == ["GET /second"]


@both_ways()
async def test_an_empty_query_is_a_query(world: World) -> None:
    for target in ("/a", "/a?") * 3:
        assert f'key="GET http h {target}"' in ((await world.asked(get(target))).get("cache-status") or "")
