"""Clients that leave and origins that fail: nobody else is harmed, nothing half is kept, the next one is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.live.processes import LOOPBACK
from tests.live.raw_client import Answer, Caller, calling, get
from tests.live.raw_origin import Wire
from tests.live.routed_origin import END, Handler, RoutedOrigin, chunk, ok, response, says
from tests.live.swerve import Swerve, free_ports, swerve, within

pytestmark = pytest.mark.live

FRESH = "Cache-Control: s-maxage=60"
PAGE = b"a" * 50_000 + b"b" * 50_000
PING = says(ok(b"pong", "Cache-Control: no-store"))


@asynccontextmanager
async def behind(
    handlers: dict[str, Handler], *flags: str, dialect: str = "standard"
) -> AsyncIterator[tuple[RoutedOrigin, Swerve]]:
    """An origin and a Swerve, which must still answer when the test is done."""
    async with (
        RoutedOrigin({**handlers, "/ping": PING}) as origin,
        swerve(origin.url, *flags, dialect=dialect) as proxy,
    ):
        yield origin, proxy
        await ping(proxy)


async def ping(proxy: Swerve) -> None:
    """A request of its own: after it, the proxy has also seen what was sent before."""
    assert (await get(proxy.port, "/ping")).body == b"pong"


def detail(answer: Answer) -> str:
    return (answer.header("cache-status") or "").partition("detail=")[2]


async def renewed(proxy: Swerve) -> Answer:
    """Ask until it is the old answer no longer: after a failure the next attempt waits a second."""
    answer = await get(proxy.port, "/page")
    while answer.body == b"old":
        await asyncio.sleep(0.05)
        answer = await get(proxy.port, "/page")
    return answer


class Halves:
    """A handler that sends half a page, and goes on when it is told how."""

    def __init__(self, *lines: str, chunked: bool = False) -> None:
        self.half_sent = asyncio.Event()
        self.go_on = asyncio.Event()
        self.dies = False
        self._framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(PAGE)}"
        self._lines = lines
        self._chunked = chunked

    async def __call__(self, wire: Wire, _: bytes) -> None:
        first, second = PAGE[:50_000], PAGE[50_000:]
        await wire.send(response(chunk(first) if self._chunked else first, self._framing, *self._lines))
        self.half_sent.set()
        await self.go_on.wait()
        if self.dies:
            wire.writer.close()
        else:
            await wire.send(chunk(second) + END if self._chunked else second)


# Clients that leave.


@within(20)
async def test_a_leader_that_leaves_before_the_head_came_leaves_the_others_alone() -> None:
    asked, release = asyncio.Event(), asyncio.Event()

    async def handler(wire: Wire, _: bytes) -> None:
        asked.set()
        await release.wait()
        await wire.send(ok(PAGE, FRESH))

    async with behind({"/page": handler}) as (origin, proxy), calling(proxy.port) as leader:
        await leader.ask("/page")
        await asked.wait()
        followers = [asyncio.ensure_future(get(proxy.port, "/page")) for _ in range(10)]
        await ping(proxy)
        leader.leave()
        await ping(proxy)
        release.set()
        answers = await asyncio.gather(*followers)
        assert {(answer.status, answer.body) for answer in answers} == {(200, PAGE)}
        assert detail(await get(proxy.port, "/page")) == "fresh"
        assert origin.count("/page") == 1


@within(20)
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_leader_that_leaves_while_the_body_streams_leaves_the_others_alone(chunked: bool) -> None:
    halves = Halves(FRESH, chunked=chunked)
    async with behind({"/page": halves}) as (origin, proxy), calling(proxy.port) as leader:
        await leader.ask("/page")
        await leader.head()
        await halves.half_sent.wait()
        followers = [asyncio.ensure_future(get(proxy.port, "/page")) for _ in range(10)]
        await ping(proxy)
        leader.leave()
        await ping(proxy)
        halves.go_on.set()
        answers = await asyncio.gather(*followers)
        assert {(answer.status, answer.body) for answer in answers} == {(200, PAGE)}
        assert detail(await get(proxy.port, "/page")) == "fresh"
        assert origin.count("/page") == 1


@within(20)
async def test_what_a_lonely_client_left_behind_is_stored_all_the_same() -> None:
    halves = Halves(FRESH)
    async with behind({"/page": halves}) as (origin, proxy):
        async with calling(proxy.port) as client:
            await client.ask("/page")
            await client.head()
            client.leave()
        await ping(proxy)
        halves.go_on.set()
        answer = await get(proxy.port, "/page")
        assert (answer.status, answer.body) == (200, PAGE)
        assert origin.count("/page") == 1


@within(20)
async def test_a_follower_that_leaves_takes_only_itself_away() -> None:
    halves = Halves(FRESH)
    async with behind({"/page": halves}) as (origin, proxy), calling(proxy.port) as leader:
        await leader.ask("/page")
        head = await leader.head()
        async with calling(proxy.port) as follower:
            await follower.ask("/page")
            await follower.head()
            follower.leave()
        await ping(proxy)
        halves.go_on.set()
        assert b"".join([piece async for piece in leader.pieces(head)]) == PAGE
        assert origin.count("/page") == 1


@within(20)
async def test_an_unshared_body_ends_with_its_only_client() -> None:
    closed = asyncio.Event()

    async def handler(wire: Wire, _: bytes) -> None:
        await wire.send(response(chunk(b"first"), "Transfer-Encoding: chunked", "Cache-Control: no-store"))
        await wire.closed()
        closed.set()

    async with behind({"/endless": handler}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/endless")
        await anext(client.pieces(await client.head()))
        client.leave()
        await closed.wait()


@within(20)
async def test_an_unshared_request_ends_with_its_only_client() -> None:
    asked, closed = asyncio.Event(), asyncio.Event()

    async def handler(wire: Wire, _: bytes) -> None:
        asked.set()
        await wire.closed()
        closed.set()

    async with behind({"/slow": handler}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/slow", "Cache-Control: no-store")
        await asked.wait()
        client.leave()
        await asyncio.wait_for(closed.wait(), 2)


# Origins that break off.


async def broken(caller: Caller) -> bool:
    """Whether the transfer that was begun breaks off."""
    answer = await caller.head()
    assert answer.status == 200
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        async for _ in caller.pieces(answer):
            pass
    return True


@within(20)
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("control", [FRESH, "Cache-Control: no-store"])
async def test_every_reader_of_a_body_that_breaks_off_sees_it(chunked: bool, control: str) -> None:
    halves = Halves(control, chunked=chunked)
    halves.dies = True
    async with (
        behind({"/page": halves}) as (origin, proxy),
        calling(proxy.port) as leader,
        calling(proxy.port) as follower,
        calling(proxy.port) as another,
    ):
        readers = (leader, follower, another)
        await leader.ask("/page")
        await halves.half_sent.wait()
        await follower.ask("/page")
        await another.ask("/page")
        await ping(proxy)
        halves.go_on.set()
        assert all(await asyncio.gather(*map(broken, readers)))
        fetches = origin.count("/page")
        assert fetches == (1 if control == FRESH else 3)
        halves.dies = False
        answer = await get(proxy.port, "/page")
        assert (answer.status, answer.body) == (200, PAGE)
        assert origin.count("/page") == fetches + 1, "what broke off was kept"


@within(20)
@pytest.mark.parametrize("chunked", [False, True])
async def test_what_was_stored_outlives_a_refresh_that_breaks_off(chunked: bool) -> None:
    halves = Halves(FRESH, chunked=chunked)
    halves.dies = True
    old = says(ok(b"old", f"{FRESH}, stale-while-revalidate=600", "Age: 60"))
    async with behind({"/page": old}) as (origin, proxy):
        await get(proxy.port, "/page")
        origin.handlers["/page"] = halves
        stale = await get(proxy.port, "/page")
        assert (stale.body, detail(stale)) == (b"old", "stale-while-revalidate")
        await halves.half_sent.wait()
        halves.go_on.set()
        while detail(stale := await get(proxy.port, "/page")) == "stale-while-revalidate":
            assert stale.body == b"old"
        assert (stale.body, detail(stale)) == (b"old", "stale-error")
        assert origin.count("/page") == 2
        halves.dies = False
        answer = await renewed(proxy)
        assert (answer.body, detail(answer)) == (PAGE, "fresh")


# Origins that do not answer at all.


def failed(answer: Answer, status: int, error: str) -> None:
    """It is an honest error page that nobody keeps."""
    print(f"{answer.status}, {answer.header('proxy-status')}")
    assert answer.status == status
    assert (answer.header("proxy-status") or "").startswith(f"swerve; error={error}")
    assert answer.header("cache-control") == "no-store"
    assert (answer.header("content-type") or "").startswith("text/plain")
    assert str(status).encode() in answer.body.splitlines()[0]


@within(20)
async def test_nobody_listens_and_then_somebody_does() -> None:
    port, _ = free_ports()
    async with swerve(f"http://{LOOPBACK}:{port}") as proxy:
        failed(await get(proxy.port, "/page"), 502, "connection_refused")
        async with RoutedOrigin({"/page": says(ok(PAGE, FRESH))}, port=port):
            assert (await get(proxy.port, "/page")).body == PAGE
        assert detail(await get(proxy.port, "/page")) == "fresh"
        failed(await get(proxy.port, "/other"), 502, "connection_refused")
        async with RoutedOrigin({"/other": PING}, port=port):
            assert (await get(proxy.port, "/other")).body == b"pong"


@within(20)
async def test_the_name_does_not_exist() -> None:
    async with swerve("http://nonexistent.invalid") as proxy:
        for _ in range(2):
            failed(await get(proxy.port, "/"), 502, "dns_error")


async def silent(wire: Wire, _: bytes) -> None:
    await wire.closed()


async def stops(wire: Wire, _: bytes) -> None:
    await wire.send(response(PAGE[:100], f"Content-Length: {len(PAGE)}", FRESH))
    await wire.closed()


async def hangs_up(wire: Wire, _: bytes) -> None:
    wire.writer.close()


@within(20)
async def test_no_first_byte_in_time() -> None:
    async with behind({"/page": silent}, "--timeout-first-byte", "0.3s") as (origin, proxy):
        failed(await get(proxy.port, "/page"), 504, "http_response_timeout")
        answers = await asyncio.gather(*(get(proxy.port, "/page") for _ in range(3)))
        for answer in answers:
            failed(answer, 504, "http_response_timeout")
        origin.handlers["/page"] = says(ok(PAGE))
        assert (await get(proxy.port, "/page")).body == PAGE


@within(20)
async def test_a_pause_that_is_too_long_breaks_the_transfer() -> None:
    async with behind({"/page": stops}, "--timeout-idle", "0.3s") as (origin, proxy):
        async with calling(proxy.port) as caller:
            await caller.ask("/page")
            assert await broken(caller)
        origin.handlers["/page"] = says(ok(PAGE, FRESH))
        assert (await get(proxy.port, "/page")).body == PAGE


@within(20)
@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"SSH-2.0-OpenSSH_9.9\r\n", "http_protocol_error"),
        (b"\x15\x03\x01\x00\x02\x02\x46" * 4, "http_protocol_error"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", "http_protocol_error"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "http_protocol_error"),
    ],
    ids=["ssh", "tls", "two-lengths", "large-head"],
)
async def test_what_comes_is_no_http(data: bytes, error: str) -> None:
    async with behind({"/page": says(data)}) as (origin, proxy):
        failed(await get(proxy.port, "/page"), 502, error)
        origin.handlers["/page"] = says(ok(PAGE))
        assert (await get(proxy.port, "/page")).body == PAGE


@within(20)
async def test_the_origin_hangs_up() -> None:
    async with behind({"/page": hangs_up}) as (origin, proxy):
        failed(await get(proxy.port, "/page"), 502, "connection_terminated")
        origin.handlers["/page"] = says(ok(PAGE))
        assert (await get(proxy.port, "/page")).body == PAGE


FAILURES = {
    "silent": silent,
    "hangs-up": hangs_up,
    "garbage": says(b"nonsense\r\n\r\n"),
    "error": says(response(b"oops", "Content-Length: 4", status="503 Service Unavailable")),
}


@within(20)
@pytest.mark.parametrize("failure", list(FAILURES))
async def test_stale_where_the_response_allows_it(failure: str) -> None:
    once = says(ok(b"old", "Cache-Control: max-age=60, stale-if-error=600", "Age: 60"))
    async with behind({"/page": once}, "--timeout-first-byte", "0.3s") as (origin, proxy):
        await get(proxy.port, "/page")
        origin.handlers["/page"] = FAILURES[failure]
        stale = await get(proxy.port, "/page")
        assert (stale.status, stale.body, detail(stale)) == (200, b"old", "stale-if-error")
        origin.handlers["/page"] = says(ok(b"new", FRESH))
        answer = await renewed(proxy)
        assert (answer.status, answer.body) == (200, b"new")


@within(20)
async def test_stale_while_nobody_listens() -> None:
    port, _ = free_ports()
    async with swerve(f"http://{LOOPBACK}:{port}") as proxy:
        once = says(ok(b"old", "Cache-Control: max-age=60, stale-if-error=600", "Age: 60"))
        async with RoutedOrigin({"/page": once}, port=port):
            await get(proxy.port, "/page")
        stale = await get(proxy.port, "/page")
        assert (stale.status, stale.body, detail(stale)) == (200, b"old", "stale-if-error")
        failed(await get(proxy.port, "/other"), 502, "connection_refused")
