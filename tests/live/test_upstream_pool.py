"""Connections are kept, bounded, retried once, and never leaked (RFC 9112 §9)."""

from __future__ import annotations

import asyncio

import pytest

from app.upstream import ProxyError, Timeouts, UpstreamError
from tests.live.raw_origin import Wire, answers, content, on_each_loop, serving

pytestmark = pytest.mark.live

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PART = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"


@on_each_loop
async def test_connections_are_used_again() -> None:
    async with serving(answers(*[OK] * 5)) as (origin, client):
        for _ in range(5):
            assert await client.fetch() == b"ok"
        assert client.connections == (0, 1)
    assert origin.connections == 1


@on_each_loop
@pytest.mark.parametrize("surplus", [b"", OK], ids=["closed", "surplus"])
async def test_idle_connections_that_closed_or_spoke_are_dropped(surplus: bytes) -> None:
    spoken = asyncio.Event()
    go = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(OK)
        await go.wait()
        await wire.send(surplus)
        spoken.set()
        if surplus:
            await wire.closed()

    async with serving(script, answers(OK)) as (origin, client):
        await client.fetch()
        assert client.connections == (0, 1)
        go.set()
        await spoken.wait()
        await origin.all_closed()
        assert await client.fetch(method="POST") == b"ok"
    assert origin.connections == 2


