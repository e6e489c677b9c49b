"""Connections stay open for as many requests as come, and end when either side says so (RFC 9112 §9)."""

from __future__ import annotations

import asyncio

import pytest

from tests.live.wire import World, both_ways
from tests.live.wire_client import get, post

SITE = {
    "/slow": {"headers": {"cache-control": "max-age=60", "content-length": "4"}, "body": "slow"},
    "/stream": {"headers": {"cache-control": "max-age=60"}, "body": "stream", "pauses_after": 2},
    "/form": {"status": 201, "headers": {"content-length": "5"}, "body": "taken"},
    "/large": {"headers": {"cache-control": "max-age=60"}, "body": "x" * 10**6, "pauses_after": 10**6},  # in one chunk
}
CLOSE = "Connection: close"

OPTIONS = {
    "close": ([CLOSE], True),
    "in capitals": (["CONNECTION: CLOSE"], True),
    "with white space": (["Connection: \t close \t "], True),
    "first of a list": (["Connection: close, x-y"], True),
    "last of a list": (["Connection: x-y,close"], True),
    "beside empty members": (["Connection: ,close,,"], True),
    "beside keep-alive": (["Connection: keep-alive, close"], True),
    "before keep-alive": (["Connection: close, keep-alive"], True),
    "in a line of its own": (["Connection: keep-alive", CLOSE], True),
    "in an earlier line": ([CLOSE, "Connection: x-y"], True),
    "none": ([], False),
    "empty": (["Connection:"], False),
    "keep-alive": (["Connection: keep-alive"], False),
    "another option": (["Connection: x-y", "X-Y: 1"], False),
    "an option that begins like it": (["Connection: closed"], False),
    "an option that ends like it": (["Connection: x-close"], False),
    "another field": (["X-Connection: close"], False),
    "Host": (["Connection: host"], False),
}


@both_ways(site=SITE)
@pytest.mark.parametrize(("lines", "closes"), OPTIONS.values(), ids=OPTIONS)
async def test_the_client_says_whether_the_connection_stays(world: World, lines: list[str], closes: bool) -> None:
    request = get("/a", *lines)
    heard = await world.settled(request)
    assert heard.said() == f"200 HIT {'closed' if closes else 'open'}"
    assert heard.answers()[0].get("connection") == ("close" if closes else None)
    if closes:
        assert await world.told(request + get("/b") + post("/form", b"hello")) == heard, "what follows is ignored"
        assert await world.told(request, get("/b"), post("/form", b"hello")) == heard
        assert world.seen() == []
    assert (await world.told(get(), request)).said() == f"200 HIT, 200 HIT {'closed' if closes else 'open'}"
    assert (await world.told(get())).said() == "200 HIT open", "and others' connections do not"


@both_ways(site=SITE)
@pytest.mark.parametrize("request_", [get("/form", "Content-Length: 5", CLOSE, method="POST") + b"hello",
    get("/private", CLOSE), get("/a", CLOSE, method="HEAD"), get("/a", 'If-None-Match: "1"', CLOSE)],
    ids=["POST", "miss", "HEAD", "not modified"])  # fmt: skip
async def test_the_last_answer_says_that_it_is(world: World, request_: bytes) -> None:
    method = request_.partition(b" ")[0].decode()
    heard = await world.settled(get() + request_)
    assert heard.fate == "closed"
    assert [answer.get("connection") for answer in heard.answers("GET", method)] == [None, "close"]


@both_ways(40)
async def test_a_connection_serves_a_thousand_requests(world: World) -> None:
    requests = [get("/a"), get("/b"), get("/a", method="HEAD"), get("/a", 'If-None-Match: "1"'), get("/b", "X: y")]
    expected = [(await world.settled(request)).data for request in requests]
    async with world.calling() as client:
        for number in range(1_000):
            client.data = b""
            await client.send(requests[number % 5])
            assert await client.hear(until=expected[number % 5]) == expected[number % 5], number
        client.data = b""
        assert (await client.probe()).said() == "open"
    assert world.seen() == []


# A client that says that no more will come (RFC 9112 §9.6) gets what is at hand.


