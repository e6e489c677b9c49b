"""HTTP time, moved from the admin side: what is stored ages at once, and the origin is as far ahead."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.fields import format_date
from tests.edge.administered import Administered, page, run


def test_what_is_stored_ages_as_the_clock_is_moved() -> None:
    async def talk(site: Administered) -> None:
        start = site.clock.now()
        await site.visit("/blog")
        assert await site.told("GET", "/v1/clock") == {"now": start, "offset": 0}
        assert await site.told("POST", "/v1/clock", {"advance": 50}) == {"now": start + 50, "offset": 50}
        hit = await site.visit("/blog")
        assert (hit.header("x-cache"), hit.header("age")) == ("HIT", "50")
        await site.told("POST", "/v1/clock", {"advance": 10.0})
        assert (await site.visit("/blog")).header("x-cache") == "STALE"
        assert await site.told("POST", "/v1/clock", {"offset": 0}) == {"now": start, "offset": 0}

    run(talk)


@pytest.mark.parametrize("fields", [
    {"date": 0}, {"date": 0, "expires": 60, "cache-control": "public"}, {"expires": 60, "cache-control": "public"}, {},
])  # fmt: skip
def test_what_comes_after_the_clock_was_moved_is_new(fields: dict[str, Any]) -> None:
    """Its Date and Expires are by the origin's clock, which nobody has moved."""

    async def talk(site: Administered) -> None:
        await site.told("POST", "/v1/clock", {"offset": 7200})
        start = site.clock.now()
        answer = page("new")
        answer["headers"] |= {
            name: value if isinstance(value, str) else format_date(start + value) for name, value in fields.items()
        }
        site.origin.script({"/new": answer})
        first = await site.visit("/new")
        assert first.header("date") == format_date(start + 7200)
        site.clock.advance(59)
        hit = await site.visit("/new")
        assert (hit.header("x-cache"), hit.header("age")) == ("HIT", "59")
        site.clock.advance(2)
        assert (await site.visit("/new")).header("x-cache") != "HIT"

    run(talk)


def test_what_comes_from_the_future_is_validated() -> None:
    async def talk(site: Administered) -> None:
        await site.told("POST", "/v1/clock", {"advance": 3600})
        await site.visit("/blog")
        assert (await site.visit("/blog")).header("x-cache") == "HIT"
        await site.told("POST", "/v1/clock", {"offset": 0})
        assert "detail=invalidated" in str((await site.visit("/blog")).header("cache-status"))
        hit = await site.visit("/blog")
        assert (hit.header("x-cache"), hit.header("age")) == ("HIT", "0")
        site.clock.advance(400)
        assert (await site.visit("/blog")).header("x-cache") != "HIT"

    run(talk)


async def is_marked(site: Administered) -> bool:
    return bool((await site.told("POST", "/v1/why", {"url": "/cart"}))["uncacheable"])


@pytest.mark.parametrize("ahead", [30, 3600])
def test_what_proved_uncacheable_in_the_future_is_not_remembered_for_longer(ahead: float) -> None:
    async def talk(site: Administered) -> None:
        await site.told("POST", "/v1/clock", {"advance": ahead})
        await site.visit("/cart")
        assert await is_marked(site)
        await site.told("POST", "/v1/clock", {"offset": 0})
        assert not await is_marked(site)
        await site.visit("/cart")  # which holds here and now
        site.clock.advance(9)
        assert await is_marked(site)
        site.clock.advance(1)
        assert not await is_marked(site)

    run(talk, {"uncacheable_memory": 10})


def test_what_proved_uncacheable_ages_with_the_clock() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/cart")
        await site.told("POST", "/v1/clock", {"advance": 9})
        assert await is_marked(site)
        await site.told("POST", "/v1/clock", {"advance": 1})
        assert not await is_marked(site)

    run(talk, {"uncacheable_memory": 10})


def test_a_reset_puts_the_clock_right() -> None:
    async def talk(site: Administered) -> None:
        await site.told("POST", "/v1/clock", {"offset": 60})
        await site.told("POST", "/v1/reset")
        assert (await site.told("GET", "/v1/clock"))["offset"] == 0

    run(talk)


@pytest.mark.parametrize(("asked", "told"), [
    ({}, "neither"), ({"advance": 1, "offset": 1}, "write one of them"), ({"advance": "1h"}, "'1h'; write seconds"),
    ({"offset": True}, "True; write seconds"), ({"advance": -1}, "-1 seconds ahead"), ({"offset": 1e300}, "1e+300"),
    ({"advance": -300_000_000.5}, "-300000000.5 seconds ahead"),
    ({"back": 1}, "back is unknown"),
])  # fmt: skip
def test_moves_that_are_none(asked: dict[str, Any], told: str) -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("POST", "/v1/clock", asked)
        assert status == 400
        assert told in problem["detail"]
        assert (await site.told("GET", "/v1/clock"))["offset"] == 0

    run(talk)