@on_each_loop
async def test_surplus_that_the_loop_has_not_read_yet_is_seen_before_reuse() -> None:
    """The bytes are in the socket, and the loop gets no chance to read them between the two requests."""

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.writer.write(OK)
        asyncio.get_running_loop().call_later(0.05, wire.writer.write, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await wire.closed()

    async with serving(script, answers(OK)) as (origin, client):
        await client.fetch()
        connection = next(iter(client.transport.pool._idle))
        connection._transport.pause_reading()
        await asyncio.sleep(0.1)
        assert client.connections == (0, 1)
        assert await client.fetch(method="POST") == b"ok"
    assert origin.connections == 2


@on_each_loop
async def test_idle_connections_expire() -> None:
    async with serving(answers(OK), idle=0.05) as (origin, client):
        await asyncio.gather(client.fetch(), client.fetch())
        assert client.connections == (0, 2)
        await origin.all_closed()
        assert client.connections == (0, 0)


@on_each_loop
async def test_requests_queue_in_order_at_the_limit() -> None:
    async def script(wire: Wire) -> None:
        while True:
            await wire.head()
            await wire.send(OK)

    async with serving(script, limit=1) as (origin, client):
        assert await asyncio.gather(*[client.fetch(b"/%d" % i) for i in range(20)]) == [b"ok"] * 20
        assert client.connections == (0, 1)
    assert origin.connections == 1
    assert [int(request.split(b" ")[1][1:]) for request in origin.requests] == list(range(20))


@on_each_loop
async def test_no_more_connections_than_the_limit() -> None:
    async def script(wire: Wire) -> None:
        while True:
            await wire.head()
            await wire.send(OK)

    async with serving(script, limit=2) as (origin, client):
        assert await asyncio.gather(*[client.fetch(b"/%d" % i) for i in range(20)]) == [b"ok"] * 20
        assert client.connections == (0, 2)
    assert origin.connections == 2


@on_each_loop
async def test_a_waiting_request_gives_up() -> None:
    async with serving(answers(PART), limit=1, timeouts=Timeouts(pool=0.05)) as (_, client):
        first = await client.get()
        with pytest.raises(UpstreamError) as caught:
            await client.get()
        assert (caught.value.error, caught.value.status) == (ProxyError.CONNECTION_LIMIT_REACHED, 503)
        await first.aclose()


@on_each_loop
async def test_a_closed_connection_makes_room_for_the_next_in_the_queue() -> None:
    async with serving(answers(PART), answers(OK), limit=1) as (origin, client):
        first = await client.get()
        gone, second = (asyncio.ensure_future(client.fetch()) for _ in range(2))
        await asyncio.sleep(0)
        assert len(client.transport.pool._waiting) == 2
        gone.cancel()
        await first.aclose()
        assert await second == b"ok"
        assert gone.cancelled()
    assert origin.connections == 2


@on_each_loop
async def test_a_request_that_is_cancelled_when_its_turn_comes_passes_the_turn_on() -> None:
    async with serving(answers(OK, OK, OK), limit=1) as (_, client):
        pool = client.transport.pool
        connection = await pool.acquire(None, None)
        first, second = (asyncio.ensure_future(pool.acquire(None, None)) for _ in range(2))
        await asyncio.sleep(0)
        assert len(pool._waiting) == 2
        pool._released(connection)
        first.cancel()
        assert await second is connection
        pool._released(connection)
        assert client.connections == (0, 1)


@on_each_loop
async def test_a_failed_connect_makes_room_too() -> None:
    async with serving(answers(OK), limit=1) as (origin, client):
        origin._server.close()
        results = await asyncio.gather(*[client.fetch() for _ in range(3)], return_exceptions=True)
        assert [r.error for r in results if isinstance(r, UpstreamError)] == [ProxyError.CONNECTION_REFUSED] * 3


@on_each_loop
async def test_cancelling_closes_the_connection() -> None:
    arrived = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.head()
        arrived.set()
        await wire.closed()

    async with serving(script) as (origin, client):
        request = asyncio.ensure_future(client.fetch())
        await arrived.wait()
        request.cancel()
        await origin.all_closed()
        assert request.cancelled()
        assert client.connections == (0, 0)


@on_each_loop
async def test_cancelling_a_reader_closes_the_connection() -> None:
    async with serving(answers(PART)) as (origin, client):
        answer = await client.get()
        assert await anext(answer.body) == b"abc"
        reading = asyncio.ensure_future(content(answer))
        await asyncio.sleep(0)
        reading.cancel()
        await origin.all_closed()
        assert client.connections == (0, 0)


@on_each_loop
async def test_closing_a_half_read_response_closes_the_connection() -> None:
    async with serving(answers(PART)) as (origin, client):
        answer = await client.get()
        await answer.aclose()
        await origin.all_closed()
        assert client.connections == (0, 0)


@on_each_loop
async def test_closing_a_response_that_is_here_but_unread_keeps_the_connection() -> None:
    async with serving(answers(OK, OK)) as (origin, client):
        answer = await client.get()
        await answer.aclose()
        assert await client.fetch() == b"ok"
    assert origin.connections == 1


@on_each_loop
async def test_a_request_that_says_close_is_the_last_on_its_connection() -> None:
    async with serving(answers(OK, OK)) as (origin, client):
        for _ in range(2):
            await client.fetch(b"/", (b"Connection", b"TE, Close"))
    assert origin.connections == 2


@on_each_loop
async def test_closing_the_upstream_fails_what_is_under_way() -> None:
    async with serving(answers(PART), limit=1) as (_, client):
        answer = await client.get()
        queued = asyncio.ensure_future(client.get())
        await asyncio.sleep(0)
        await client.aclose()
        assert await anext(answer.body) == b"abc"
        with pytest.raises(UpstreamError):
            await anext(answer.body)
        with pytest.raises(UpstreamError):
            await queued
        with pytest.raises(UpstreamError) as caught:
            await client.get()
        assert caught.value.error is ProxyError.PROXY_INTERNAL_ERROR


@on_each_loop
async def test_many_at_once_leave_nothing_behind() -> None:
    async def script(wire: Wire) -> None:
        while True:
            await wire.head()
            await wire.send(OK)

    async with serving(script, limit=8) as (_, client):
        tasks = [asyncio.ensure_future(client.fetch()) for _ in range(200)]
        for task in tasks[::7]:
            asyncio.get_running_loop().call_later(0.005, task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
        assert client.connections[0] == 0
        assert client.connections[1] <= 8
        assert await client.fetch() == b"ok"
