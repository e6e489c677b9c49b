"""Several machines on one Redis: what one purges, changes and marks, and when the others know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from random import Random

import pytest

from app.core.purging import Kind, Mode, Purge, Selector
from app.store.redis.store import RedisStore
from app.store.redis.trust import BOUND
from tests.live.redis_machines import at_once, come_true, deletion, machine, machines, usable
from tests.live.redis_proxy import way_to
from tests.live.redis_server import Server, redis_server
from tests.live.swerve import within
from tests.store.examples import KEY, answer, page

pytestmark = pytest.mark.live

TAG = Selector(Kind.TAG, "a")


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    with redis_server() as one:
        yield one


@pytest.fixture
def server(shared: Server) -> Server:
    shared.command("flushall")
    return shared


class Race:
    """Purges by one machine while all fetch, keep and answer. `late`: by how many seconds an answer at once began after
    a purge that it had not seen was acknowledged."""

    def __init__(self, stores: list[RedisStore]) -> None:
        self.stores = stores
        self.acknowledged: list[tuple[int, float]] = []
        self.over = False
        self.hits, self.fetches, self.late = 0, 0, [0.0]

    async def purge(self, count: int) -> None:
        for place in range(count):
            number = await self.stores[place % 2].purge(deletion(TAG))
            self.acknowledged.append((number, time.monotonic()))
            await asyncio.sleep(0.01)
        self.over = True

    async def answer(self, store: RedisStore) -> None:
        while not self.over:
            began = time.monotonic()
            found = at_once(store, KEY)
            if found:
                self.hits += 1
                self.judge(found[0].fetched_under, began)
                await asyncio.sleep(0)
            elif found := await usable(store, KEY):
                assert not any(n > found[0].fetched_under and at < began - BOUND for n, at in self.acknowledged)
            else:
                under, number = store.purge_number(), time.time_ns()
                await asyncio.sleep(0.001)
                await store.save(answer(tags=("a",), fetched_under=under, number=number))
                self.fetches += 1

    def judge(self, under: int, began: float) -> None:
        unseen = [began - at for number, at in self.acknowledged if number > under and at < began]
        self.late.append(max(unseen, default=0.0))


@within(60)
async def test_a_purge_is_seen_by_all_within_the_bound_while_all_are_busy(server: Server) -> None:
    async with machines(*[server.url] * 4) as stores:
        race = Race(stores)
        await asyncio.gather(race.purge(200), *[race.answer(store) for store in stores])
        assert race.hits > 1_000, "memory answered"
        assert race.fetches >= 100
        assert max(race.late) <= BOUND
        numbers = {store.purge_number() for store in stores}
        assert await come_true(lambda: {store.purge_number() for store in stores} == {200}), numbers
        print(f"latest {max(race.late) * 1e3:.1f} ms, {race.hits} hits, {race.fetches} fetches")


@within(30)
async def test_who_asks_redis_sees_a_purge_at_once(server: Server) -> None:
    async with machine(server.url) as one, machine(server.url, tier=0) as other:
        for number in range(1, 100):
            await one.save(answer(number=number, fetched_under=number - 1))
            assert await usable(other, KEY)
            assert await one.purge(deletion()) == number
            assert not await usable(other, KEY)
            assert other.purge_number() == number


def has_heard(store: RedisStore, number: int) -> bool:
    return store.purge_number() >= number


@within(30)
async def test_a_purge_is_pushed(server: Server) -> None:
    async with machines(server.url, server.url) as (one, other):
        took = []
        for number in range(1, 51):
            acknowledged = asyncio.create_task(one.purge(deletion()))
            took.append(await come_true(partial(has_heard, other, number)))
            await acknowledged
            await asyncio.sleep(0.01)
        print(f"median {sorted(took)[25] * 1e3:.1f} ms, longest {max(took) * 1e3:.1f} ms")
        assert sorted(took)[25] < 0.05


def asks_again(store: RedisStore, key: str) -> None:
    """As the memo does when it hears of a change."""
    store.find(key)


@within(60)
async def test_when_all_is_quiet_every_memory_has_what_redis_has(server: Server) -> None:
    async def change(store: RedisStore, random: Random) -> None:
        for _ in range(150):
            key = f"{KEY}{random.randrange(4)}"
            found = await store.lookup(key)
            draw = random.random()
            if draw < 0.5 or not found:
                await store.save(answer(key, number=time.time_ns()))
            elif draw < 0.9:
                await store.replace(
                    found[0], replace(found[0], number=time.time_ns(), status=random.randrange(200, 300))
                )
            else:
                await store.remove(found[0])

    async with machines(*[server.url] * 3) as stores:
        for store in stores:
            store.watch(partial(asks_again, store))
        await asyncio.gather(*[change(store, Random(seed)) for seed, store in enumerate(stores * 2)])
        await stores[0].purge(Purge(Mode.SOFT, Selector(Kind.TAG, "the end of it all")))
        await come_true(lambda: all(store.purge_number() == 1 for store in stores))
        async with machine(server.url, tier=0) as truth:
            for key in [f"{KEY}{place}" for place in range(4)]:
                there = list(await truth.lookup(key))
                assert [list(store.find(key) or there) for store in stores] == [there] * 3


@within(60)
async def test_who_leaves_in_the_middle_takes_nobody_elses_answer(server: Server) -> None:
    random, bodies = Random(7), {page(number).key: page(number).body for number in range(50)}
    async with machine(server.url, tier=0) as store:
        for number in range(50):
            await store.save(page(number))

        async def look(key: str) -> bool:
            [found] = await store.lookup(key)
            assert (found.key, found.body) == (key, bodies[key])
            return True

        answered = 0
        for _ in range(100):
            asked = [asyncio.create_task(look(random.choice(list(bodies)))) for _ in range(20)]
            await asyncio.sleep(random.random() * 0.004)
            for task in asked[::2]:
                task.cancel()
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            answered += outcomes.count(True)
            assert all(one is True or isinstance(one, asyncio.CancelledError) for one in outcomes)
        assert answered >= 1_000
        assert store.state().trouble is None


@within(30)
async def test_who_has_missed_news_reads_all_of_it_anew(server: Server) -> None:
    async with way_to(server.port) as way, machine(server.url) as one, machine(way.url) as behind:
        await one.save(answer())
        assert await usable(behind, KEY)
        way.passing.clear()
        for number in range(5):
            await one.purge(deletion(Selector(Kind.URL, f"/{number}")))
        await one.purge(deletion())
        server.command("xtrim", "swerve:{default}:news", "maxlen", "1")
        way.passing.set()
        await come_true(lambda: behind.purge_number() == 6)
        assert behind.state().counts["reloads"] >= 1
        assert behind.state().counts["lost_logs"] == 0
        assert not await usable(behind, KEY)
        assert len(behind.log) == 6


@within(30)
async def test_namespaces_do_not_see_each_other(server: Server) -> None:
    async with machines(server.url, f"{server.url}?namespace=other") as (one, other):
        await one.save(answer(tags=("a",)))
        await one.purge(deletion())
        assert not await other.lookup(KEY)
        assert other.purge_number() == 0
        assert [stored async for stored in other.entries()] == []
        assert await other.lease(KEY, 60.0)
        assert await one.lease(KEY, 60.0)


@within(30)
async def test_what_nobody_uses_any_more_leaves_redis_by_itself(server: Server) -> None:
    async with machine(server.url) as store:
        await store.save(answer(tags=("a",)))
        await store.purge(deletion())
        everything = set(server.command("keys", "swerve:*").split())
        lasting = {key for key in everything if server.command("ttl", key) == "-1"}
        assert {key.rpartition(":")[2] for key in lasting} == {"log", "news", "purges", "order"}
        assert len(everything) == 7


@within(30)
@pytest.mark.parametrize("selector", [
    TAG, Selector(Kind.URL, "/7"), Selector(Kind.URL, "/7", "example.com"), Selector(Kind.PATH, "/7"),
], ids=lambda one: one.name)  # fmt: skip
async def test_what_a_tag_a_url_or_a_path_names_is_found_without_looking_at_everything(
    server: Server, selector: Selector
) -> None:
    async with machine(server.url) as store:
        for number in range(300):
            await store.save(page(number, 10, tags=("a",) if number == 7 else ("b",)))
        server.command("config", "resetstat")
        assert [one.key async for one in store.entries(selector)] == [page(7).key]
        asked = server.command("info", "commandstats")
        assert "cmdstat_sscan:" in asked
        assert "cmdstat_scan:" not in asked


@within(30)
async def test_what_is_confirmed_again_and_again_is_listed_for_as_long_as_it_is_kept(server: Server) -> None:
    async with machine(server.url) as store:
        one = answer(number=1, tags=("a",))
        await store.save(one)
        longer = replace(one.freshness, lifetime=20 * 86_400.0)
        await store.replace(one, replace(one, number=2, freshness=longer))
        names = server.command("--raw", "keys", "swerve:default:*").split()
        assert sorted(name.split(":")[3] for name in names) == ["p", "r", "t"]
        assert all(int(server.command("pttl", name)) > 20 * 86_400_000 for name in names)


@within(30)
async def test_keys_that_clients_make_long_do_not_fill_redis_with_marks(server: Server) -> None:
    async with machine(server.url) as store:
        for key, pieces in ((KEY, 1), (f"{KEY}{'x' * 16_000}", 1)):
            await store.mark(key, cacheable=False)
            assert int(server.command("xlen", "swerve:{default}:news")) == 1 + pieces, "and the one that began the log"
