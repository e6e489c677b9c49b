"""Redis away or slow: slower, warned of, and never wrong."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.core.decisions import StoredResponse
from app.core.purging import Kind, Purge, Selector
from app.store.base import StoreError
from app.store.redis.store import RedisStore
from app.store.redis.trust import BOUND
from tests.live.redis_machines import at_once, come_true, deletion, machine, machines, usable
from tests.live.redis_proxy import way_to
from tests.live.redis_server import Server, free_port, redis_server
from tests.live.swerve import within
from tests.store.examples import HOME, KEY, answer, names

pytestmark = pytest.mark.live

DEADLINE = 0.25
# What a busy machine may add to a deadline.
SLACK = 0.25


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server() as one:
        yield one


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """In a word each, what the log says of Redis."""
    said = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    words = {"is away": "away", "is back": "back", "has lost": "lost"}
    return [next((word for sign, word in words.items() if sign in line), line) for line in said]


class Users:
    """Some who use a store all the time, and the longest that any of them had to wait."""

    def __init__(self, store: RedisStore, count: int = 4) -> None:
        self.store = store
        self.over = False
        self.longest = 0.0
        self.found = 0
        self.tasks = [asyncio.create_task(self.use(place)) for place in range(count)]

    async def use(self, place: int) -> None:
        while not self.over:
            key, began = f"{KEY}{place}", time.perf_counter()
            found = await self.store.lookup(key)
            self.longest = max(self.longest, time.perf_counter() - began)
            self.found += bool(found)
            if not found:
                await self.store.save(answer(key, number=time.time_ns(), fetched_under=self.store.purge_number()))
            else:
                await self.store.replace(found[0], found[0])
                await self.store.remove(found[0])
            if await self.store.lease(key, 1.0):
                await self.store.release(key)
            await self.store.mark(key, cacheable=True)
            await names(self.store)
            await asyncio.sleep(0.002)

    def find(self, more: int) -> Callable[[], bool]:
        """Whether they have found so much more since."""
        wanted = self.found + more
        return lambda: self.found >= wanted

    async def done(self) -> None:
        """Raises what any of them got."""
        self.over = True
        await asyncio.gather(*self.tasks)


@within(60)
async def test_killed_and_restarted_under_load(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    async with machine(f"redis://127.0.0.1:{port}") as store:  # which is not there yet
        users = Users(store)
        for _ in range(3):
            with redis_server(port=port) as server:
                await come_true(lambda: store.state().trouble is None)
                await come_true(users.find(20))
                server.kill()
                await come_true(lambda: store.state().trouble is not None)
                await asyncio.sleep(0.3)
        await users.done()
        assert users.longest < DEADLINE + SLACK
        assert store.state().counts["outages"] == 4
        assert store.state().counts["seconds_away"] >= 1
    assert [one for one in told(caplog) if one != "lost"] == ["away", "back"] * 3 + ["away"]
    assert told(caplog).count("lost") == 2


@within(30)
async def test_while_it_is_away_nobody_waits_for_it(server: Server) -> None:
    async with machine(server.url) as store:
        await store.save(answer())
        server.kill()
        await come_true(lambda: store.state().trouble is not None)
        began = time.perf_counter()
        for _ in range(200):
            await store.lookup(HOME)
            await store.save(answer(HOME))
            assert await store.lease(HOME, 1.0), "each refreshes for itself"
        assert (time.perf_counter() - began) / 200 < 0.005
        assert await come_true(lambda: store.find(KEY) is None) <= BOUND + SLACK


@within(30)
async def test_without_word_from_it_memory_is_not_used_beyond_the_bound(server: Server) -> None:
    async with way_to(server.port) as way, machine(way.url) as cut_off, machine(server.url) as other:
        await other.save(answer())
        assert await usable(cut_off, KEY)
        lent, taken = at_once(cut_off, KEY), list[str]()
        assert lent
        cut_off.watch(taken.append)
        pulse = cut_off.pulse[0]
        way.passing.clear()
        held = time.monotonic()
        await other.purge(deletion())
        await come_true(lambda: not at_once(cut_off, KEY))
        assert time.monotonic() - held <= BOUND + 0.05
        assert cut_off.pulse[0] != pulse
        cut_off.catch_up()
        assert taken == [KEY], "who kept answers of it must let them go"
        assert not await usable(cut_off, KEY)
        way.passing.set()
        await come_true(lambda: cut_off.purge_number() == 1)
        assert not await usable(cut_off, KEY)


@within(30)
async def test_who_was_held_up_itself_does_not_use_what_is_old(server: Server) -> None:
    async with machine(server.url) as store:
        await store.save(answer())
        await come_true(lambda: bool(at_once(store, KEY)))
        pulse = store.pulse[0]
        time.sleep(BOUND + 0.1)  # noqa: ASYNC251  the loop stands still: no timer could have run
        assert store.pulse[0] != pulse
        assert store.find(KEY) is None
        await come_true(lambda: bool(at_once(store, KEY)))


@within(30)
async def test_a_slow_one_costs_its_deadline_a_few_times_and_then_nothing(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async with way_to(server.port) as way, machine(way.url) as store:
        await store.save(answer())
        way.delay = 2 * DEADLINE
        users = Users(store)
        await come_true(lambda: store.state().trouble is not None)
        await asyncio.sleep(0.2)
        users.longest = 0.0
        await asyncio.sleep(0.3)
        assert users.longest < 0.1
        way.delay = 0.0
        await come_true(lambda: store.state().trouble is None)
        await come_true(users.find(1))
        await users.done()
        assert store.state().counts["timeouts"] >= 3
    assert told(caplog) == ["away", "back"]


@within(30)
async def test_a_purge_that_it_cannot_take_fails_and_is_obeyed_and_sent_later(tmp_path: Path) -> None:
    port = free_port()
    lasting = ("--appendonly", "yes", "--appendfsync", "always")
    with redis_server(*lasting, port=port, folder=tmp_path) as server:
        async with machines(server.url, server.url) as (store, other):
            await store.save(answer())
            assert await usable(store, KEY)
            server.kill()
            with pytest.raises(StoreError, match=r"purge of url /blog/post.* not acknowledged"):
                await store.purge(deletion(Selector(Kind.URL, "/blog/post?page=2")))
            assert store.find(KEY) is None, "at once"
            assert store.purged_since(KEY, store.purge_number())
            assert not store.purged_since(HOME, store.purge_number())
            assert store.state().counts["purges_owed"] == 1
            with redis_server(*lasting, port=port, folder=tmp_path):
                seen = list[StoredResponse]()
                for _ in range(2_000):
                    seen += await store.lookup(KEY)
                    await asyncio.sleep(0.001 if not seen else 0)
                assert seen
                assert all(found.purge is not None for found in seen), "never again without it"
                await come_true(lambda: other.purge_number() == 1)
                assert store.state().counts["purges_owed"] == 0
                assert store.state().counts["lost_logs"] == 0


@within(30)
async def test_what_is_owed_counts_before_anything_that_redis_says(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(purge: Purge) -> int:
        raise StoreError("no answer")

    async with machine(server.url, tier=0) as store:
        await store.save(answer())
        assert await usable(store, KEY)
        monkeypatch.setattr(store._news, "purge", lost)
        with pytest.raises(StoreError):
            await store.purge(deletion())
        for _ in range(50):
            assert not await usable(store, KEY)
        await come_true(lambda: store.purge_number() == 1)
        assert not await usable(store, KEY)


@within(30)
async def test_too_many_owed_purges_become_one_of_everything(server: Server) -> None:
    async with machine(server.url) as store:
        await store.purge(deletion(Selector(Kind.URL, "/-1")))
        server.kill()
        for number in range(1_001):
            with suppress(StoreError):
                await store.purge(deletion(Selector(Kind.URL, f"/{number}")))
        assert store.state().counts["purges_owed"] == 1
        assert store.purged_since(HOME, store.purge_number())
