"""Requests that come joined are answered in their order, each whole (RFC 9112 §9.3.2)."""

from __future__ import annotations

import asyncio

import pytest

from tests.live.wire import PAGE, World, both_ways
from tests.live.wire_client import get, post

CHUNKS = b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
CHUNKED = get("/form", "Transfer-Encoding: chunked", method="POST") + CHUNKS
CONDITION = 'If-None-Match: "1"'
SITE = {
    "/new": {"headers": {"cache-control": "max-age=60"}, "body": "new"},
    "/slow": {"headers": {"cache-control": "max-age=60", "content-length": "4"}, "body": "slow"},
    "/stream": {"headers": {"cache-control": "max-age=60"}, "body": "stream", "pauses_after": 2},
    "/form": {"status": 201, "body": "taken"},
}

# What comes between two hits: its bytes, its method, its answer the first time.
BETWEEN = {
    "a hit": (get("/b"), "GET", "200 HIT"),
    "a miss": (get("/new"), "GET", "200 MISS"),
    "what may not be stored": (get("/private"), "GET", "200 MISS"),
    "a POST with a body": (post("/form", b"hello"), "POST", "201 BYPASS"),
    "a POST in chunks": (CHUNKED, "POST", "201 BYPASS"),
    "a POST that wants to be told to go on": (
        post("/form", b"hello", "Expect: 100-continue"), "POST", "100 201 BYPASS or 201 BYPASS",
    ),
    "a GET with a body": (get("/b", "Content-Length: 5") + b"hello", "GET", "200 BYPASS"),
    "a GET with chunks": (get("/b", "Transfer-Encoding: chunked") + CHUNKS, "GET", "200 BYPASS"),
    "an empty body": (get("/b", "Content-Length: 0"), "GET", "200 HIT"),
    "HEAD of a hit": (get("/b", method="HEAD"), "HEAD", "200 HIT"),
    "HEAD of a miss": (get("/new", method="HEAD"), "HEAD", "200 MISS"),
    "not modified": (get("/b", CONDITION), "GET", "304 HIT"),
    "modified": (get("/b", 'If-None-Match: "2"'), "GET", "200 HIT"),
    "a part": (get("/b", "Range: bytes=0-3"), "GET", "206 HIT"),
    "a part that is not there": (get("/b", "Range: bytes=100-"), "GET", "416"),
    "a reload": (get("/b", "Cache-Control: no-cache"), "GET", "200 MISS"),
    "only what is stored": (get("/new", "Cache-Control: only-if-cached"), "GET", "504"),
    "a method that is refused": (get("/b", method="TRACE"), "TRACE", "405"),
    "no host": (get("/b", host=None), "GET", "400"),
    "OPTIONS of all": (get("*", method="OPTIONS"), "OPTIONS", "404"),
    "an offer of h2c": (get("/b", "Connection: Upgrade", "Upgrade: h2c"), "GET", "200 HIT"),
}  # fmt: skip


@both_ways(site=SITE)
@pytest.mark.parametrize(("between", "method", "right"), BETWEEN.values(), ids=BETWEEN)
async def test_between_two_hits(world: World, between: bytes, method: str, right: str) -> None:
    requests = get("/a") + between + get("/a")
    first = await world.told(requests)
    assert first.said("GET", method) in [f"200 HIT, {one}, 200 HIT open" for one in right.split(" or ")]
    before, _, after = first.answers("GET", method)
    assert before == after == (await world.told(get())).answers()[0]
    for _ in range(3):  # now that what could be learnt has been
        assert (await world.told(requests)).answers("GET", method)[0] == before
    assert await world.told(get("/a"), between, get("/a")) == await world.told(requests)


@both_ways(site=SITE)
@pytest.mark.parametrize(("between", "method", "right"), BETWEEN.values(), ids=BETWEEN)
@pytest.mark.parametrize("body", [post("/form", b"hello"), CHUNKED], ids=["length", "chunks"])
async def test_behind_a_body(world: World, body: bytes, between: bytes, method: str, right: str) -> None:
    first = await world.told(body + between + get("/a"))
    assert first.said("POST", method) in [f"201 BYPASS, {one}, 200 HIT open" for one in right.split(" or ")]
    joined = await world.settled(body + between + get("/a"))
    assert await world.settled(body, between, get("/a")) == joined
    pieces = [body + between[:20], between[20:] + get("/a")]
    assert await world.told(*pieces) == joined


@both_ways(site=SITE)
async def test_an_unsafe_request_spoils_what_comes_behind_it(world: World) -> None:
    requests = get("/a") + post("/a", b"") + get("/a") + get("/a")
    heard = await world.settled(requests)
    assert heard.said() == "200 HIT, 200 BYPASS, 200 EXPIRED, 200 HIT open"


@both_ways(site=SITE)
@pytest.mark.parametrize("cut", [False, True], ids=["joined", "cut"])
@pytest.mark.parametrize("count", [1, 50])
async def test_hits_wait_behind_a_slow_answer(world: World, count: int, cut: bool) -> None:
    await world.settled(get("/a") + get("/b"))
    world.origin.gate = gate = asyncio.Event()
    async with world.calling() as client:
        pieces = [get("/slow"), *[get("/a"), get("/b")] * count]
        await client.send(*pieces if cut else [b"".join(pieces)])
        assert await client.hear() == b""
        gate.set()
        heard = await client.probe()
    bodies = [PAGE % "a", PAGE % "b"] * count
    assert [answer.body.decode() for answer in heard.answers()] == ["slow", *bodies]
    assert heard.fate == "open"


