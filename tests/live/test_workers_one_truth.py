"""Several workers, one truth: whoever answered, what is counted, logged and told about it is the same."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.live.processes import listening
from tests.live.raw_client import Caller, calling, get
from tests.live.raw_origin import Wire
from tests.live.routed_origin import RoutedOrigin, field, ok, says
from tests.live.swerve import ROOT, Swerve, command, environment, free_ports, swerve, within
from tests.live.workforce import COUNT, SEVERAL, metric, sockets, stats, until, until_up, workers

pytestmark = pytest.mark.live

CLIENTS = 64
PAGE = says(ok(b"page", "Cache-Control: s-maxage=600"))
PRIVATE = says(ok(b"private", "Cache-Control: no-store"))


@asynccontextmanager
async def several(origin: RoutedOrigin, *flags: str) -> AsyncIterator[Swerve]:
    async with swerve(origin.url, *SEVERAL, *flags) as proxy:
        await until_up(proxy)
        yield proxy


@asynccontextmanager
async def clients(proxy: Swerve, count: int = CLIENTS) -> AsyncIterator[list[Caller]]:
    """So many connections: each worker has about its share of them."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(calling(proxy.port)) for _ in range(count)]


@within(30)
async def test_connections_are_spread_over_the_workers() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin) as proxy:
        before = {one: sockets(one) for one in workers(proxy)}
        async with clients(proxy) as callers:
            await asyncio.gather(*(caller.get("/page") for caller in callers))
            held = [sockets(one) - before[one] for one in workers(proxy)]
        print(f"{CLIENTS} connections: {held}")
        assert len(held) == COUNT
        assert min(held) >= CLIENTS // 4  # by chance less than once in ten thousand runs


@within(30)
async def test_every_request_is_counted_once_at_once_and_exactly() -> None:
    rounds = 5
    async with RoutedOrigin({"/page": PAGE, "/private": PRIVATE}) as origin, several(origin) as proxy:
        async with clients(proxy) as callers:
            for _ in range(rounds):
                await asyncio.gather(*(caller.get("/page") for caller in callers))
            await asyncio.gather(*(caller.get("/private") for caller in callers[:10]))
            told = (await stats(proxy))["counters"]
            asked, decided = await metric(proxy, "swerve_requests_total"), await metric(proxy, "swerve_decisions_total")
        assert told["requests"] == asked == decided == rounds * CLIENTS + 10
        assert told["origin_requests"]["request"] == sum(origin.count(path) for path in ("/page", "/private"))
        assert await metric(proxy, "swerve_response_bytes_total") == rounds * CLIENTS * 4 + 10 * 7
        assert await metric(proxy, "swerve_workers") == COUNT


@within(30)
async def test_why_knows_what_any_worker_has_answered() -> None:
    async with RoutedOrigin({}) as origin, several(origin) as proxy:
        origin.handlers |= {f"/{number}": PRIVATE for number in range(20)}
        for number in range(20):
            await get(proxy.port, f"/{number}", "X-Seen: yes")
        for number in range(20):
            told = await why(proxy, f"/{number}")
            assert told["last_request"]["reason"] == "no-store", number
            assert told["request"]["as_last"], number
            assert told["last_answer"] is not None, number


async def why(proxy: Swerve, path: str) -> dict[str, Any]:
    body = json.dumps({"url": path}).encode()
    async with calling(proxy.admin) as caller:
        told: dict[str, Any] = json.loads((await caller.post("/v1/why", body)).body)
    return told


@within(30)
async def test_a_fetch_under_way_in_any_worker_is_known() -> None:
    asked, release = asyncio.Semaphore(0), asyncio.Event()
    paths = [f"/held/{number}" for number in range(10)]

    async def held(wire: Wire, _: bytes) -> None:
        asked.release()
        await release.wait()
        await wire.send(ok(b"held", "Cache-Control: s-maxage=600"))

    async with RoutedOrigin(dict.fromkeys(paths, held)) as origin, several(origin) as proxy:
        waiting = [asyncio.ensure_future(get(proxy.port, path)) for path in paths]
        for _ in paths:
            await asked.acquire()
        assert (await stats(proxy))["flights"]["under_way"] == len(paths)
        assert all([(await why(proxy, f"http://localhost:{proxy.port}{path}"))["in_flight"] for path in paths])
        release.set()
        assert {answer.body for answer in await asyncio.gather(*waiting)} == {b"held"}
        assert (await stats(proxy))["flights"]["under_way"] == 0