@both_ways(site=SITE)
@pytest.mark.parametrize(("data", "right"), [
    (get(), "200 HIT"),
    (get() * 3, "200 HIT, 200 HIT, 200 HIT"),
    (get("/large") + get(), "200 HIT, 200 HIT"),
    (get() + get()[:20], "200 HIT"),
    (b"", ""),
], ids=["a hit", "hits", "a large page", "a hit and a part", "nothing"])  # fmt: skip
@pytest.mark.parametrize("at_once", [False, True], ids=["after it", "with it"])
async def test_a_client_that_has_said_all_is_answered(world: World, data: bytes, right: str, at_once: bool) -> None:
    await world.settled(get("/large"))
    async with world.calling() as client:
        if at_once:
            assert client.write(data) == len(data)
        else:
            await client.send(data)
        await client.half_close()
        heard = await client.ends()
    assert heard.said() in (f"{right} closed".strip(), f"{right}, 400 closed")


@both_ways(site=SITE)
@pytest.mark.parametrize("target", ["/slow", "/stream"])
async def test_a_client_that_has_said_all_and_must_wait_is_answered_or_given_up(world: World, target: str) -> None:
    """There is no telling it from one that has left: but what is told to it is right."""
    hit = (await world.settled(get())).data
    world.origin.gate = gate = asyncio.Event()
    async with world.calling() as client:
        await client.send(get() + get(target) + get())
        await client.hear()
        await client.half_close()
        await client.hear()
        gate.set()
        heard = await client.ends()
    assert heard.fate == "closed"
    assert heard.data.startswith(hit)
    if heard.data.endswith(hit) and heard.data != hit:
        assert heard.said() == "200 HIT, 200 MISS, 200 HIT closed"
    else:
        assert target == "/stream" or heard.data == hit


# The server stops (uvicorn calls this of each connection).


def shut_down(world: World) -> None:
    for connection in list(world.connections):
        connection.shutdown()


@both_ways(site=SITE)
@pytest.mark.parametrize("before", [b"", get(), get() * 10, get("/private"), get()[:20], get() + get("/b")[:20]],
                         ids=["new", "a hit", "hits", "a miss", "a part", "a hit and a part"])  # fmt: skip
async def test_an_idle_connection_ends_when_the_server_stops(world: World, before: bytes) -> None:
    async with world.calling() as client:
        await client.send(before)
        said = await client.hear()
        shut_down(world)
        heard = await client.ends()
    assert (heard.data, heard.fate) == (said, "closed")


@both_ways(site=SITE)
@pytest.mark.parametrize("target", ["/slow", "/stream"])
async def test_a_busy_connection_ends_with_its_answer_when_the_server_stops(world: World, target: str) -> None:
    await world.settled(get())
    world.origin.gate = gate = asyncio.Event()
    async with world.calling() as client:
        await client.send(get(), get(target))
        await client.hear()
        shut_down(world)
        await client.send(get())
        gate.set()
        heard = await client.ends()
    assert heard.said() == "200 HIT, 200 MISS closed"
    if target == "/slow":
        assert [answer.get("connection") for answer in heard.answers()] == [None, "close"]


@both_ways(site=SITE)
async def test_what_came_joined_ends_with_an_answer_that_says_so_when_the_server_stops(world: World) -> None:
    world.origin.gate = gate = asyncio.Event()
    async with world.calling() as client:
        await client.send(get("/slow") + get() + get("/b"))
        await client.hear()
        shut_down(world)
        gate.set()
        heard = await client.ends()
    answers = heard.answers()
    assert heard.fate == "closed"
    assert [answer.get("connection") for answer in answers] == [*[None] * (len(answers) - 1), "close"]


@both_ways(site=SITE)
async def test_what_is_written_arrives_whole_when_the_server_stops(world: World) -> None:
    await world.settled(get("/large"))
    async with world.calling(SO_RCVBUF=2**14) as client:
        await client.send(get("/large") + get())
        shut_down(world)
        heard = await client.ends()
    assert heard.said() in ("200 HIT, 200 HIT closed", "200 HIT closed")
    assert len(heard.answers()[0].body) == 1_000_000
