"""Where a request ends is never in doubt: what is ambiguous is refused, and its connection closed (RFC 9112 §6, §7)."""

from __future__ import annotations

import pytest

from tests.live.wire import World, both_ways
from tests.live.wire_client import get, post

BAD = "400 closed"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"


def posted(*lines: str, body: bytes = b"hello", version: str = "1.1") -> bytes:
    return get("/a", *lines, method="POST", version=version) + body


def chunked(body: bytes, *lines: str, method: str = "POST") -> bytes:
    return get("/a", "Transfer-Encoding: chunked", *lines, method=method) + body


LENGTH = "Content-Length: 5"
CODING = "Transfer-Encoding: "

# What follows these would be another request to somebody who frames them in another way.
AMBIGUOUS = {
    "a length and chunks": (posted(LENGTH, CODING + "chunked", body=HELLO), BAD),
    "chunks and a length": (posted(CODING + "chunked", LENGTH, body=HELLO), BAD),
    "two lengths that differ": (posted(LENGTH, "Content-Length: 6"), BAD),
    "two lengths in a list": (posted("Content-Length: 5, 6"), BAD),
    "a length with a sign": (posted("Content-Length: +5"), BAD),
    "a negative length": (posted("Content-Length: -5"), BAD),
    "a hexadecimal length": (posted("Content-Length: 0x5"), BAD),
    "an empty length": (posted("Content-Length:"), BAD),
    "a length in words": (posted("Content-Length: five"), BAD),
    "a length with a space": (posted("Content-Length: 1 5"), BAD),
    "a length in another script": (posted("Content-Length: \xb2"), BAD),
    "a length beyond all": (posted(f"Content-Length: {2**64 + 5}"), f"{BAD} or 413 closed"),
    "a space before the colon of a length": (posted("Content-Length : 5"), BAD),
    "a space before the colon of a coding": (posted("Transfer-Encoding : chunked", body=HELLO), BAD),
    "a folded length": (posted("Content-Length:\r\n 5"), BAD),
    "a folded coding": (posted("Transfer-Encoding:\r\n chunked", body=HELLO), BAD),
    "another coding alone": (posted(CODING + "gzip"), f"{BAD} or 501 closed"),
    "another coding alone, of a GET": (get("/a", CODING + "gzip"), f"{BAD} or 501 closed"),
    "no coding": (posted(CODING + "identity"), f"{BAD} or 501 closed"),
    "an empty coding": (posted(CODING.strip()), f"{BAD} or 501 closed"),
    "a coding that ends like chunked": (posted(CODING + "xchunked", body=HELLO), f"{BAD} or 501 closed"),
    "a quoted coding": (posted(CODING + '"chunked"', body=HELLO), f"{BAD} or 501 closed"),
    "a control character before a coding": (posted(CODING + "\vchunked", body=HELLO), BAD),
    "chunked not last": (posted(CODING + "chunked, gzip", body=HELLO), f"{BAD} or 501 closed"),
    "chunked twice": (posted(CODING + "chunked, chunked", body=HELLO), f"{BAD} or 501 closed"),
    "chunked not last, in two lines": (
        posted(CODING + "chunked", CODING + "gzip", body=HELLO), f"{BAD} or 501 closed",
    ),
    "a length of a GET": (get("/a", LENGTH, "Content-Length: 6") + b"hello", BAD),
    "a length in words, of a GET": (get("/a", "Content-Length: x"), BAD),
}  # fmt: skip

# §6.1: what is coded in a way that we do not know cannot be passed on, for we would say that it was not.
UNKNOWN = {
    "a coding inside of chunks": posted(CODING + "gzip, chunked", body=HELLO),
    "a coding inside of chunks, in two lines": posted(CODING + "gzip", CODING + "chunked", body=HELLO),
}

CHUNKS = {
    "a size in words": b"x\r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "a size with a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "a size with a space before it": b" 5\r\nhello\r\n0\r\n\r\n",
    "a size beyond all": b"%x\r\nhello\r\n0\r\n\r\n" % (2**64 + 5),
    "a size that ends with LF": b"5\nhello\r\n0\r\n\r\n",
    "more data than its size": b"3\r\nhello\r\n0\r\n\r\n",
    "no line end after the data": b"5\r\nhello0\r\n\r\n",
    "a lone CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "a trailer that is no field": b"5\r\nhello\r\n0\r\nno field\r\n\r\n",
}

