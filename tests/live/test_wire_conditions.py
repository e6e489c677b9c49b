"""A hit is what was asked for of what is stored: 304, 206, or a head alone (RFC 9110 §9.3.2, §13, §14)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.wire import World, both_ways
from tests.live.wire_client import get

BODY = "0123456789"
DATES = {"date": "Tue, 14 Nov 2023 22:13:20 GMT", "last-modified": "Mon, 13 Nov 2023 00:00:00 GMT"}
FRESH = {"cache-control": "max-age=60", "etag": '"1"', "content-type": "text/plain", **DATES}
SITE: dict[str, Any] = {
    "/page": {"headers": FRESH, "body": BODY},
    "/plain": {"headers": {"cache-control": "max-age=60"}, "body": BODY},
    "/empty": {"headers": {"cache-control": "max-age=60", "etag": '"1"'}, "body": ""},
    "/gone": {"status": 404, "headers": {"cache-control": "max-age=60", "etag": '"1"'}, "body": "gone"},
    "/moved": {"status": 301, "headers": {"cache-control": "max-age=60", "location": "/page"}, "body": ""},
    "/nothing": {"status": 204, "headers": {"cache-control": "max-age=60"}, "body": ""},
    "/large": {"headers": {"cache-control": "max-age=60"}, "body": BODY * 50_000, "pauses_after": 500_000},
}

CONDITIONS = {
    "the tag": (['If-None-Match: "1"'], 304, ""),
    "the tag, weak": (['If-None-Match: W/"1"'], 304, ""),
    "the tag in a list": (['If-None-Match: "2", "1"'], 304, ""),
    "the tag in a line of its own": (['If-None-Match: "2"', 'If-None-Match: "1"'], 304, ""),
    "any tag": (["If-None-Match: *"], 304, ""),
    "another tag": (['If-None-Match: "2"'], 200, BODY),
    "a tag that contains it": (['If-None-Match: "11"'], 200, BODY),
    "no tag": (["If-None-Match:"], 200, BODY),
    "another tag and a date that would do": (
        ['If-None-Match: "2"', "If-Modified-Since: Wed, 15 Nov 2023 00:00:00 GMT"], 200, BODY,
    ),
    "its date": (["If-Modified-Since: Mon, 13 Nov 2023 00:00:00 GMT"], 304, ""),
    "a later date": (["If-Modified-Since: Tue, 14 Nov 2023 00:00:00 GMT"], 304, ""),
    "an earlier date": (["If-Modified-Since: Sun, 12 Nov 2023 00:00:00 GMT"], 200, BODY),
    "no date": (["If-Modified-Since: yesterday"], 200, BODY),
    "a part": (["Range: bytes=2-4"], 206, "234"),
    "the first byte": (["Range: bytes=0-0"], 206, "0"),
    "the last bytes": (["Range: bytes=-2"], 206, "89"),
    "from somewhere on": (["Range: bytes=7-"], 206, "789"),
    "beyond the end": (["Range: bytes=7-100"], 206, "789"),
    "nothing of it": (["Range: bytes=10-"], 416, ""),
    "the wrong way round": (["Range: bytes=4-2"], 200, BODY),
    "another unit": (["Range: lines=0-1"], 200, BODY),
    "no range": (["Range: bytes="], 200, BODY),
    "a part of that tag": (["Range: bytes=2-4", 'If-Range: "1"'], 206, "234"),
    "a part of another tag": (["Range: bytes=2-4", 'If-Range: "2"'], 200, BODY),
    "a part, if it is not known": (["Range: bytes=2-4", 'If-None-Match: "1"'], 304, ""),
    "a condition that is the origin's": (['If-Match: "2"'], 200, BODY),
}  # fmt: skip


@both_ways(site=SITE)
@pytest.mark.parametrize(("lines", "status", "body"), CONDITIONS.values(), ids=CONDITIONS)
async def test_a_condition(world: World, lines: list[str], status: int, body: str) -> None:
    plain, asked = get("/page"), get("/page", *lines)
    whole = await world.settled(plain)
    heard = await world.settled(asked)
    (answer,) = heard.answers()
    assert (answer.status, answer.body.decode(), heard.fate) == (status, body, "open")
    assert "date" in dict(answer.fields)
    if status == 304:
        assert answer.get("etag") == '"1"'
        assert answer.get("content-type") is None
    if status == 206:
        assert (answer.get("content-range") or "").endswith("/10")
    assert len(world.seen()) == 1, "the page once"
    both = await world.settled(plain + asked + plain)
    assert both.data == whole.data + heard.data + whole.data
    head = await world.settled(get("/page", *lines, method="HEAD"))
    assert head.answers("HEAD")[0].status == (304 if status == 304 else 200)
    assert await world.told(plain) == whole


@both_ways(site=SITE)
async def test_several_parts(world: World) -> None:
    await world.settled(get("/page"))
    (answer,) = (await world.settled(get("/page", "Range: bytes=0-1, 4-5"))).answers()
    kind = answer.get("content-type") or ""
    assert (answer.status, kind.partition("=")[0]) == (206, "multipart/byteranges; boundary")
    assert answer.body.count(b"Content-Range: bytes ") == 2


@both_ways(site=SITE)
@pytest.mark.parametrize("target", sorted(SITE))
async def test_a_head_is_that_of_the_get_without_its_body(world: World, target: str) -> None:
    (whole,) = (await world.settled(get(target))).answers()
    heard = await world.settled(get(target, method="HEAD"))
    (head,) = heard.answers("HEAD")
    assert (head.status, head.fields, heard.fate) == (whole.status, whole.fields, "open")
    assert head.get("content-length") == (None if whole.status == 204 else str(len(whole.body)))
    assert world.seen() == [f"GET {target}"]
    both = await world.settled(get(target, method="HEAD") + get(target) + get(target, method="HEAD"))
    assert both.answers("HEAD", "GET", "HEAD") == [head, whole, head]


@both_ways(site=SITE)
@pytest.mark.parametrize("line", ['If-None-Match: "1"', "Range: bytes=0-1", f"If-Modified-Since: {DATES['date']}"])
@pytest.mark.parametrize("target", ["/gone", "/moved", "/nothing", "/empty"])
async def test_conditions_are_of_what_was_found(world: World, target: str, line: str) -> None:
    (plain,) = (await world.settled(get(target))).answers()
    (answer,) = (await world.settled(get(target, line))).answers()
    if target != "/empty":  # RFC 9110 §13.2.1, §14.2: only of what would be a 200
        assert answer == plain
    else:
        assert answer.status in (200, 304, 416)


@both_ways(site=SITE)
async def test_another_tag_brings_the_page_again(world: World) -> None:
    known, newer = get("/page", 'If-None-Match: "1"'), get("/page", 'If-None-Match: "2"')
    await world.settled(get("/page"))
    assert (await world.settled(known)).said() == "304 HIT open"
    assert (await world.settled(newer)).said() == "200 HIT open"
    world.origin.script({"/page": {"headers": {"cache-control": "max-age=60", "etag": '"2"'}, "body": "anew"}})
    world.clock.advance(61)
    assert (await world.told(known)).said() == "200 EXPIRED open"
    assert (await world.settled(known)).said() == "200 HIT open"
    assert (await world.settled(newer)).said() == "304 HIT open"
    assert (await world.asked(get("/page"))).body == b"anew"


@both_ways(site=SITE)
async def test_a_large_page_is_whole(world: World) -> None:
    heard = await world.settled(get("/large") * 5)
    assert [len(answer.body) for answer in heard.answers()] == [500_000] * 5
    assert heard.said() == ", ".join(["200 HIT"] * 5) + " open"
    (part,) = (await world.settled(get("/large", "Range: bytes=100001-"))).answers()
    assert part.body == (BODY * 50_000)[100_001:].encode()
