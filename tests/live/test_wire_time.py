"""A hit is as old as the clock says when it is sent, and stands for as long as it is fresh (RFC 9111 §4.2, §5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.wire import World, both_ways
from tests.live.wire_client import get


def page(control: str, body: str = "page", **more: Any) -> dict[str, Any]:
    return {"headers": {"cache-control": control, "etag": '"1"'}, "body": body} | more


SITE = {
    "/minute": page("max-age=60"),
    "/year": page("max-age=31536000"),
    "/stale": page("max-age=60, stale-while-revalidate=30"),
    "/error": page("max-age=60, stale-if-error=30"),
    "/aged": {"headers": {"cache-control": "max-age=60", "age": "20"}, "body": "page"},
    "/validated": page("max-age=60", validates=True),
    "/expires": {"headers": {"expires": "Tue, 14 Nov 2023 22:14:20 GMT", "date": "Tue, 14 Nov 2023 22:13:20 GMT"}},
}


async def age(world: World, target: str, *lines: str) -> str:
    """`HIT 5`: what a client hears of its age, twice over and joined with itself."""
    heard = await world.told(get(target, *lines) * 2)
    one, other = heard.answers()
    assert one == other or one.get("x-cache") != "HIT"
    return f"{other.get('x-cache')} {other.get('age')}"


@both_ways(site=SITE)
async def test_age_is_right_to_the_second(world: World) -> None:
    await world.settled(get("/year"))
    passed = 0
    for step in [0, 1, 1, 7, 1, 89, 1, 899, 1, 99_000, 1_000_000]:
        world.clock.advance(step)
        passed += step
        (answer,) = (await world.told(get("/year"))).answers()
        assert answer.get("age") == str(passed)
        assert f"ttl={31_536_000 - passed}" in (answer.get("cache-status") or "").split("; ")


@both_ways(60, site=SITE)
@pytest.mark.parametrize("start", [0.0, 0.1, 0.3, 0.5, 0.7, 0.999])
async def test_age_is_right_between_the_seconds(world: World, start: float) -> None:
    world.clock.advance(start)
    await world.settled(get("/minute"))
    stored = world.clock.now()
    for _ in range(250):
        world.clock.advance(0.1)
        (answer,) = (await world.told(get("/minute"))).answers()
        assert answer.get("age") == str(int(world.clock.now() - stored)), world.clock.now() - stored


@both_ways(site=SITE)
async def test_a_clock_that_goes_back_makes_nothing_younger_than_new(world: World) -> None:
    world.clock.advance(100)
    await world.settled(get("/minute"))
    told = []
    for step in [10, -5, -5, -1, -1_000, 1_001, 59, 0.5, -0.5]:
        world.clock.advance(step)
        told.append(await age(world, "/minute"))
    assert told == ["HIT 10", "HIT 5", "HIT 0", "HIT 0", "HIT 0", "HIT 0", "HIT 59", "HIT 59", "HIT 59"]
    assert world.seen() == ["GET /minute"]


@both_ways(site=SITE)
async def test_an_age_from_upstream_counts(world: World) -> None:
    await world.settled(get("/aged"))
    world.clock.advance(39)
    assert await age(world, "/aged") == "HIT 59"
    world.clock.advance(1)
    assert (await world.told(get("/aged"))).said() == "200 EXPIRED open"


@both_ways(site=SITE)
@pytest.mark.parametrize("target", ["/minute", "/expires", "/error"])
async def test_what_has_expired_is_fetched(world: World, target: str) -> None:
    await world.settled(get(target))
    world.clock.advance(59.999)
    assert (await world.told(get(target))).said() == "200 HIT open"
    world.clock.advance(0.001)
    world.origin.script({target: page("max-age=60", "anew")})
    answers = (await world.told(get(target) * 2)).answers()
    assert [(str(answer), answer.body) for answer in answers] == [("200 EXPIRED", b"anew"), ("200 HIT", b"anew")]
    assert await age(world, target) == "HIT 0"
    assert len(world.seen()) == 2


@both_ways(site=SITE)
async def test_what_the_origin_confirms_is_fresh_again(world: World) -> None:
    await world.settled(get("/validated"))
    world.clock.advance(60)
    assert (await world.told(get("/validated"))).said() == "200 REVALIDATED open"
    assert await age(world, "/validated") == "HIT 0"
    world.clock.advance(59)
    assert await age(world, "/validated") == "HIT 59"
    assert len(world.seen()) == 2


@both_ways(site=SITE)
async def test_what_is_stale_is_served_while_it_is_refreshed(world: World) -> None:
    await world.settled(get("/stale"))
    world.clock.advance(60)
    world.origin.script({"/stale": page("max-age=60, stale-while-revalidate=30", "anew")})
    first = (await world.told(get("/stale"))).answers()[0]
    assert (str(first), first.body, first.get("age")) == ("200 STALE", b"page", "60")
    second = (await world.told(get("/stale"))).answers()[0]
    assert (str(second), second.body, second.get("age")) == ("200 HIT", b"anew", "0")
    assert world.seen() == ["GET /stale"] * 2


@both_ways(site=SITE)
async def test_each_stale_answer_asks_for_a_refresh_until_one_comes(world: World) -> None:
    await world.settled(get("/stale"))
    world.clock.advance(60)
    world.origin.gate.clear()
    for second in range(5):
        (answer,) = (await world.settled(get("/stale"))).answers()
        assert (str(answer), answer.get("age")) == ("200 STALE", str(60 + second))
        world.clock.advance(1)
    assert len(world.seen()) == 2, "one refresh at a time"
    world.clock.advance(24.9)
    assert (await world.told(get("/stale"))).said() == "200 STALE open"
    world.origin.gate.set()
    assert await age(world, "/stale") in ("HIT 0", "HIT 29")


@both_ways(site=SITE)
async def test_what_is_stale_for_too_long_is_fetched(world: World) -> None:
    await world.settled(get("/stale"))
    world.clock.advance(60)
    world.origin.script({"/stale": page("max-age=60, stale-while-revalidate=30", error="connection_refused")})
    assert (await world.settled(get("/stale"))).said() == "200 STALE open"
    world.clock.advance(29)
    assert (await world.settled(get("/stale"))).said() == "200 STALE open"
    world.clock.advance(2)
    assert (await world.told(get("/stale"))).said() == "502 open"
    assert len(world.seen()) > 2


@both_ways(site=SITE)
async def test_what_is_stale_is_served_when_the_origin_fails(world: World) -> None:
    await world.settled(get("/error"))
    world.origin.script({"/error": page("max-age=60", error="connection_refused")})
    world.clock.advance(60)
    assert (await world.settled(get("/error"))).said() == "200 STALE open"
    for second in range(1, 29):
        world.clock.advance(1)
        (answer,) = (await world.told(get("/error"))).answers()
        assert (str(answer), answer.get("age")) == ("200 STALE", str(60 + second))
    world.clock.advance(2)
    assert (await world.told(get("/error"))).said() == "502 open"


# What clients ask of caches moves the bounds for them alone (RFC 9111 §5.2.1).
WISHES = {
    "max-age=10": (9, 11, "200 HIT open", "200 MISS open"),
    "max-age=0": (0, 1, "200 MISS open", "200 MISS open"),
    "min-fresh=50": (9, 11, "200 HIT open", "200 MISS open"),
    "max-stale=10": (59, 65, "200 HIT open", "200 STALE open"),
    "max-stale": (59, 1_000, "200 HIT open", "200 STALE open"),
    "only-if-cached": (59, 61, "200 HIT open", "504 open"),
    "no-cache": (0, 1, "200 MISS open", "200 MISS open"),
    "no-store": (0, 1, "200 BYPASS open or 200 MISS open", "200 BYPASS open or 200 MISS open"),
}  # fmt: skip


@both_ways(site=SITE)
@pytest.mark.parametrize("wish", WISHES)
async def test_what_a_client_wishes_counts_for_it_alone(world: World, wish: str) -> None:
    before, after, then, later = WISHES[wish]
    await world.settled(get("/minute"))
    asked = get("/minute", f"Cache-Control: {wish}")
    world.clock.advance(before)
    assert (await world.told(get("/minute"))).said() == "200 HIT open"
    assert (await world.told(asked)).said() in then.split(" or ")
    if then == "200 HIT open":
        assert (await world.settled(asked)).said() == then
        world.clock.advance(after - before)
        assert (await world.told(asked)).said() in later.split(" or ")
    assert (await world.told(get("/minute"))).said() in ("200 HIT open", "200 EXPIRED open")
