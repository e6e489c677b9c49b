"""Whoever is slow slows the other side: what is read ahead is bounded, both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from app.upstream import Answer, ProxyError, Timeouts, UpstreamError
from app.upstream.exchange import Exchange
from tests.live.raw_origin import Client, Wire, content, on_each_loop, serving

pytestmark = pytest.mark.live

MIB = 1024 * 1024
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
HOST = (b"Host", b"localhost")
CHUNKED = (b"Transfer-Encoding", b"chunked")
EXPECT = (b"Expect", b"100-continue")


async def post(client: Client, body: AsyncIterator[bytes], *headers: tuple[bytes, bytes]) -> Answer:
    return await client.send("POST", b"/", [HOST, *headers], body)


@on_each_loop
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_a_slow_reader_slows_the_origin(framing: str) -> None:
    total, piece = 64 * MIB, b"x" * MIB
    sent = 0
    fields = {"length": b"Content-Length: %d\r\n" % total, "chunked": b"Transfer-Encoding: chunked\r\n", "close": b""}

    async def script(wire: Wire) -> None:
        nonlocal sent
        await wire.head()
        await wire.send(b"HTTP/1.1 200 OK\r\n" + fields[framing] + b"\r\n")
        while sent < total:
            await wire.send(b"100000\r\n%b\r\n" % piece if framing == "chunked" else piece)
            sent += MIB
        await wire.send(b"0\r\n\r\n" if framing == "chunked" else b"")

    async with serving(script) as (_, client):
        answer = await client.get()
        unread, got = _unread(answer), len(await anext(answer.body))
        assert got > 0
        await _settled(lambda: sent)
        assert sent < total / 2, "the origin should have been held back"
        worst = unread()
        async for data in answer.body:
            got += len(data)
            worst = max(worst, unread(), len(data))
        assert got == total
        assert worst <= MIB, "what is read ahead is bounded"


@on_each_loop
async def test_a_slow_origin_slows_the_body() -> None:
    total, pulled = 64 * MIB, 0
    go = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        nonlocal pulled
        while pulled < total:
            pulled += MIB
            yield b"x" * MIB

    async def script(wire: Wire) -> None:
        await wire.head()
        await go.wait()
        left = total
        while left:
            left -= len(await wire.reader.read(MIB))
        await wire.send(EMPTY)
        await wire.closed()

    async with serving(script) as (_, client):
        waiting = asyncio.ensure_future(post(client, body(), (b"Content-Length", b"%d" % total)))
        await _settled(lambda: pulled)
        assert 0 < pulled < total / 2, "the body should have been held back"
        go.set()
        await content(await waiting)
        assert client.connections == (0, 1)


@on_each_loop
async def test_an_origin_that_stops_reading_is_a_write_timeout() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MIB

    go = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await go.wait()

    async with serving(script, timeouts=Timeouts(write=0.05)) as (_, client):
        with pytest.raises(UpstreamError) as caught:
            await post(client, endless(), CHUNKED)
        go.set()
        assert (caught.value.error, caught.value.status) == (ProxyError.CONNECTION_WRITE_TIMEOUT, 504)


def _unread(answer: Answer) -> Callable[[], int]:
    exchange = answer.body
    assert isinstance(exchange, Exchange)
    return lambda: exchange.unread


async def _settled(value: Callable[[], int]) -> None:
    """Wait until a number has stopped growing for a while: nothing else tells that somebody is held back."""
    last = -1
    while last != (last := value()):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
