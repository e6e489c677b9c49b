"""Content both ways: framing, Expect, early responses, and bounded buffers (RFC 9112 §6, RFC 9110 §10.1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.upstream import Answer, ProxyError, UpstreamError
from tests.live.raw_origin import Client, Wire, content, on_each_loop, serving

pytestmark = pytest.mark.live

MIB = 1024 * 1024
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
HOST = (b"Host", b"localhost")
CHUNKED = (b"Transfer-Encoding", b"chunked")
EXPECT = (b"Expect", b"100-continue")


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def post(client: Client, body: AsyncIterator[bytes], *headers: tuple[bytes, bytes]) -> Answer:
    return await client.send("POST", b"/", [HOST, *headers], body)


async def read_chunked(wire: Wire) -> bytes:
    return await wire.reader.readuntil(b"0\r\n\r\n")


@on_each_loop
async def test_content_is_framed_as_its_fields_say() -> None:
    received: list[bytes] = []

    async def script(wire: Wire) -> None:
        await wire.head()
        received.append(await wire.reader.readexactly(6))
        await wire.send(EMPTY)
        await wire.head()
        received.append(await read_chunked(wire))
        await wire.send(EMPTY)
        await wire.closed()

    async with serving(script) as (origin, client):
        await content(await post(client, pieces(b"abc", b"", b"def"), (b"Content-Length", b"6")))
        await content(await post(client, pieces(b"abc", b"", b"d" * 16), CHUNKED))
        assert client.connections == (0, 1)
    assert received == [b"abcdef", b"3\r\nabc\r\n10\r\n" + b"d" * 16 + b"\r\n0\r\n\r\n"]
    assert origin.connections == 1


@on_each_loop
@pytest.mark.parametrize(
    "fields",
    [
        [(b"Content-Length", b"3"), CHUNKED],
        [(b"Content-Length", b"3"), (b"content-length", b"4")],
        [(b"Content-Length", b"+3")],
        [(b"Transfer-Encoding", b"chunked, gzip")],
        [CHUNKED, CHUNKED],
        [(b"Content-Length", b"2")],
        [(b"Content-Length", b"4")],
    ],
)
async def test_ambiguous_or_wrong_lengths_never_reach_another_request(fields: list[tuple[bytes, bytes]]) -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.closed()

    async with serving(script) as (_, client):
        with pytest.raises(UpstreamError) as caught:
            await post(client, pieces(b"abc"), *fields)
        assert (caught.value.error, caught.value.status) == (ProxyError.HTTP_REQUEST_ERROR, 400)
        assert client.connections[1] == 0


@on_each_loop
async def test_a_body_without_a_length_is_a_mistake_of_the_caller() -> None:
    async with serving(read_forever) as (_, client):
        body = pieces(b"abc")
        with pytest.raises(ValueError, match="Content-Length"):
            await post(client, body)


async def read_forever(wire: Wire) -> None:
    await wire.head()
    await wire.closed()


@on_each_loop
async def test_what_the_body_raises_reaches_the_caller_and_closes_the_connection() -> None:
    class ClientLeft(Exception):
        pass

    async def leaving() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ClientLeft

    async with serving(read_forever) as (origin, client):
        with pytest.raises(ClientLeft):
            await post(client, leaving(), CHUNKED)
        await origin.all_closed()


@on_each_loop
async def test_expect_pulls_the_body_only_after_100() -> None:
    pulled = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        pulled.set()
        yield b"abc"

    async def script(wire: Wire) -> None:
        await wire.head()
        assert not pulled.is_set()
        await wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await wire.reader.readexactly(3) == b"abc"
        await wire.send(EMPTY)
        await wire.closed()

    async with serving(script) as (_, client):
        await content(await post(client, body(), (b"Content-Length", b"3"), EXPECT))
        assert client.connections == (0, 1)


@on_each_loop
async def test_expect_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.upstream.connection.CONTINUE_SECONDS", 0.05)

    async def script(wire: Wire) -> None:
        await wire.head()
        assert await wire.reader.readexactly(3) == b"abc"
        await wire.send(EMPTY)
        await wire.closed()

    async with serving(script) as (_, client):
        await content(await post(client, pieces(b"abc"), (b"Content-Length", b"3"), EXPECT))


@on_each_loop
@pytest.mark.parametrize("status", [b"417 No", b"413 No", b"200 OK"])
async def test_a_final_response_to_expect_leaves_the_body_alone(status: bytes) -> None:
    pulled = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal pulled
        pulled = True
        yield b"abc"

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 1\r\n\r\n!")
        assert await wire.closed() == b""

    async with serving(script) as (origin, client):
        answer = await post(client, body(), (b"Content-Length", b"3"), EXPECT)
        assert await content(answer) == b"!"
        await origin.all_closed()
        assert (pulled, client.connections) == (False, (0, 0))


@on_each_loop
async def test_a_response_may_overtake_the_request() -> None:
    hold = asyncio.Event()
    ended = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"abc"
            await hold.wait()
            yield b"def"
        finally:
            ended.set()

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(b"HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno")
        await wire.closed()

    async with serving(script) as (origin, client):
        answer = await post(client, body(), CHUNKED)
        assert (answer.status, await content(answer)) == (413, b"no")
        await origin.all_closed()
        await ended.wait()
        assert client.connections == (0, 0)


@on_each_loop
async def test_both_ways_at_once() -> None:
    """An echo: the next piece of the request is made of the last piece of the response."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def body() -> AsyncIterator[bytes]:
        yield b"ping"
        for _ in range(3):
            yield await heard.get()

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while (size := int((await wire.reader.readline()).strip(), 16)) > 0:
            data = await wire.reader.readexactly(size + 2)
            await wire.send(b"%x\r\n%b" % (size, data))
        await wire.reader.readexactly(2)
        await wire.send(b"0\r\n\r\n")
        await wire.closed()

    async with serving(script) as (_, client):
        answer = await post(client, body(), CHUNKED)
        echoes = []
        async for piece in answer.body:
            echoes.append(piece)
            heard.put_nowait(b"pong%d" % len(echoes))
        assert echoes == [b"ping", b"pong1", b"pong2", b"pong3"]
        assert client.connections == (0, 1)
