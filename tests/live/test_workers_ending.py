"""Workers that die are replaced, workers that shall end do, and nobody is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.live.processes import LOOPBACK, listening
from tests.live.raw_client import Caller, calling, get
from tests.live.raw_origin import Wire
from tests.live.routed_origin import RoutedOrigin, chunk, ok, response, says
from tests.live.swerve import ROOT, Swerve, swerve, within
from tests.live.workforce import COUNT, SEVERAL, metric, runs, stats, until, until_up, workers

pytestmark = pytest.mark.live

BODY = b"x" * 20_000
PAGE = says(ok(BODY, "Cache-Control: s-maxage=600"))
DRAIN = 5.0


@asynccontextmanager
async def several(origin: str, *flags: str, quiet: bool = True) -> AsyncIterator[tuple[Swerve, list[int]]]:
    """With the ids of its workers, all of which end with it."""
    async with swerve(origin, *SEVERAL, *flags, quiet=quiet) as proxy:
        await until_up(proxy)
        staff = workers(proxy)
        assert len(staff) == COUNT
        yield proxy, staff
    assert not any(map(runs, staff))


@asynccontextmanager
async def several_at_work() -> AsyncIterator[tuple[Swerve, list[int], Callable[[], Awaitable[None]]]]:
    """With ten requests under way, which the origin answers once the last of these is called: each is then whole."""
    release, asked = asyncio.Event(), asyncio.Semaphore(0)

    async def held(wire: Wire, _: bytes) -> None:
        asked.release()
        await release.wait()
        await wire.send(ok(b"held", "Cache-Control: no-store"))

    async with RoutedOrigin({"/held": held}) as origin, several(origin.url) as (proxy, staff):
        waiting = [asyncio.ensure_future(get(proxy.port, f"/held?{number}")) for number in range(10)]
        for _ in waiting:
            await asked.acquire()

        async def end_it() -> None:
            release.set()
            assert {answer.body for answer in await asyncio.gather(*waiting)} == {b"held"}

        yield proxy, staff, end_it


class Crowd:
    """Clients without a pause. `cut`: connections that broke off; `refused`: that were never answered to begin with."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.whole = self.cut = self.refused = 0
        self.busy = asyncio.Semaphore(0)
        self.enough = False

    async def client(self) -> None:
        """One that comes back whenever its connection has ended."""
        while not self.enough:
            try:
                async with calling(self._port) as caller:
                    await self._visit(caller)
            except (ConnectionError, asyncio.IncompleteReadError):
                if self.enough:
                    return
                self.cut += 1

    async def _visit(self, caller: Caller) -> None:
        while not self.enough:
            answer = await caller.get("/page")
            assert (answer.status, answer.body) == (200, BODY)
            self.whole += 1
            self.busy.release()
            if answer.header("connection") == "close":
                return

    async def visits(self, count: int) -> None:
        for _ in range(count):
            await self.busy.acquire()


@asynccontextmanager
async def crowd(proxy: Swerve, count: int = 20) -> AsyncIterator[Crowd]:
    one = Crowd(proxy.port)
    clients = [asyncio.ensure_future(one.client()) for _ in range(count)]
    await one.visits(10 * count)
    yield one
    one.enough = True
    await asyncio.gather(*clients)


@within(40)
async def test_a_worker_that_is_killed_is_replaced_and_only_its_connections_are_lost() -> None:
    clients = 20
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin.url) as (proxy, staff):
        async with crowd(proxy, clients) as visiting:
            os.kill(staff[0], signal.SIGKILL)
            await until(lambda: len(workers(proxy)) == COUNT and staff[0] not in workers(proxy))
            await until_up(proxy)
            await visiting.visits(500)
        told = await stats(proxy)
        print(f"{visiting.whole} whole answers, {visiting.cut} connections lost")
        assert staff[1] in workers(proxy)
        assert told["workers"] == {"wanted": COUNT, "up": COUNT, "restarts": 1}
        assert 0 < visiting.cut <= clients
        assert "was ended by SIGKILL; another takes its place" in proxy.printed


@within(40)
async def test_what_a_killed_worker_had_counted_stays_counted() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin.url) as (proxy, staff):
        for _ in range(50):
            await get(proxy.port, "/page")
        assert await metric(proxy, "swerve_requests_total") == 50
        for worker in staff:
            os.kill(worker, signal.SIGKILL)
        await until(lambda: len(workers(proxy)) == COUNT and set(staff).isdisjoint(workers(proxy)))
        await until_up(proxy)
        assert await metric(proxy, "swerve_requests_total") == 50
        assert await metric(proxy, "swerve_worker_restarts_total") == COUNT
        await get(proxy.port, "/page")
        assert await metric(proxy, "swerve_requests_total") == 51


@within(40)
async def test_clients_that_come_while_all_workers_are_replaced_only_wait() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin.url) as (proxy, staff):
        for worker in staff:
            os.kill(worker, signal.SIGKILL)
        answers = await asyncio.gather(*(get(proxy.port, "/page") for _ in range(20)))
        assert {answer.status for answer in answers} == {200}


@within(40)
async def test_a_worker_that_is_told_to_end_ends_what_it_has_begun() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin.url) as (proxy, staff):
        async with crowd(proxy) as visiting:
            os.kill(staff[0], signal.SIGTERM)
            await until(lambda: staff[0] not in workers(proxy))
            await until_up(proxy)
        print(f"{visiting.whole} whole answers, {visiting.cut} connections closed between two of them")
        assert "has ended with exit code 0; another takes its place" in proxy.printed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@within(40)