PLAIN = {
    "a length": (posted(LENGTH), "200 BYPASS open"),
    "chunks": (chunked(HELLO), "200 BYPASS open"),
    "chunks in capitals": (posted(CODING + "Chunked", body=HELLO), "200 BYPASS open"),
    "an extension": (chunked(b'5;a="b c"\r\nhello\r\n0\r\n\r\n'), "200 BYPASS open"),
    "a trailer": (chunked(b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", "Trailer: X-Sum"), "200 BYPASS open"),
    "leading zeros": (posted("Content-Length: 0005"), f"200 BYPASS open or {BAD}"),
    "a length twice": (posted(LENGTH, LENGTH), f"200 BYPASS open or {BAD}"),
    "a GET with chunks": (chunked(HELLO, method="GET"), "200 BYPASS open"),
    "a GET with a length": (get("/a", LENGTH) + b"hello", "200 BYPASS open"),
    "chunks from HTTP/1.0": (posted(CODING + "chunked", body=HELLO, version="1.0"), f"200 BYPASS closed or {BAD}"),
}


@both_ways()
@pytest.mark.parametrize(("data", "right"), AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_what_is_ambiguous_is_refused(world: World, data: bytes, right: str) -> None:
    refused = await world.settled(data)
    assert refused.said() in right.split(" or ")
    assert await world.told(data + get("/smuggled")) == refused, "what follows is not believed"
    assert world.seen() == []


@both_ways()
@pytest.mark.parametrize("data", UNKNOWN.values(), ids=UNKNOWN)
async def test_a_transfer_coding_that_is_not_known_is_refused(world: World, data: bytes) -> None:
    heard = await world.settled(data)
    assert heard.said() in ("501 open", "501 closed", BAD)
    assert world.seen() == []


@both_ways()
@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
async def test_chunks_that_are_none_are_refused_at_once(world: World, chunks: bytes) -> None:
    async with world.calling() as client:
        await client.send(chunked(chunks) + get("/smuggled"))
        heard = await client.ends()
    assert heard.said() in (BAD, "closed", "reset")
    assert world.seen() == []
    assert (await world.told(get())).said() == "200 HIT open"


@both_ways()
@pytest.mark.parametrize(("data", "right"), PLAIN.values(), ids=PLAIN)
async def test_a_body_is_passed_on_to_its_last_byte(world: World, data: bytes, right: str) -> None:
    heard = await world.settled(data)
    assert heard.said() in right.split(" or ")
    assert {line.partition(" /a ")[2] for line in world.seen()} <= {"hello"}


@both_ways()
async def test_an_empty_body_is_none(world: World) -> None:
    assert (await world.settled(get("/a", "Content-Length: 0"))).said() == "200 HIT open"
    assert world.seen() == []


# Expect: 100-continue (RFC 9110 §10.1.1).

EXPECT = "Expect: 100-continue"
EXPECTING = {
    "a hit": (get("/a", EXPECT), "200 HIT open or 100 200 HIT open"),
    "a POST": (post("/a", b"hello", EXPECT), "100 200 BYPASS open or 200 BYPASS open"),
    "a POST of HTTP/1.0": (posted(LENGTH, EXPECT, version="1.0"), "200 BYPASS closed"),
    "another expectation": (post("/a", b"hello", "Expect: tea"), "200 BYPASS open or 417 open or 417 closed"),
}


@both_ways()
@pytest.mark.parametrize(("data", "right"), EXPECTING.values(), ids=EXPECTING)
async def test_an_expectation(world: World, data: bytes, right: str) -> None:
    assert (await world.settled(data)).said() in right.split(" or ")


@both_ways()
async def test_a_body_that_waits_for_100_gets_it(world: World) -> None:
    await world.settled(get())
    async with world.calling() as client:
        await client.send(get() + get("/b", LENGTH, EXPECT, method="POST"))
        assert (await client.hear()).endswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        await client.send(b"hel", b"lo" + get())
        heard = await client.probe()
    assert heard.said() == "200 HIT, 100 200 BYPASS, 200 HIT open"
    assert world.seen() == ["POST /b hello"]
