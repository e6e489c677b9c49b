"""Heads have bounds, in size, in lines and in time, also where the answer is known (RFC 6585 §5, RFC 9110 §15.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from app import protocol
from app.core.refusing import LONGEST_HEAD, LONGEST_TARGET
from tests.live.wire import World, both_ways
from tests.live.wire_client import get

HIT = "200 HIT open"
KIB = 2**10
TOO_LARGE = "431 closed or 431 open"

WHOLE = {
    "a long target": (get("/a?" + "x" * (LONGEST_TARGET + 1)), "414 open or 414 closed"),
    "a long target that may be": (get("/a?" + "x" * (LONGEST_TARGET - 3)), "200 HIT open"),
    "one large field": (get("/a", "X: " + "x" * (LONGEST_HEAD + 1)), TOO_LARGE),
    "one large field that may be": (get("/a", "X: " + "x" * (LONGEST_HEAD - KIB)), HIT),
    "fields that are too large together": (get("/a", *[f"X: {'x' * KIB}"] * (LONGEST_HEAD // KIB + 1)), TOO_LARGE),
    "fields that may be together": (get("/a", *[f"X: {'x' * KIB}"] * (LONGEST_HEAD // KIB - 2)), HIT),
    "a large name": (get("/a", "X" * (LONGEST_HEAD + 1) + ": x"), TOO_LARGE),
    "a large cookie": (get("/a", "Cookie: c=" + "x" * LONGEST_HEAD), TOO_LARGE),
    "too many lines": (get("/a", *["X:"] * 501), TOO_LARGE),
    "far too many lines": (get("/a", *["X:"] * 1_000), TOO_LARGE),
    "many lines that may be": (get("/a", *["X: y"] * 300), HIT),
    "too many Hosts": (get("/a", *["Host: h"] * 1_000), f"{TOO_LARGE} or 400 open or 400 closed"),
}


def endless(begin: bytes, more: bytes) -> Iterator[bytes]:
    yield begin
    while True:
        yield more


ENDLESS = {
    "a method": (b"", b"G" * KIB, "400 closed or 431 closed"),
    "a target": (b"GET /a", b"a" * KIB, "414 closed or 431 closed"),
    "a name": (b"GET /a HTTP/1.1\r\nHost: h\r\n", b"a" * KIB, "431 closed"),
    "a value": (b"GET /a HTTP/1.1\r\nHost: h\r\nX: ", b"a" * KIB, "431 closed"),
    "lines": (b"GET /a HTTP/1.1\r\nHost: h\r\n", b"a: b\r\n" * 200, "431 closed"),
    "lines, half of one at a time": (b"GET /a HTTP/1.1\r\nHost: h\r\nx", b": b\r\na" * 200, "431 closed"),
    "a hit and then a value": (get() + b"GET /a HTTP/1.1\r\nX: ", b"a" * KIB, "200 HIT, 431 closed"),
}


@both_ways()
@pytest.mark.parametrize(("data", "right"), WHOLE.values(), ids=WHOLE)
async def test_a_head_has_its_limits(world: World, data: bytes, right: str) -> None:
    await world.settled(get())
    heard = await world.settled(data)
    assert heard.said() in right.split(" or ")
    pieces = [data[at : at + 4 * KIB] for at in range(0, len(data), 4 * KIB)]
    assert await world.told(*pieces) == heard, "cut"
    assert (await world.told(get())).said() == HIT


@both_ways()
@pytest.mark.parametrize(("begin", "more", "right"), ENDLESS.values(), ids=ENDLESS)
async def test_a_head_that_never_ends_is_refused(world: World, begin: bytes, more: bytes, right: str) -> None:
    sent = 0
    async with world.calling() as client:
        for piece in endless(begin, more):
            await client.send(piece)
            await client.hear(turns=1)
            sent += len(piece)
            if client.fate != "open":
                break
            assert sent < 256 * KIB, "never refused"
        assert client.so_far().said() in right.split(" or ")


@both_ways()
@pytest.mark.parametrize("count", [0, 3])
async def test_empty_lines_without_end_are_refused_in_bounded_memory(world: World, count: int) -> None:
    async with world.calling() as client:
        await client.send(get() * count)
        for _ in range(64):
            await client.send(b"\r\n" * 2 * KIB)
            await client.hear(turns=1)
        heard = await client.probe()
    hits = ["200 HIT"] * count
    assert heard.said() in [
        f"{', '.join(hits)} open".strip(), *(f"{', '.join([*hits, refusal])} closed" for refusal in ("400", "431")),
    ]  # fmt: skip


# Time.

SOON = 0.05
HEAD = get("/a", "X: y")
LATE = {
    "the first byte alone": (HEAD[:1], "408 closed"),
    "all but the last byte": (HEAD[:-1], "408 closed"),
    "a hit and a part": (get() + HEAD[:20], "200 HIT, 408 closed"),
    "a body and a part": (get("/b", "Content-Length: 1", method="POST") + b"x" + HEAD[:20], "200 BYPASS, 408 closed"),
    "nothing": (b"", "closed or 408 closed"),
    "an empty line": (b"\r\n", "closed or 408 closed"),
}


@both_ways()
@pytest.mark.parametrize(("data", "right"), LATE.values(), ids=LATE)
async def test_a_head_that_does_not_come_in_time_is_refused(
    world: World, data: bytes, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.settled(get())
    monkeypatch.setattr(protocol, "HEAD_SECONDS", SOON)
    async with world.calling() as client:
        await client.send(data)
        assert (await client.ends()).said() in right.split(" or ")
    monkeypatch.undo()


@both_ways()
async def test_a_head_that_drips_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", SOON)
    async with world.calling() as client:
        await client.send(get() + b"GET /a HTTP/1.1\r\nX: ")
        while client.fate == "open":
            await client.send(b"x")
            await client.hear(turns=1)
            assert len(client.data) < 1_000
        assert client.so_far().said() in ("200 HIT, 408 closed", "200 HIT, 408 reset")
    world.uncounted()  # whether it still dripped then is chance
    monkeypatch.undo()


@both_ways(site={"/slow": {"headers": {"content-length": "4"}, "body": "slow"}})
async def test_only_idle_connections_end_by_themselves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", SOON)
    world.config.timeout_keep_alive = SOON  # type: ignore[assignment]  # whole seconds would be long to wait
    world.origin.gate = gate = asyncio.Event()
    async with world.calling() as busy, world.calling() as idle:
        for client in (busy, idle):
            await client.send(get(), get())
        await busy.send(get("/slow"))
        assert (await idle.ends()).said() == "200 HIT, 200 HIT closed"
        async with world.calling() as later:
            await later.send(get())
            assert (await later.ends()).said() == "200 HIT closed"
        gate.set()
        await busy.hear(until=b"slow")
        assert busy.so_far().said() == "200 HIT, 200 HIT, 200 MISS open"
    monkeypatch.undo()


@both_ways()
async def test_a_connection_that_is_used_does_not_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", SOON)
    world.config.timeout_keep_alive = SOON  # type: ignore[assignment]  # as above
    async with world.calling() as used, world.calling() as idle:
        await idle.send(get())
        count = 0
        while idle.fate == "open":
            await used.send(get("/b"))
            await idle.hear(turns=1)
            count += 1
        assert len((await used.probe()).answers()) == count
    world.uncounted()  # how often it was used depends on the machine
    monkeypatch.undo()