@both_ways(site=SITE)
async def test_hits_wait_behind_a_body_that_is_still_coming(world: World) -> None:
    await world.settled(get("/a") + get("/b"))
    world.origin.gate = gate = asyncio.Event()
    async with world.calling() as client:
        await client.send(get("/a") + get("/stream") + get("/a"), get("/b"))
        begun = await client.hear()
        assert begun.endswith(b"\r\n\r\n2\r\nst\r\n")
        await client.send(get("/b"))
        assert await client.hear() == begun
        gate.set()
        heard = await client.probe()
    assert [answer.body for answer in heard.answers()] == [
        b"page of /a\n", b"stream", b"page of /a\n", b"page of /b\n", b"page of /b\n",
    ]  # fmt: skip
    assert heard.fate == "open"


@both_ways(site=SITE)
async def test_hits_wait_behind_a_request_whose_body_is_still_coming(world: World) -> None:
    await world.settled(get("/a"))
    async with world.calling() as client:
        await client.send(get("/form", "Content-Length: 10", method="POST"), b"hello")
        assert await client.hear() == b""
        await client.send(b"world" + get("/a"))
        heard = await client.probe()
    assert heard.said() == "201 BYPASS, 200 HIT open"
    assert world.seen() == ["POST /form helloworld"]


@both_ways(site=SITE)
@pytest.mark.parametrize("joined", [False, True], ids=["cut", "joined"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_body_is_never_taken_for_a_request(world: World, framing: str, joined: bool) -> None:
    known = get("/a")
    await world.settled(known)
    head = get("/form", f"Content-Length: {len(known)}", method="POST")
    pieces = [head, known, known]
    if framing == "chunked":
        head = get("/form", "Transfer-Encoding: chunked", method="POST")
        pieces = [head, b"%x\r\n" % len(known), known, b"\r\n0\r\n\r\n", known]
    heard = await world.told(*[b"".join(pieces)] if joined else pieces)
    assert heard.said() == "201 BYPASS, 200 HIT open"
    assert world.seen() == [f"POST /form {known.decode().strip()}"]


@both_ways(site=SITE)
async def test_a_body_of_a_slow_answer_is_never_taken_for_a_request(world: World) -> None:
    known = get("/a")
    await world.settled(known)
    world.origin.gate = gate = asyncio.Event()
    async with world.calling() as client:
        await client.send(get("/form", f"Content-Length: {2 * len(known)}", method="POST"), known)
        assert await client.hear() == b""
        await client.send(known, known, known)
        assert await client.hear() == b""
        gate.set()
        heard = await client.probe()
    assert heard.said() == "201 BYPASS, 200 HIT, 200 HIT open"
    assert world.seen() == [f"POST /form {(known * 2).decode().strip()}"]


@both_ways(site=SITE)
@pytest.mark.parametrize("method", ["POST", "TRACE", "GET"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_body_that_nobody_wants_is_never_taken_for_a_request(world: World, framing: str, method: str) -> None:
    known = get("/a")
    await world.settled(known)
    lines, pieces = [f"Content-Length: {2 * len(known)}"], [known, known]
    if framing == "chunked":
        lines, pieces = ["Transfer-Encoding: chunked"], [b"%x\r\n" % len(known), known, b"\r\n0\r\n\r\n"]
    async with world.calling() as client:
        await client.send(get("/form", *lines, method=method, host="h" if method == "TRACE" else "no host"))
        refused = await client.hear()
        assert refused.startswith(b"HTTP/1.1 4"), "before its body has come"
        await client.send(*pieces, known)
        heard = await client.probe()
    assert heard.said() in ("400, 200 HIT open", "405, 200 HIT open", "400 closed", "405 closed")
    assert world.seen() == []


@both_ways(site=SITE)
@pytest.mark.parametrize("begin", [b"G", b"GET /b HTTP/1.1\r\nHost: h\r\n", b"GET /b HTTP/1.1\r\nX: "])
async def test_the_rest_of_a_head_is_never_taken_for_a_request(world: World, begin: bytes) -> None:
    known = get("/a")
    await world.settled(known)
    heard = await world.told(begin, known, known)
    assert heard.said() in ("200 HIT, 200 HIT open", "400 closed")
    assert heard.fate == "closed" or [answer.body for answer in heard.answers()] == [b"page of /b\n", b"page of /a\n"]


@both_ways(site=SITE)
async def test_two_clients_do_not_wait_for_each_other(world: World) -> None:
    await world.settled(get("/a"))
    world.origin.gate = gate = asyncio.Event()
    async with world.calling() as slow, world.calling() as fast:
        await slow.send(get("/slow") + get("/a"))
        await fast.send(get("/a") + get("/b"))
        assert (await fast.probe()).said() == "200 HIT, 200 HIT open"
        gate.set()
        assert (await slow.probe()).said() == "200 MISS, 200 HIT open"
