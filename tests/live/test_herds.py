"""A thousand clients at once: one fetch where the answer may be shared, a thousand at once where it may not."""

from __future__ import annotations

import asyncio
from collections import Counter
from time import perf_counter

import pytest

from app.process import raise_file_limit
from tests.live.raw_client import Answer, all_at_once, get
from tests.live.raw_origin import Wire
from tests.live.routed_origin import RoutedOrigin, field, ok, says
from tests.live.swerve import swerve, within

pytestmark = pytest.mark.live

HERD = 1000
LATENCY = 1.0


@pytest.fixture(autouse=True)
def _many_files() -> None:
    raise_file_limit()


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


@within(40)
async def test_a_cold_cacheable_url_is_fetched_once() -> None:
    page = b"<p>%b</p>" % (b"x" * 10_000)
    release = asyncio.Event()

    async def slow(wire: Wire, _: bytes) -> None:
        await release.wait()
        await wire.send(ok(page, "Cache-Control: public, s-maxage=60"))

    async with (
        RoutedOrigin({"/page": slow, "/other": says(ok(b"", "Cache-Control: no-store"))}) as origin,
        swerve(origin.url) as proxy,
    ):
        started = perf_counter()
        herd = asyncio.ensure_future(all_at_once(proxy.port, "/page", [()] * HERD))
        while not origin.count("/page"):
            await get(proxy.port, "/other")  # each turn lets the proxy read what has arrived
        await get(proxy.port, "/other")
        release.set()
        answers = await herd
        took = perf_counter() - started
        shared = sum("collapsed" in (answer.header("cache-status") or "") for answer in answers)
        print(f"{HERD} clients, {origin.count('/page')} fetch, {shared} waited along, {took:.2f} s")
        assert statuses(answers) == {200: HERD}
        assert {answer.body for answer in answers} == {page}
        assert origin.count("/page") == 1
        assert shared > HERD / 2


async def private_herd(latency: float) -> float:
    """A herd on a cold URL whose every answer is for one client. Returns how long it took."""

    async def handler(wire: Wire, head: bytes) -> None:
        who = field(head, "cookie") or "nobody"
        await asyncio.sleep(latency)
        await wire.send(ok(f"for {who}".encode(), "Cache-Control: private", f"Set-Cookie: seen-{who}"))

    async with RoutedOrigin({"/me": handler}) as origin, swerve(origin.url) as proxy:
        started = perf_counter()
        answers = await all_at_once(proxy.port, "/me", [(f"Cookie: session={number}",) for number in range(HERD)])
        took = perf_counter() - started
        assert statuses(answers) == {200: HERD}
        for number, answer in enumerate(answers):
            assert answer.body == f"for session={number}".encode()
            assert answer.lines("set-cookie") == [f"seen-session={number}"]
        assert origin.count("/me") == HERD
    return took


@within(60)
async def test_a_cold_uncacheable_url_serialises_nobody_and_mixes_nobody_up() -> None:
    own = await private_herd(0)
    took = await private_herd(LATENCY)
    print(f"{HERD} clients: {own:.2f} s with no latency, {took:.2f} s with {LATENCY:g} s of it")
    assert took < 3 * LATENCY + own


@within(40)
async def test_a_stale_url_is_served_to_all_and_refreshed_once() -> None:
    release = asyncio.Event()
    control = "Cache-Control: s-maxage=60, stale-while-revalidate=600"

    async def handler(wire: Wire, _: bytes) -> None:
        if origin.count("/page") == 1:
            await wire.send(ok(b"old", control, "Age: 60"))  # expired on arrival: no test has to wait for it
        else:
            await release.wait()
            await wire.send(ok(b"new", control))

    async with RoutedOrigin({"/page": handler}) as origin, swerve(origin.url, dialect="vercel") as proxy:
        first = await get(proxy.port, "/page")
        assert (first.header("x-vercel-cache"), first.body) == ("MISS", b"old")
        started = perf_counter()
        answers = await all_at_once(proxy.port, "/page", [()] * HERD)
        took = perf_counter() - started
        found = Counter((answer.status, answer.header("x-vercel-cache"), answer.body) for answer in answers)
        print(f"{HERD} clients in {took:.2f} s: {dict(found)}, {origin.count('/page') - 1} refresh")
        assert found == {(200, "STALE", b"old"): HERD}
        release.set()
        while (last := await get(proxy.port, "/page")).header("x-vercel-cache") != "HIT":
            assert last.header("x-vercel-cache") == "STALE"
        assert last.body == b"new"
        assert origin.count("/page") == 2