async def test_all_end_in_good_order_under_load(number: signal.Signals) -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin.url) as (proxy, staff):
        async with crowd(proxy) as visiting:
            since = perf_counter()
            os.kill(proxy.pid, number)
            visiting.enough = True
            code = await proxy.ended()
        took = perf_counter() - since
        print(f"exit code {code} after {took:.2f} s; {visiting.whole} whole answers, {visiting.cut} cut")
        assert (code, visiting.cut) == (0, 0)
        assert took < DRAIN
        assert not any(map(runs, staff))
        assert f"{visiting.whole:,} requests" in proxy.printed


@within(40)
async def test_a_signal_to_the_whole_group_is_one_signal() -> None:
    """As systemd sends it: whoever hears it twice must not take the second for impatience."""
    async with several_at_work() as (proxy, staff, end_it):
        for process in (proxy.pid, *staff):
            os.kill(process, signal.SIGTERM)
        await until(lambda: not listening(proxy.port))
        await end_it()
        assert await proxy.ended() == 0


@within(40)
async def test_what_nobody_answers_is_given_up_after_the_drain_and_at_once_after_a_second_signal() -> None:
    asked = asyncio.Semaphore(0)

    async def silent(wire: Wire, _: bytes) -> None:
        asked.release()
        await wire.closed()

    for signals, limit in ((1, DRAIN), (2, 2.0)):
        async with RoutedOrigin({"/silent": silent}) as origin, several(origin.url, quiet=False) as (proxy, _):
            waiting = [asyncio.ensure_future(get(proxy.port, "/silent", "Cache-Control: no-store")) for _ in range(8)]
            for _ in waiting:
                await asked.acquire()
            since = perf_counter()
            for _ in range(signals):
                os.kill(proxy.pid, signal.SIGINT)
                await asyncio.sleep(0.2)
            code, took = await proxy.ended(), perf_counter() - since
            await asyncio.gather(*waiting, return_exceptions=True)
            print(f"{signals} × SIGINT: exit code {code} after {took:.2f} s")
            assert code == 0
            assert took < limit


@within(40)
async def test_without_a_supervisor_workers_end_what_they_have_begun_and_then_themselves() -> None:
    async with several_at_work() as (proxy, staff, end_it):
        since = perf_counter()
        os.kill(proxy.pid, signal.SIGKILL)
        await proxy.ended()
        await end_it()
        await until(lambda: not any(map(runs, staff)))
        print(f"workers ended {perf_counter() - since:.2f} s after their supervisor was killed")


@within(40)
async def test_a_worker_that_hangs_is_named_and_the_others_are_counted() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin.url, "--drain", "1s") as (proxy, staff):
        for _ in range(20):
            await get(proxy.port, "/page")
        assert (await stats(proxy))["counters"]["requests"] == 20
        os.kill(staff[0], signal.SIGSTOP)
        assert (await stats(proxy))["counters"]["requests"] == 20  # what it has told last
        assert f"(process {staff[0]}) has not answered within 2 s" in proxy.printed
        os.kill(proxy.pid, signal.SIGTERM)
        assert await proxy.ended() == 0
        assert f"(process {staff[0]}) has not ended in time and is killed" in proxy.printed


@within(60)
async def test_when_no_worker_can_be_started_swerve_says_so_and_ends(tmp_path: Path) -> None:
    broken = "import os, sys\nif 'app.workers' in sys.orig_argv:\n    os._exit(3)\n"
    (tmp_path / "sitecustomize.py").write_text(broken)
    variables = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path)))}
    async with swerve("http://localhost:9", *SEVERAL, variables=variables) as proxy:
        code = await proxy.ended(40)
        print(proxy.printed)
        assert code == 1
        assert "has ended with exit code 3, 6 times in a row before it served: Swerve gives up" in proxy.printed


# What is no request and its answer.


@within(40)
async def test_websockets_go_through_any_worker_and_end_with_it() -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, LOOPBACK, 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with several(f"http://{LOOPBACK}:{port}") as (proxy, _):
            tunnels = [await connect(f"ws://{LOOPBACK}:{proxy.port}/") for _ in range(8)]
            for number, tunnel in enumerate(tunnels):
                await tunnel.send(f"hello {number}")
                assert await tunnel.recv() == f"hello {number}"
            os.kill(proxy.pid, signal.SIGTERM)
            for tunnel in tunnels:
                with pytest.raises(ConnectionClosed):
                    await tunnel.recv()
            assert await proxy.ended() == 0


@within(40)
async def test_event_streams_go_through_any_worker_and_end_with_it() -> None:
    async def events(wire: Wire, _: bytes) -> None:
        stream = response(chunk(b"data: 1\n\n"), "Transfer-Encoding: chunked", "Content-Type: text/event-stream")
        await wire.send(stream)
        await wire.closed()

    async with RoutedOrigin({"/events": events}) as origin, several(origin.url) as (proxy, _):

        async def follow() -> bytes:
            async with calling(proxy.port) as caller:
                await caller.ask("/events")
                first = await anext(caller.pieces(await caller.head()))
                following.release()
                await caller.closed()
                return first

        following = asyncio.Semaphore(0)
        streams = [asyncio.ensure_future(follow()) for _ in range(8)]
        for _ in streams:
            await following.acquire()
        since = perf_counter()
        os.kill(proxy.pid, signal.SIGTERM)
        assert set(await asyncio.gather(*streams)) == {b"data: 1\n\n"}
        assert await proxy.ended() == 0
        assert perf_counter() - since < DRAIN