@within(30)
async def test_a_loop_is_found_whichever_worker_it_comes_back_to() -> None:
    """All of them have one name in CDN-Loop (RFC 8586)."""
    names = set()

    async def noted(wire: Wire, head: bytes) -> None:
        names.add(field(head, "cdn-loop"))
        await wire.send(ok(b"noted", "Cache-Control: no-store"))

    async with RoutedOrigin({"/loop": noted}) as origin, several(origin) as proxy, clients(proxy, 20) as callers:
        for caller in callers:
            await caller.get("/loop")
        (name,) = names
        answers = [await caller.get("/loop", f"CDN-Loop: {name}") for caller in callers]
        assert {answer.status for answer in answers} == {508}


@within(60)
async def test_log_lines_of_several_workers_are_whole() -> None:
    """Through a pipe that is often full, and some are longer than what a pipe takes as one."""
    rounds, padding, (port, admin) = 100, "x" * 9_000, free_ports()
    paths = [f"/page?{number}-{padding if number % 8 == 0 else ''}" for number in range(CLIENTS)]
    async with RoutedOrigin({"/page": PAGE}) as origin:
        words = [*command(origin.url, port, admin, *SEVERAL), "--log", "json"]
        process = await asyncio.create_subprocess_exec(
            *words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        written = asyncio.ensure_future(process.communicate())
        try:
            await until(lambda: listening(port))
            await asyncio.gather(*(_visits(port, path, rounds) for path in paths))
        finally:
            process.terminate()
            lines = [json.loads(line) for line in (await written)[0].splitlines()]
    assert len(lines) == rounds * CLIENTS
    assert {line["path"] for line in lines} == set(paths)


async def _visits(port: int, path: str, count: int) -> None:
    async with calling(port) as caller:
        for _ in range(count):
            assert (await caller.get(path)).status == 200


async def decisions(proxy: Swerve, query: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((await get(proxy.admin, f"/v1/decisions?{query}")).body)
    return told


@within(30)
async def test_decisions_of_all_workers_have_numbers_in_one_order() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin) as proxy:
        since, seen = 0, list[str]()
        for number in range(40):
            await get(proxy.port, f"/page?{number}")
            if number % 8 == 7:
                told = await decisions(proxy, f"since={since}&limit=1000")
                assert (told["missed"], told["last"]) == (0, number + 1)
                paths = [one["path"] for one in told["decisions"]]
                # Which of two workers has written down first that it has ended is up to the machine.
                assert set(paths) == {f"/page?{one}" for one in range(number - 7, number + 1)}
                seen += paths
                since = told["last"]
        again = await decisions(proxy, "since=0&limit=1000")
        assert [one["path"] for one in again["decisions"]] == seen, "whoever asks later is told the same order"
        assert [one["number"] for one in again["decisions"]] == list(range(1, 41))


@within(30)
async def test_decisions_that_were_too_many_are_told_as_missed() -> None:
    rounds = 100
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin) as proxy:
        async with clients(proxy) as callers:
            for _ in range(rounds):
                await asyncio.gather(*(caller.get("/page") for caller in callers))
        told = await decisions(proxy, "since=0&limit=1000")
        assert told["last"] == rounds * CLIENTS
        assert told["missed"] == rounds * CLIENTS - len(told["decisions"])
        assert len(told["decisions"]) == 1000


@within(30)
async def test_a_reset_is_a_reset_everywhere() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin) as proxy:
        for _ in range(20):
            await get(proxy.port, "/page")
        async with calling(proxy.admin) as caller:
            assert (await caller.post("/v1/reset", b"")).status == 200
        assert (await stats(proxy))["counters"]["requests"] == 0
        assert (await decisions(proxy, "since=0"))["decisions"] == []
        asked = origin.count("/page")
        for _ in range(20):
            await get(proxy.port, "/page")
        assert origin.count("/page") > asked
        assert (await stats(proxy))["counters"]["requests"] == 20


@within(30)
async def test_a_stream_of_decisions_tells_of_all_workers() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, several(origin) as proxy, calling(proxy.admin) as watching:
        await watching.ask("/v1/stream")
        pieces = watching.pieces(await watching.head())
        assert await anext(pieces) == b"retry: 1000\n\n"
        for number in range(20):
            await get(proxy.port, f"/page?{number}")
        text = b""
        async for piece in pieces:
            text += piece
            if text.count(b"event: decision") == 20:
                break
        assert all(f'"/page?{number}"'.encode() in text for number in range(20))
