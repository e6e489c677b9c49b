"""What one client taught the memo is no other's: how its request looked, what it was called, what it asked for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.core.key import cache_key
from tests.live.wire import World, both_ways
from tests.live.wire_client import get, turns

PLAIN: dict[str, str] = {"cache-control": "max-age=60"}
STALE = {"cache-control": "s-maxage=10, stale-while-revalidate=1000"}


def page(body: str, **headers: str) -> dict[str, Any]:
    return {"headers": PLAIN | headers, "body": body}


async def renewed(world: World, *lines: str) -> None:
    """Have the origin's present answer stored in place of what is there."""
    world.clock.advance(2)
    await world.told(get("/v", *lines, "Cache-Control: no-cache"))


@both_ways(site={"/v": page("for all")})
async def test_a_vary_that_comes_with_a_new_response_is_looked_at(world: World) -> None:
    await world.settled(get("/v", "Cookie: user=alice"))
    world.origin.script({"/v": page("alice's own", vary="cookie")})
    await renewed(world, "Cookie: user=alice")
    world.origin.script({"/v": page("bob's own", vary="cookie")})
    for _ in range(3):
        assert (await world.asked(get("/v", "Cookie: user=bob"))).body != b"alice's own"


@both_ways(site={"/v": page("for all")})
async def test_a_vary_on_the_address_that_comes_with_a_new_response_is_looked_at(world: World) -> None:
    await world.settled(get("/v"))
    world.origin.script({"/v": page("for 127.0.0.1", vary="x-forwarded-for")})
    await renewed(world)
    world.origin.script({"/v": page("for 127.0.0.2", vary="x-forwarded-for")})
    for _ in range(3):
        async with world.calling(own="127.0.0.2") as client:
            await client.send(get("/v"))
            assert (await client.probe()).answers()[0].body != b"for 127.0.0.1"


@both_ways(site={"/v": {"headers": STALE, "body": "for all"}}, dialect="vercel")
async def test_a_vary_that_a_refresh_brings_is_looked_at(world: World) -> None:
    await world.settled(get("/v"))
    world.clock.advance(12)
    await world.settled(get("/v"))  # what a stale answer looks at is known then
    await world.settled(get("/v", "X-User: alice"))
    world.clock.advance(12)
    world.origin.script({"/v": {"headers": STALE | {"vary": "x-user"}, "body": "alice's own"}})
    await world.told(get("/v", "X-User: alice"))
    await turns()
    world.origin.script({"/v": {"headers": STALE | {"vary": "x-user"}, "body": "bob's own"}})
    for _ in range(3):
        assert (await world.asked(get("/v", "X-User: bob"))).body != b"alice's own"


@both_ways(site={"/v": {"headers": STALE, "body": "old"}}, dialect="vercel")
async def test_what_only_a_stale_answer_looks_at_is_looked_at(world: World) -> None:
    await world.settled(get("/v"))
    world.origin.script({"/v": {"headers": STALE, "body": "new"}})
    world.clock.advance(12)
    assert (await world.asked(get("/v", "Pragma: no-cache"))).body == b"new"


@both_ways(site={"/v": {"headers": STALE, "body": "page"}}, dialect="vercel")
async def test_a_refresh_speaks_for_who_came_and_not_for_who_taught(world: World) -> None:
    for agent in ("first", "mallory", "mallory"):
        await world.told(get("/v", f"User-Agent: {agent}", "X-Poison: evil"))
    identities = set()
    for number in range(5):
        world.clock.advance(12)
        for agent in ("one", "another"):
            await world.told(get("/v", f"User-Agent: {agent} {number}"))
        await turns()
        sent = world.origin.requests[-1].headers
        assert (sent["user-agent"], "x-poison" in sent) == (f"one {number}", False)
        identities.add(sent["x-vercel-id"])
    assert len(identities) == 5


@both_ways(site={"/v": {"headers": STALE | {"x-trace": "{}"}, "echo": "x-vercel-id", "body": "page"}}, dialect="vercel")
async def test_what_is_stored_is_the_same_for_all_though_it_was_somebodys_name(world: World) -> None:
    await world.settled(get("/v"))
    world.clock.advance(12)
    await world.settled(get("/v"))
    heard = [(await world.asked(get("/v"))).get("x-trace") for _ in range(4)]
    assert len(set(heard)) == 1
    world.transcript.clear()  # the names themselves are others each time


@both_ways()
@pytest.mark.parametrize("lines", [("Connection: x-request-id", "X-Request-Id: 7"), ("Connection: rsc", "RSC: 1")])
async def test_the_journal_has_requests_as_they_arrived(world: World, lines: tuple[str, str]) -> None:
    for _ in range(4):
        await world.told(get("/a", *lines, "X-Forwarded-Host: evil"))
    journal, rules = world.application.around.journal, world.application.around.dialect.rules
    events = [event for event in journal.events if event.status == 200][-4:]
    assert [cache_key(event.request, rules) for event in events] == [event.verdict.key for event in events]
    assert {event.request.headers.get("x-request-id") for event in events} == {None}
    assert {event.request.headers.get("x-forwarded-host") for event in events} == {"h"}
    assert len(journal.events) == len(journal.events), "to look changes nothing"


@both_ways(site={"/v": page("x" * 15_000)}, max_size="1mb")
async def test_one_page_asked_for_in_many_ways_takes_little(world: World) -> None:
    world.uncounted()
    async with world.calling() as client:
        for number in range(300):
            await client.send(b"".join(get("/v", f'If-None-Match: "{number} {i}"') * 2 for i in range(3)))
            await client.hear(turns=4)
            client.data = b""
    memo = world.application.memo
    assert memo is None or (len(memo) <= 64 + 2 and memo.size < 2 * 2**20)


@both_ways()
async def test_no_more_of_a_pipeline_is_read_than_can_wait(world: World) -> None:
    world.uncounted()
    world.origin.gate.clear()
    async with world.calling() as client:
        await client.send(get("/slow"))
        wrote = client.write(get("/a") * 3_000)
        await turns()
        assert max(len(one._pipeline) for one in world.connections) <= 32
        world.origin.gate.set()
        answered, asked = 0, wrote // len(get("/a"))
        for _ in range(100):  # a busy machine makes pauses
            answered = len(re.findall(rb"HTTP/1\.1 200 ", await client.hear()))
            if answered >= asked:
                break
        assert answered >= asked
