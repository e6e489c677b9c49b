"""What connections and requests cost in memory: ten thousand that are idle, and very many one after the other."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from tests.live.processes import LOOPBACK
from tests.live.raw_origin import Wire
from tests.live.routed_origin import RoutedOrigin, ok
from tests.live.swerve import MIB, Swerve, swerve, within

pytestmark = pytest.mark.live

IDLE = 10_000
MOST = 400 * MIB

# A soak that is short enough for every day; its churn is what a longer one would have.
CLIENTS, ROUNDS, TOGETHER = 8, 250, 50
PAGES = 3_000
GROWTH = 6 * MIB


class AnyPage(RoutedOrigin):
    """Answers every target with a page of its own."""

    async def _answer_all(self, wire: Wire) -> None:
        while True:
            await wire.head()
            await wire.send(ok(b"x" * 1_024, "Cache-Control: s-maxage=600", "Content-Type: text/plain"))


@asynccontextmanager
async def connected(proxy: Swerve) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def get(target: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: h", *lines, "", ""]).encode()


async def answers(reader: asyncio.StreamReader, count: int) -> None:
    for _ in range(count):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        await reader.readexactly(1_024)


@within(120)
async def test_ten_thousand_idle_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= IDLE + 200, f"the system allows {hard} files only"
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 200, hard))
    writers = []
    try:
        async with AnyPage({}) as origin, swerve(origin.url) as proxy:
            for start in range(0, IDLE, 100):
                opened = await asyncio.gather(
                    *(asyncio.open_connection(LOOPBACK, proxy.port, limit=4_096) for _ in range(100))
                )
                for _, writer in opened:
                    writer.write(get("/page"))
                for reader, _ in opened:
                    await answers(reader, 1)
                writers += [writer for _, writer in opened]
                assert len(writers) == start + 100
            print(f"{IDLE:,} idle connections: {proxy.memory('VmRSS') / MIB:.0f} MiB")
            assert proxy.memory() < MOST
            async with connected(proxy) as (reader, writer):  # and it still serves
                writer.write(get("/page"))
                await answers(reader, 1)
    finally:
        for writer in writers:
            writer.transport.abort()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def churn(proxy: Swerve, seed: int, rounds: int) -> None:
    """Pages that come and go, from browsers that are all different, over connections that last a while."""
    random = Random(seed)
    while rounds > 0:
        async with connected(proxy) as (reader, writer):
            for _ in range(min(rounds, 40)):
                rounds -= 1
                for _ in range(TOGETHER):
                    number = random.randrange(PAGES) if random.random() < 0.3 else random.randrange(100)
                    agent, identifier = random.randrange(10**6), random.randrange(10**9)
                    writer.write(get(f"/page/{number}", f"User-Agent: {agent}", f"X-Request-Id: {identifier}"))
                await answers(reader, TOGETHER)


@within(240)
async def test_requests_with_churn_leave_nothing_behind() -> None:
    async with AnyPage({}) as origin, swerve(origin.url, "--max-size", "2mb") as proxy:
        await asyncio.gather(*(churn(proxy, seed, ROUNDS) for seed in range(CLIENTS)))
        before = proxy.memory("VmRSS")
        await asyncio.gather(*(churn(proxy, seed, ROUNDS) for seed in range(CLIENTS)))
        grown = proxy.memory("VmRSS") - before
        print(f"{CLIENTS * ROUNDS * TOGETHER:,} more requests: grown by {grown / MIB:.1f} MiB")
        assert grown < GROWTH
