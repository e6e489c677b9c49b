"""`--max-size` bounds what the memory store takes from the machine, not only what it believes to take."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from time import perf_counter

import pytest

from app.core.concluding import conclude
from app.core.decisions import Exchange, Forward, Fwd, Save
from app.core.key import cache_key
from app.core.messages import Headers, Request, Response
from app.core.reasons import Reason
from app.dialects import load_dialect
from app.store.memory import LINE_OVERHEAD, RESPONSE_OVERHEAD, MemoryStore
from tests.live.raw_client import calling
from tests.live.raw_origin import Wire
from tests.live.routed_origin import RoutedOrigin, ok
from tests.live.swerve import MIB, ROOT, environment, swerve, within

pytestmark = pytest.mark.live

# What may come on top of --max-size: a factor for what the allocator cannot give back, and what the rest needs.
FACTOR = 1.25
BESIDE = 16 * MIB

# Heads as frameworks send them: the short one of a hand-written server, the long one of Next.js.
LONG = [
    "vary: rsc, next-router-state-tree, next-router-prefetch, next-router-segment-prefetch, Accept-Encoding",
    "x-nextjs-cache: HIT",
    "x-nextjs-prerender: 1",
    "x-nextjs-stale-time: 300",
    "x-powered-by: Next.js",
    'etag: "{number:08x}k1xzw"',
    "content-type: text/html; charset=utf-8",
    "date: Sun, 22 Nov 2026 12:00:00 GMT",
    "keep-alive: timeout=5",
]
SHORT = ["content-type: text/plain"]
VARY = ["content-type: text/plain", "vary: cookie"]
KINDS = {"short": SHORT, "long": LONG, "vary": VARY}


def fill(store: MemoryStore, count: int, size: int, lines: list[str]) -> None:
    """Store `count` distinct responses of about `size` bytes, made as the request path makes them."""
    rules, random = load_dialect("standard").rules, Random(1)

    async def save_all() -> None:
        for number in range(count):
            length = random.randint(size // 2, size * 3 // 2)
            fields = [*lines, "cache-control: public, s-maxage=600", f"content-length: {length}"]
            pairs = (line.format(number=number).partition(": ")[::2] for line in fields)
            headers = Headers((name.encode(), value.encode()) for name, value in pairs)
            cookie = b"session=" + b"c" * random.randint(7_000, 9_000)
            request = Request(
                "GET", "http", "localhost:8080", f"/page/{number}?q={number}", Headers([(b"cookie", cookie)])
            )
            exchange = Exchange(request, Response(200, headers), rules.directives(headers, 200), 1e9, 1e9)
            key = cache_key(request, rules)
            outcome = conclude(Forward(Reason.URI_MISS, Fwd.URI_MISS, request, shareable=True), exchange, key, rules)
            assert isinstance(outcome, Save)
            await store.save(replace(outcome.stored, body=os.urandom(1) * length, size=length))

    asyncio.run(save_all())


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def probe(max_size: int, count: int, size: int, kind: str) -> None:
    """Print what a full store costs. Runs in a process of its own."""
    fill(MemoryStore(MIB), 100, size, LONG)  # what is loaded and cached once
    gc.collect()
    before, started = resident(), perf_counter()
    store = MemoryStore(max_size)
    fill(store, count, size, KINDS[kind])
    gc.collect()
    grown = resident() - before
    state, took = store.state(), perf_counter() - started
    json.dump({"grown": grown, "kept": state.keys, "took": took, "size": state.size}, sys.stdout)


@pytest.mark.parametrize(
    ("count", "size", "kind"),
    [
        (1_000_000, 0, "short"),
        (30_000, 0, "long"),
        (15_000, 10_240, "short"),
        (15_000, 10_240, "long"),
        (10_000, 0, "vary"),
    ],
)  # fmt: skip
def test_a_full_store_takes_what_it_may(count: int, size: int, kind: str) -> None:
    bound = (8 if kind == "vary" else 32) * MIB
    command = [sys.executable, "-m", "tests.live.test_memory_bound", str(bound), str(count), str(size), kind]
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, check=True, timeout=400)
    found = json.loads(done.stdout)
    each, believed = found["grown"] / found["kept"], found["size"] / found["kept"]
    print(
        f"{count:,} responses of {size} bytes with {kind} heads: {found['kept']:,} kept, "
        f"{found['grown'] / MIB:.1f} MiB resident for {found['size'] / MIB:.1f} MiB believed "
        f"(×{found['grown'] / found['size']:.2f}); {each:.0f} bytes each, believed {believed:.0f}"
    )
    assert found["kept"] < count, "the store was never full"
    assert found["grown"] < FACTOR * bound
    assert found["grown"] > bound / 2, (
        f"RESPONSE_OVERHEAD {RESPONSE_OVERHEAD} or LINE_OVERHEAD {LINE_OVERHEAD} is far too large"
    )


@within(60)
async def test_a_running_swerve_stays_bounded() -> None:
    bound, connections, each = 8 * MIB, 10, 1_000
    together = 50

    async def handler(wire: Wire, _: bytes) -> None:
        await wire.send(ok(b"x" * 100, "Cache-Control: s-maxage=600", "Content-Type: text/plain"))

    class Everything(RoutedOrigin):
        async def _answer_all(self, wire: Wire) -> None:
            while True:
                await handler(wire, await wire.head())

    async def client(port: int, number: int) -> None:
        async with calling(port) as caller:
            for start in range(0, each, together):
                for step in range(together):
                    await caller.ask(f"/{number}/{start + step}")
                for _ in range(together):
                    assert (await caller.answer()).status == 200

    async with Everything({}) as origin, swerve(origin.url, "--max-size", str(bound)) as proxy:
        await client(proxy.port, -1)
        before, started = proxy.memory("VmRSS"), perf_counter()
        await asyncio.gather(*(client(proxy.port, number) for number in range(connections)))
        took, grown = perf_counter() - started, proxy.memory() - before
        print(
            f"{connections * each:,} distinct URLs in {took:.1f} s ({connections * each / took:,.0f}/s): "
            f"grown by {grown / MIB:.1f} MiB with --max-size {bound / MIB:.0f}mb"
        )
        assert grown < FACTOR * bound + BESIDE


if __name__ == "__main__":
    probe(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
