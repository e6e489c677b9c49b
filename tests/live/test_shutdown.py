"""Started in any weather, ended in good order: what can finish finishes, what never ends is ended, in 5 s at most."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.live.processes import LOOPBACK, POLL, listening
from tests.live.raw_client import Answer, Caller, calling, get
from tests.live.raw_origin import Wire
from tests.live.routed_origin import RoutedOrigin, chunk, ok, response, says
from tests.live.swerve import ROOT, Swerve, command, environment, free_ports, swerve, within

pytestmark = pytest.mark.live

NO_STORE = "Cache-Control: no-store"
LIMIT = 5.0
SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
PING = says(ok(b"pong", NO_STORE))


async def in_good_order(proxy: Swerve, since: float, what: str) -> None:
    code = await proxy.ended()
    took = perf_counter() - since
    print(f"{what}: exit code {code} after {took:.2f} s")
    assert code == 0
    assert took < LIMIT


def told(proxy: Swerve, number: signal.Signals) -> float:
    os.kill(proxy.pid, number)
    return perf_counter()


async def until_deaf(proxy: Swerve) -> None:
    """Wait until nobody listens there any more."""
    heard = True
    while heard:
        await asyncio.sleep(POLL)
        heard = await asyncio.to_thread(listening, proxy.port)


@SIGNALS
@within(30)
async def test_running_requests_finish_whole(number: signal.Signals) -> None:
    asked, release = asyncio.Semaphore(0), asyncio.Event()
    body = b"x" * 300_000

    async def held(wire: Wire, _: bytes) -> None:
        asked.release()
        await release.wait()
        await wire.send(ok(body, NO_STORE))

    async def half(wire: Wire, _: bytes) -> None:
        await wire.send(ok(body, NO_STORE)[:-100_000])
        asked.release()
        await release.wait()
        await wire.send(body[-100_000:])

    async def two_seconds(wire: Wire, _: bytes) -> None:
        asked.release()
        await asyncio.sleep(2)
        await wire.send(ok(body, NO_STORE))

    paths = [*(f"/held?{number}" for number in range(20)), *(f"/half?{number}" for number in range(20)), "/slow"]
    async with (
        RoutedOrigin({"/held": held, "/half": half, "/slow": two_seconds}) as origin,
        swerve(origin.url) as proxy,
    ):
        clients = [asyncio.ensure_future(get(proxy.port, path)) for path in paths]
        for _ in paths:
            await asked.acquire()
        since = told(proxy, number)
        await until_deaf(proxy)
        release.set()
        answers = await asyncio.gather(*clients)
        assert {(answer.status, answer.body == body) for answer in answers} == {(200, True)}
        await in_good_order(proxy, since, f"{len(paths)} requests under way, one of 2 s")
        assert f"{len(paths)} requests" in proxy.printed


async def one_of_many(caller: Caller) -> Answer | None:
    """An answer, or None where the connection ended before a byte of it; half an answer raises."""
    try:
        await caller.ask("/ping")
        return await caller.answer()
    except ConnectionError:
        return None
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None


@within(30)
async def test_no_answer_is_cut_under_load() -> None:
    handlers = {"/ping": says(ok(b"x" * 100_000, NO_STORE)), "/first": PING}
    async with RoutedOrigin(handlers) as origin, swerve(origin.url) as proxy:
        busy = asyncio.Semaphore(0)

        async def client() -> tuple[int, int]:
            whole = 0
            async with calling(proxy.port) as caller:
                while (answer := await one_of_many(caller)) is not None:
                    assert (answer.status, len(answer.body)) == (200, 100_000)
                    whole += 1
                    busy.release()
                    if answer.header("connection") == "close":
                        return whole, 0
            return whole, 1

        clients = [asyncio.ensure_future(client()) for _ in range(20)]
        for _ in range(200):
            await busy.acquire()
        since = told(proxy, signal.SIGTERM)
        results = await asyncio.gather(*clients)
        whole, unanswered = sum(result[0] for result in results), sum(result[1] for result in results)
        print(f"{whole} whole answers, none cut; {unanswered} connections closed where a request may have begun")
        await in_good_order(proxy, since, "20 clients without a pause")


@SIGNALS
@within(30)
async def test_what_never_ends_is_ended(number: signal.Signals) -> None:
    """An event stream, idle connections, and beside them a request that can finish."""
    release, gone, asked = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def events(wire: Wire, _: bytes) -> None:
        await wire.send(
            response(chunk(b"data: 1\n\n"), "Transfer-Encoding: chunked", "Content-Type: text/event-stream")
        )
        await wire.closed()
        gone.set()

    async def held(wire: Wire, _: bytes) -> None:
        asked.set()
        await release.wait()
        await wire.send(ok(b"held", NO_STORE))

    async with (
        RoutedOrigin({"/events": events, "/held": held, "/ping": PING}) as origin,
        swerve(origin.url) as proxy,
        calling(proxy.port) as stream,
        calling(proxy.port) as idle,
        calling(proxy.port) as silent,
    ):
        await stream.ask("/events")
        await anext(stream.pieces(await stream.head()))
        assert (await idle.get("/ping")).body == b"pong"
        finishing = asyncio.ensure_future(get(proxy.port, "/held"))
        await asked.wait()
        since = told(proxy, number)
        await asyncio.gather(stream.closed(), idle.closed(), silent.closed())
        await gone.wait()
        print(f"an event stream and idle connections ended after {perf_counter() - since:.2f} s")
        release.set()
        assert (await finishing).body == b"held"
        await in_good_order(proxy, since, "with an event stream")


@SIGNALS
@within(30)
async def test_an_open_websocket_does_not_hold_it(number: signal.Signals) -> None:
    async def echo(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for message in connection:
                await connection.send(message)

    async with serve(echo, LOOPBACK, 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with (
            swerve(f"http://{LOOPBACK}:{port}") as proxy,
            connect(f"ws://{LOOPBACK}:{proxy.port}/") as client,
        ):
            await client.send("hello")
            assert await client.recv() == "hello"
            since = told(proxy, number)
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            print(f"the WebSocket ended after {perf_counter() - since:.2f} s: {closed.value}")
            await in_good_order(proxy, since, "with a WebSocket")


@asynccontextmanager
async def waiting_for_ever() -> AsyncIterator[Swerve]:
    """A Swerve with two requests under way that the origin never answers."""
    asked = asyncio.Semaphore(0)

    async def silent(wire: Wire, _: bytes) -> None:
        asked.release()
        await wire.closed()

    async with (
        RoutedOrigin({"/unshared": silent, "/shared": silent}) as origin,
        swerve(origin.url, quiet=False) as proxy,
        calling(proxy.port) as one,
        calling(proxy.port) as two,
    ):
        await one.ask("/unshared", "Cache-Control: no-store")
        await two.ask("/shared")
        await asked.acquire()
        await asked.acquire()
        yield proxy


@within(30)
async def test_an_origin_that_never_answers_does_not_hold_it() -> None:
    async with waiting_for_ever() as proxy:
        since = told(proxy, signal.SIGTERM)
        code, took = await proxy.ended(), perf_counter() - since
        print(f"with requests that nobody answers: exit code {code} after {took:.2f} s")
        assert code == 0
        assert took < 1.5 * LIMIT


@within(30)
async def test_an_origin_that_never_answers_holds_it_no_longer_than_drain_says() -> None:
    async with waiting_for_ever() as proxy:
        await in_good_order(proxy, told(proxy, signal.SIGTERM), "with requests that nobody answers")


@within(30)
async def test_a_request_that_outlasts_the_drain_is_told_so() -> None:
    asked = asyncio.Event()

    async def silent(wire: Wire, _: bytes) -> None:
        asked.set()
        await wire.closed()

    async with (
        RoutedOrigin({"/slow": silent}) as origin,
        swerve(origin.url, "--drain", "1s", quiet=False) as proxy,
        calling(proxy.port) as client,
    ):
        await client.ask("/slow", "Cache-Control: no-store")
        await asked.wait()
        told(proxy, signal.SIGTERM)
        answer = await client.answer()
        assert (answer.status, b"(stopping)" in answer.body) == (503, True)
        assert await proxy.ended() == 0
        assert "1 request" in proxy.printed, "it is counted"
        assert "Traceback" not in proxy.printed


@within(30)
async def test_requests_that_are_given_up_are_no_tracebacks_in_the_log() -> None:
    async with waiting_for_ever() as proxy:
        told(proxy, signal.SIGINT)
        await until_deaf(proxy)
        told(proxy, signal.SIGINT)
        await proxy.ended()
        assert "Traceback" not in proxy.printed


@within(30)
async def test_a_second_interrupt_ends_it_at_once() -> None:
    async with waiting_for_ever() as proxy:
        told(proxy, signal.SIGINT)
        await until_deaf(proxy)
        since = told(proxy, signal.SIGINT)
        code, took = await proxy.ended(), perf_counter() - since
        print(f"second interrupt: exit code {code} after {took:.2f} s")
        assert took < 2


@within(20)
async def test_an_interrupt_tells_what_came_of_it() -> None:
    async with (
        RoutedOrigin({"/page": says(ok(b"page", "Cache-Control: s-maxage=60"))}) as origin,
        swerve(origin.url) as proxy,
    ):
        for _ in range(3):
            await get(proxy.port, "/page")
        await in_good_order(proxy, told(proxy, signal.SIGINT), "idle")
        assert "3 requests · 2 from cache · 0 collapsed · 1 origin fetch" in proxy.printed


# The start.


@pytest.mark.parametrize("flag", ["listen", "admin"])
def test_a_port_that_is_taken(flag: str) -> None:
    (port, admin), (other, another) = free_ports(), free_ports()
    taken = port if flag == "listen" else admin
    quiet: dict[str, Any] = {
        "cwd": ROOT,
        "env": environment(),
        "stderr": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "text": True,
    }
    with subprocess.Popen(command("http://localhost:9", port, admin), **quiet) as first:
        try:
            while not (listening(port) and listening(admin)):
                assert first.poll() is None
            ports = (taken, other) if flag == "listen" else (another, taken)
            second = subprocess.run(command("http://localhost:9", *ports), timeout=20, check=False, **quiet)
        finally:
            first.terminate()
            first.communicate()
    print(second.stderr)
    assert second.returncode == 2
    assert second.stdout == ""
    (line,) = second.stderr.strip().splitlines()
    assert f"{LOOPBACK}:{taken}" in line
    assert "in use" in line
    assert f"--{flag} " in line.partition("try")[2]


@within(20)
async def test_an_origin_that_is_down_at_the_start() -> None:
    port, _ = free_ports()
    async with swerve(f"http://{LOOPBACK}:{port}") as proxy:
        said = False
        while not said:
            await asyncio.sleep(POLL)
            said = f"{LOOPBACK}:{port}: " in proxy.printed
        print(proxy.printed)
        assert "refused" in proxy.printed
        assert (await get(proxy.port, "/ping")).status == 502
        async with RoutedOrigin({"/ping": PING}, port=port):
            assert (await get(proxy.port, "/ping")).body == b"pong"
