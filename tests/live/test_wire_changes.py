"""What changes in the store changes the very next answer (RFC 9111 §4.4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.live.wire import World, both_ways
from tests.live.wire_client import get, post


def page(body: str, **fields: str) -> dict[str, Any]:
    return {"headers": {"cache-control": "max-age=60"} | {name.replace("_", "-"): it for name, it in fields.items()},
            "body": body}  # fmt: skip


SITE = {
    "/page": page("old"),
    "/other": page("other"),
    "/by-language": page("{}", vary="x-language") | {"echo": "x-language"},
}

CHANGES = {
    "POST": (post("/page", b"x"), {}, True),
    "PUT": (get("/page", "Content-Length: 1", method="PUT") + b"x", {}, True),
    "DELETE": (get("/page", method="DELETE"), {}, True),
    "a method of WebDAV": (get("/page", method="MKCOL"), {}, True),
    "a POST elsewhere that says so in Location": (post("/form", b"x"), {"location": "/page"}, True),
    "a POST elsewhere that says so in Content-Location": (post("/form", b"x"), {"content-location": "/page"}, True),
    "a POST elsewhere": (post("/form", b"x"), {}, False),
    "a POST of another query": (post("/page?x", b"x"), {}, False),
    "a POST to another host": (get("/page", "Content-Length: 0", method="POST", host="other"), {}, False),
    "OPTIONS": (get("/page", method="OPTIONS"), {}, False),
}


@both_ways(site=SITE)
@pytest.mark.parametrize(("change", "fields", "spoils"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("joined", [False, True], ids=["apart", "joined"])
async def test_an_unsafe_request_spoils_what_is_stored(
    world: World, change: bytes, fields: dict[str, str], spoils: bool, joined: bool
) -> None:
    await world.settled(get("/page"), get("/other"))
    assert (await world.settled(get("/page"))).said() == "200 HIT open"
    world.origin.script({"/form": page("", **fields), "/page": page("new")})
    if joined:
        after = (await world.told(get("/page") + change + get("/page") + get("/page"))).answers()[2:]
    else:
        await world.told(change)
        after = [*(await world.told(get("/page"))).answers(), *(await world.told(get("/page"))).answers()]
    assert [str(answer) for answer in after] == ["200 EXPIRED" if spoils else "200 HIT", "200 HIT"]
    assert [answer.body for answer in after] == [b"new" if spoils else b"old"] * 2
    assert (await world.told(get("/other"))).said() == "200 HIT open"


@both_ways(site=SITE)
@pytest.mark.parametrize("status", [404, 500])
async def test_an_unsafe_request_that_fails_spoils_nothing(world: World, status: int) -> None:
    await world.settled(get("/page"))
    world.origin.script({"/page": {"status": status}})
    assert (
        await world.told(get("/page") + post("/page", b"x") + get("/page"))
    ).said() == f"200 HIT, {status}, 200 HIT open"


@both_ways(site=SITE)
async def test_a_purge_while_a_refresh_is_under_way_is_not_undone_by_it(world: World) -> None:
    world.origin.script(
        {"/page": {"headers": {"cache-control": "max-age=60, stale-while-revalidate=60"}, "body": "old"}}
    )
    await world.settled(get("/page"))
    world.clock.advance(61)
    usual, world.origin.gate = world.origin.gate, asyncio.Event()
    assert (await world.settled(get("/page"))).said() == "200 STALE open"
    held, world.origin.gate = world.origin.gate, usual
    world.origin.script({"/page": page("new")})
    assert (await world.told(post("/page", b"x"))).said() == "200 BYPASS open"
    held.set()
    (answer,) = (await world.told(get("/page"))).answers()
    assert answer.body == b"new"


@both_ways(site=SITE)
async def test_a_reload_renews_it_for_everybody(world: World) -> None:
    await world.settled(get("/page"))
    world.origin.script({"/page": page("new")})
    assert (await world.told(get("/page", "Cache-Control: no-cache"))).said() == "200 MISS open"
    (answer,) = (await world.told(get("/page"))).answers()
    assert (str(answer), answer.body) == ("200 HIT", b"new")


@both_ways(site=SITE)
@pytest.mark.parametrize("fields", [
    {"cache_control": "no-store"}, {"cache_control": "private"}, {"cache_control": "max-age=60", "set_cookie": "a=b"},
], ids=["no-store", "private", "cookie"])  # fmt: skip
async def test_what_becomes_uncacheable_is_not_given_to_the_next(world: World, fields: dict[str, str]) -> None:
    await world.settled(get("/page"))
    world.origin.script({"/page": [page("mine", **fields), page("yours", **fields)]})
    world.clock.advance(60)
    bodies = [(await world.asked(get("/page"))).body for _ in range(3)]
    assert bodies == [b"mine", b"yours", b"yours"]
    assert "HIT" not in (await world.told(get("/page"))).said()


@both_ways(site=SITE)
async def test_variants_are_told_apart(world: World) -> None:
    languages = ["de", "en", "fr"]
    for _ in range(4):
        for language in languages:
            answer = await world.asked(get("/by-language", f"X-Language: {language}"))
            assert answer.body == language.encode()
        assert (await world.asked(get("/by-language"))).body == b"nobody"
    assert len(world.seen()) == 4
    joined = b"".join(get("/by-language", f"X-Language: {language}") for language in languages)
    assert [answer.body for answer in (await world.settled(joined)).answers()] == [b"de", b"en", b"fr"]


@both_ways(site=SITE)
async def test_a_page_that_begins_to_vary_is_not_given_to_others(world: World) -> None:
    await world.settled(get("/page"))
    await world.settled(get("/page", "X-Language: de"))
    world.origin.script({"/page": page("{}", vary="x-language") | {"echo": "x-language"}})
    world.clock.advance(60)
    for language in ["de", "en", "de", "en"]:
        assert (await world.asked(get("/page", f"X-Language: {language}"))).body == language.encode()
    assert (await world.asked(get("/page"))).body == b"nobody"


# A store that is full gives up what was not asked for the longest (LRU).


@both_ways(site={f"/{name}": page(name * 30_000) for name in "pqrst"}, max_size="110kb")
async def test_what_had_to_make_room_is_fetched_again(world: World) -> None:
    assert (await world.settled(get("/p"))).said() == "200 HIT open"
    for name in "qrst":
        await world.told(get(f"/{name}"))
    world.origin.script({"/p": page("new")})
    (answer,) = (await world.told(get("/p"))).answers()
    assert (str(answer), answer.body) == ("200 MISS", b"new")


@both_ways(site={f"/{name}": page(name * 30_000) for name in "pqrst"}, max_size="110kb")
@pytest.mark.parametrize("later", [0, 1], ids=["in the same second", "a second later"])
async def test_what_is_asked_for_stays(world: World, later: int) -> None:
    for name in "pqr":
        await world.settled(get(f"/{name}"))
    world.clock.advance(later)
    await world.told(get("/p"))  # so that it was used last
    await world.told(get("/s"))
    assert (await world.told(get("/p"))).said() == "200 HIT open"
    assert (await world.told(get("/q"))).said() == "200 MISS open"


@both_ways(site={"/page": page("x" * 2_000)}, max_object="1kb")
async def test_what_is_too_large_is_never_a_hit(world: World) -> None:
    assert (await world.settled(get("/page"))).said() == "200 MISS open"
