"""How requests are cut into segments makes no difference to their answers (RFC 9112 §2.2, §9.3)."""

from __future__ import annotations

import pytest

from tests.live.wire import World, both_ways
from tests.live.wire_client import get, post

HIT = "200 HIT"
CHUNKS = b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n"
CHUNKED = get("/other", "Transfer-Encoding: chunked", method="POST") + CHUNKS


@both_ways()
async def test_a_hit_is_the_stored_page(world: World) -> None:
    answer = (await world.settled(get())).answers()[0]
    assert (str(answer), answer.body) == (HIT, b"page of /a\n")
    assert answer.fields == (
        ("cache-control", "max-age=60"),
        ("etag", '"1"'),
        ("content-type", "text/plain"),
        ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("age", "0"),
        ("content-length", "11"),
        ("x-cache", "HIT"),
        ("via", "1.1 swerve"),
        ("cache-status", 'swerve; hit; ttl=60; key="GET http h /a"; detail=fresh'),
    )
    assert world.seen() == []


@both_ways()
async def test_a_hit_is_answered_however_it_is_cut(world: World) -> None:
    request = get("/a", "Accept: */*")
    whole = await world.settled(request)
    assert whole.said() == "200 HIT open"
    for cut in range(1, len(request)):
        assert await world.told(request[:cut], request[cut:]) == whole, cut
    assert await world.told(*(request[at : at + 1] for at in range(len(request)))) == whole


@both_ways()
async def test_two_hits_are_answered_however_they_are_cut(world: World) -> None:
    requests = get("/a") + get("/b")
    whole = await world.settled(requests)
    assert [answer.body for answer in whole.answers()] == [b"page of /a\n", b"page of /b\n"]
    for cut in range(1, len(requests)):
        assert await world.told(requests[:cut], requests[cut:]) == whole, cut
    for size in (2, 7, len(get())):
        assert await world.told(*(requests[at : at + size] for at in range(0, len(requests), size))) == whole, size


@both_ways()
@pytest.mark.parametrize("body", [post("/other", b"hello"), CHUNKED], ids=["length", "chunked"])
async def test_a_request_with_a_body_and_a_hit_behind_it_are_answered_however_they_are_cut(
    world: World, body: bytes
) -> None:
    requests = body + get("/b")
    whole = await world.told(requests)
    assert whole.said() == "404, 200 HIT open"
    for cut in range(1, len(requests)):
        assert await world.told(requests[:cut], requests[cut:]) == whole, cut
    assert set(world.seen()) == {"POST /other hello"}


@both_ways(site={"/changing": {"headers": {"cache-control": "private"}, "body": "anew"}})
async def test_what_is_fetched_is_answered_however_it_is_cut(world: World) -> None:
    requests = get("/changing") + get("/b")
    whole = await world.told(requests)
    assert whole.said() == "200 MISS, 200 HIT open"
    for cut in range(1, len(requests)):
        assert await world.told(requests[:cut], requests[cut:]) == whole, cut


@both_ways()
@pytest.mark.parametrize("count", [2, 10, 100, 1_000])
async def test_joined_hits_are_answered_each_and_in_order(world: World, count: int) -> None:
    requests = b"".join(get("/a" if number % 2 == 0 else "/b") for number in range(count))
    answers = (await world.settled(requests)).answers()
    assert [answer.body for answer in answers] == [b"page of /%c\n" % b"ab"[number % 2] for number in range(count)]
    assert {str(answer) for answer in answers} == {HIT}
    assert world.seen() == []


@both_ways()
@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n", b"\r\n" * 10], ids=["one", "two", "ten"])
async def test_empty_lines_before_a_request_are_none_of_it(world: World, before: bytes) -> None:
    whole = await world.settled(before + get() + before + get("/b"))
    assert [answer.body for answer in whole.answers()] == [b"page of /a\n", b"page of /b\n"]
    assert whole.fate == "open"
    assert await world.told(before, get(), before, get("/b")) == whole
    assert await world.told(get() + before, get("/b") + before) == whole
    assert await world.told(*(b"%c" % byte for byte in before), get() + before + get("/b")) == whole
