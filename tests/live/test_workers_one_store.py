"""Workers without a store of their own share one in memory: what one has fetched or purged, all have."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from app.store.disk.temporary import PREFIX, SHARED_MEMORY
from tests.live.raw_client import calling, get
from tests.live.redis_server import redis_server
from tests.live.routed_origin import RoutedOrigin, ok, says
from tests.live.swerve import Swerve, swerve, within
from tests.live.workforce import COUNT, SEVERAL, metric, stats, until, until_up, workers

pytestmark = pytest.mark.live

PAGE = says(ok(b"page", "Cache-Control: s-maxage=600"))


def folders(proxy: Swerve) -> set[Path]:
    """Those that its supervisor holds."""
    held = (Path(os.readlink(one)) for one in Path(f"/proc/{proxy.pid}/fd").iterdir() if one.is_symlink())
    return {path for path in held if path.name.startswith(PREFIX)}


def left_behind() -> set[Path]:
    places = (SHARED_MEMORY, Path(tempfile.gettempdir()))
    return {path for place in places for path in place.glob(f"*{PREFIX}*")}


@within(30)
async def test_what_one_worker_has_fetched_all_have() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, swerve(origin.url, *SEVERAL) as proxy:
        await until_up(proxy)
        for _ in range(40):
            assert (await get(proxy.port, "/page")).body == b"page"
        assert origin.count("/page") == 1
        told = await stats(proxy)
        assert (told["store"]["keys"], told["counters"]["results"]) == (1, {"miss": 1, "hit": 39})
        assert await metric(proxy, "swerve_cache_entries") == 1


@within(40)
async def test_what_is_stored_outlives_every_worker() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, swerve(origin.url, *SEVERAL) as proxy:
        await until_up(proxy)
        await get(proxy.port, "/page")
        staff = workers(proxy)
        for worker in staff:
            os.kill(worker, signal.SIGKILL)
        await until(lambda: len(workers(proxy)) == COUNT and set(staff).isdisjoint(workers(proxy)))
        for _ in range(10):
            assert (await get(proxy.port, "/page")).body == b"page"
        assert origin.count("/page") == 1


@within(30)
async def test_a_purge_that_was_acknowledged_is_seen_by_every_worker() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin, swerve(origin.url, *SEVERAL) as proxy:
        await until_up(proxy)
        for round_ in range(10):
            for _ in range(4):  # by several workers, and from the memory of each
                await get(proxy.port, "/page")
            assert origin.count("/page") == round_ + 1
            async with calling(proxy.admin) as caller:
                body = b'{"urls": ["http://localhost:%d/page"]}' % proxy.port
                assert (await caller.post("/v1/delete", body)).status == 200
        assert await metric(proxy, "swerve_purges_total") == 10


@within(40)
async def test_a_folder_deleted_under_them_leaves_no_worker_behind(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    flags = (*SEVERAL, "--store", str(folder))
    async with RoutedOrigin({"/page": PAGE}) as origin, swerve(origin.url, *flags) as proxy:
        await until_up(proxy)
        for _ in range(10):
            await get(proxy.port, "/page")
        folder.rename(tmp_path / "gone")  # at once: a worker may make it anew while it is being deleted
        shutil.rmtree(tmp_path / "gone")
        first, *others = workers(proxy)
        os.kill(first, signal.SIGKILL)
        await until(lambda: len(workers(proxy)) == COUNT and first not in workers(proxy))
        await until_up(proxy)
        for version in (b"1", b"2", b"3"):
            for _ in range(8):
                await get(proxy.port, "/page")
            origin.handlers["/page"] = says(ok(version, "Cache-Control: s-maxage=600"))
            async with calling(proxy.admin) as caller:
                body = b'{"urls": ["http://localhost:%d/page"]}' % proxy.port
                assert (await caller.post("/v1/delete", body)).status == 200
            assert {(await get(proxy.port, "/page")).body for _ in range(16)} == {version}
        assert origin.count("/page") < 10, "and they share what they keep"
        assert set(others) <= set(workers(proxy))


@within(60)
async def test_two_machines_of_several_workers_share_a_redis() -> None:
    """A purge is heard of by every process of both within 250 ms of its acknowledgement."""
    with redis_server() as redis:
        async with RoutedOrigin({}) as origin:
            flags = (*SEVERAL, "--store", redis.url)
            async with swerve(origin.url, *flags) as one, swerve(origin.url, *flags) as other:
                await until_up(one)
                await until_up(other)
                for version in (b"1", b"2", b"3", b"4", b"5"):
                    origin.handlers["/page"] = says(ok(version, "Cache-Control: s-maxage=600"))
                    for _ in range(10):  # so that each process has it in its memory
                        for machine in (one, other):
                            assert (await get(machine.port, "/page", "Host: shop.example")).body == version
                    async with calling(one.admin) as caller:
                        purged = await caller.post("/v1/delete", b'{"urls": ["http://shop.example/page"]}')
                    assert purged.status == 200
                    await asyncio.sleep(0.25)  # the promise itself
                assert origin.count("/page") < 20, "most came from the store"
                assert (await stats(other))["store"]["kind"] == "redis"
                assert await metric(one, "swerve_purges_total") == 5


@within(40)
async def test_its_folder_is_removed_at_the_end_and_after_a_kill_at_the_next_start() -> None:
    async with RoutedOrigin({"/page": PAGE}) as origin:
        async with swerve(origin.url, *SEVERAL) as proxy:
            await until_up(proxy)
            (first,) = folders(proxy)
            assert first.is_dir()
        assert not first.exists()
        async with swerve(origin.url, *SEVERAL) as proxy:
            await until_up(proxy)
            (second,) = folders(proxy)
            os.kill(proxy.pid, signal.SIGKILL)
            await proxy.ended()
        assert second.is_dir()
        async with swerve(origin.url, *SEVERAL) as proxy:
            await until_up(proxy)
            (third,) = folders(proxy)
            assert third.is_dir()
            assert not second.exists()
            async with swerve(origin.url, *SEVERAL) as other:
                await until_up(other)
                assert third.is_dir(), "whoever lives keeps its own"
        assert {first, second, third}.isdisjoint(left_behind())
