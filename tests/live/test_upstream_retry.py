"""One retry: a reused connection that died before a byte, a safe method, no content (RFC 9112 §9.3.1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.upstream import ProxyError, Timeouts, UpstreamError
from tests.live.raw_origin import Wire, answers, closing, content, on_each_loop, serving

pytestmark = pytest.mark.live

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PART = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"


async def dies_on_second(wire: Wire) -> None:
    await wire.head()
    await wire.send(OK)
    await wire.head()


@on_each_loop
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_one_retry_when_a_reused_connection_dies_before_a_byte(method: str) -> None:
    last = OK if method != "HEAD" else OK[:-2]
    async with serving(dies_on_second, answers(last)) as (origin, client):
        await client.fetch()
        answer = await client.get(method=method)
        assert answer.status == 200
        await content(answer)
    assert (origin.connections, len(origin.requests)) == (2, 3)


@on_each_loop
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
async def test_no_retry_of_other_methods(method: str) -> None:
    async with serving(dies_on_second, answers(OK)) as (origin, client):
        await client.fetch()
        with pytest.raises(UpstreamError) as caught:
            await client.get(method=method)
        assert (caught.value.error, caught.value.status) == (ProxyError.CONNECTION_TERMINATED, 502)
    assert origin.connections == 1


@on_each_loop
async def test_no_retry_with_a_body() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"abc"

    async with serving(dies_on_second, answers(OK)) as (origin, client):
        await client.fetch()
        with pytest.raises(UpstreamError):
            await client.send("GET", b"/", [(b"Host", b"x"), (b"Content-Length", b"3")], body())
    assert origin.connections == 1


@on_each_loop
async def test_no_retry_on_a_new_connection() -> None:
    async with serving(closing(b"")) as (origin, client):
        with pytest.raises(UpstreamError) as caught:
            await client.get()
        assert caught.value.error is ProxyError.CONNECTION_TERMINATED
    assert origin.connections == 1


@on_each_loop
async def test_no_second_retry() -> None:
    async with serving(dies_on_second, closing(b"")) as (origin, client):
        await client.fetch()
        with pytest.raises(UpstreamError):
            await client.get()
    assert origin.connections == 2


@on_each_loop
async def test_no_retry_after_a_byte() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(OK)
        await wire.head()
        await wire.send(b"HTTP/1.1 2")

    async with serving(script, answers(OK)) as (origin, client):
        await client.fetch()
        with pytest.raises(UpstreamError) as caught:
            await client.get()
        assert caught.value.error is ProxyError.HTTP_RESPONSE_INCOMPLETE
    assert origin.connections == 1


@on_each_loop
async def test_no_retry_after_a_timeout() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(OK)
        await wire.closed()

    async with serving(script, answers(OK), timeouts=Timeouts(first_byte=0.05)) as (origin, client):
        await client.fetch()
        with pytest.raises(UpstreamError) as caught:
            await client.get()
        assert caught.value.error is ProxyError.HTTP_RESPONSE_TIMEOUT
    assert origin.connections == 1


@on_each_loop
@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_a_retry_has_a_new_connection_also_where_there_is_no_room_for_one(limit: int) -> None:
    async with serving(dies_on_second, limit=limit) as (_, client):
        assert await asyncio.gather(*[client.fetch() for _ in range(30)]) == [b"ok"] * 30
        assert sum(client.connections) <= limit


async def closes_behind_each(wire: Wire) -> None:
    await wire.head()
    await wire.send(OK)
    wire.writer.close()


@on_each_loop
async def test_connections_that_close_behind_each_answer_are_not_handed_on() -> None:
    async with serving(closes_behind_each, limit=3) as (_, client):
        assert await asyncio.gather(*[client.fetch() for _ in range(60)]) == [b"ok"] * 60
