"""Redis emptied, evicting, full, or taken over by one that lags behind: warned of, and never wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from app.core.purging import Kind, Mode, Purge, Selector
from app.store.codec import encode_purge
from app.store.redis import scripts
from app.store.redis.layout import Names
from app.store.redis.trust import BOUND
from tests.live.redis_machines import at_once, come_true, deletion, machine, machines, usable
from tests.live.redis_proxy import way_to
from tests.live.redis_server import Server, redis_server
from tests.live.swerve import within
from tests.store.examples import HOME, KEY, answer

pytestmark = pytest.mark.live

# What a busy machine may add to a deadline.
SLACK = 0.25


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server() as one:
        yield one


@within(30)
async def test_emptied_while_it_is_used(server: Server) -> None:
    async with machine(server.url) as one, machine(server.url, tier=0) as other:
        for number in range(5):
            await one.purge(Purge(Mode.SOFT, Selector(Kind.DEPLOYMENT, f"d{number}")))
        under = one.purge_number()
        await one.save(answer(fetched_under=under))
        assert await usable(other, KEY)
        server.command("flushall")
        await come_true(lambda: one.purge_number() == other.purge_number() > under)
        assert not await usable(one, KEY)
        assert not await usable(other, KEY)
        await one.save(answer(fetched_under=under))
        assert not await usable(other, KEY), "it was under way when the log was lost"
        fresh = one.purge_number()
        await one.save(answer(number=1, fetched_under=fresh))
        assert await usable(other, KEY)
        await other.purge(deletion())
        await come_true(lambda: one.purge_number() == other.purge_number())
        assert not await usable(one, KEY), "a purge hits what came after the loss"
        async with machine(server.url) as third:
            assert third.log.deployment == "d4", "which outlives it"


@within(30)
@pytest.mark.parametrize(("policy", "words"), [
    ("allkeys-lru",  "maxmemory-policy allkeys-lru and may evict the log of purges; set volatile-lru or volatile-lfu"),
    ("volatile-lru", None), ("noeviction", None),
])  # fmt: skip
async def test_a_policy_that_evicts_the_log_of_purges_is_advised_against(
    server: Server, policy: str, words: str | None
) -> None:
    server.command("config", "set", "maxmemory-policy", policy)
    async with machine(server.url) as one:
        advice = await one.advice()
        assert advice == words or (words and advice and words in advice)


@within(30)
async def test_who_may_not_ask_for_the_policy_goes_on_without(server: Server) -> None:
    server.command("config", "set", "maxmemory-policy", "allkeys-lru")
    server.command("acl", "setuser", "default", "-config")
    async with machine(server.url) as one:
        assert await one.advice() is None
        await one.save(answer())
        assert await usable(one, KEY)


# What `maxmemory-policy allkeys-…` may do to any key, or an operator.

POST = Purge(Mode.VALIDATE, Selector(Kind.URL, "/orders/1", "example.com"))


@within(30)
@pytest.mark.parametrize("part", ["log", "purges", "order", "slots"])
async def test_who_comes_after_a_part_of_the_log_was_evicted_serves_nothing_that_was_purged(
    server: Server, part: str
) -> None:
    async with machine(server.url) as one:
        await one.purge(Purge(Mode.SOFT, Selector(Kind.DEPLOYMENT, "blue")))
        await one.purge(POST)
        await one.save(answer(fetched_under=2, tags=("t",)))
        await one.purge(deletion(Selector(Kind.TAG, "t")))
        server.command("del", f"swerve:{{default}}:{part}")
        async with machine(server.url) as other:
            assert not await usable(other, KEY)
            await come_true(lambda: other.log.deployment == "blue")
            await come_true(lambda: one.purge_number() == other.purge_number() > 3)
            await one.save(answer(number=1, fetched_under=one.purge_number()))
            assert await usable(other, KEY), "and all goes on"
            await one.purge(deletion())
            await come_true(lambda: not at_once(other, KEY), BOUND + SLACK)
            assert not await usable(other, KEY)


@within(30)
@pytest.mark.parametrize("part", ["log", "purges", "order", "slots"])
async def test_a_purge_after_a_part_of_the_log_was_evicted_holds_for_who_comes(server: Server, part: str) -> None:
    async with machine(server.url) as one:
        await one.save(answer(tags=("t",)))
        await one.purge(POST)
        await one.purge(deletion(Selector(Kind.TAG, "t")))
        server.command("del", f"swerve:{{default}}:{part}")
        await one.purge(deletion(Selector(Kind.TAG, "another")))
        async with machine(server.url) as other:
            assert not await usable(other, KEY)


@within(30)
async def test_a_purge_whose_news_were_evicted_is_obeyed_by_all(server: Server) -> None:
    async with machine(server.url) as one:
        await one.save(answer())
        await one.purge(deletion(Selector(Kind.TAG, "another")))
        assert at_once(one, KEY)
        purge = deletion()
        async with Redis.from_url(server.url) as other, other.pipeline(transaction=True) as both:
            both.execute_command(*scripts.tell(Names("default"), ("purge", encode_purge(purge), "another"), purge))
            both.execute_command("DEL", Names("default").news)
            assert await both.execute() == [2, 1]
        await come_true(lambda: not at_once(one, KEY), BOUND + SLACK)
        assert not await usable(one, KEY)


@within(30)
async def test_a_replica_that_lags_takes_over(server: Server) -> None:
    with redis_server() as replica:
        replica.command("replicaof", "127.0.0.1", str(server.port))
        async with way_to(server.port) as way, machines(way.url, way.url) as (one, other):
            await one.purge(deletion())
            await one.save(answer(fetched_under=1))
            await come_true(lambda: "master_link_status:up" in replica.command("info", "replication"))
            await come_true(lambda: replica.command("hget", "swerve:{default}:log", "number") == "1")
            await come_true(lambda: replica.command("dbsize") == server.command("dbsize"))
            replica.command("replicaof", "no", "one")
            assert await one.purge(deletion(Selector(Kind.TAG, "lost"))) == 2
            assert await one.purge(deletion()) == 3
            await come_true(lambda: other.purge_number() == 3)
            way.lead_to(replica.port)
            async with machine(replica.url) as fresh:  # which has never heard of the lost two
                await come_true(lambda: fresh.purge_number() == one.purge_number() == other.purge_number() > 3)
                for store in (one, other, fresh):
                    assert not await usable(store, KEY)


@within(30)
async def test_a_replica_that_lags_and_has_gone_on(server: Server) -> None:
    """It looks longer than the lost log: only that its news follow upon others tells."""
    with redis_server() as replica:
        replica.command("replicaof", "127.0.0.1", str(server.port))
        async with way_to(server.port) as way, machine(way.url) as one:
            await one.save(answer())
            await come_true(lambda: replica.command("dbsize") == server.command("dbsize"))
            replica.command("replicaof", "no", "one")
            assert await one.purge(deletion()) == 1
            async with machine(replica.url) as fresh:
                for number in range(1, 4):
                    assert await fresh.purge(deletion(Selector(Kind.TAG, "other"))) == number
                assert await usable(fresh, KEY), "nobody could know"
                way.lead_to(replica.port)
                await come_true(lambda: fresh.purge_number() == one.purge_number() > 3)
                assert not await usable(fresh, KEY), "once anybody who knew has spoken to it"
                assert not await usable(one, KEY)


@within(30)
async def test_what_it_refuses_to_keep_is_not_kept_and_not_an_error(server: Server) -> None:
    async with machine(server.url) as store:
        await store.save(answer())
        server.command("config", "set", "maxmemory", "1", "maxmemory-policy", "noeviction")
        await store.save(answer(HOME))
        assert not await store.lookup(HOME)
        assert await store.lookup(KEY)
        assert store.state().counts["refusals"] >= 1
        assert store.state().trouble is None


@within(30)
async def test_who_knew_less_begins_a_lost_log_and_who_knew_more_begins_it_once_again(server: Server) -> None:
    async with (
        way_to(server.port) as way, way_to(server.port) as other_way,
        machine(way.url) as knows, machine(other_way.url) as knows_less,
    ):  # fmt: skip
        other_way.passing.clear()
        for number in range(1, 6):
            assert await knows.purge(deletion(Selector(Kind.URL, "/elsewhere"))) == number
        way.passing.clear()
        server.command("flushall")
        other_way.passing.set()
        await come_true(lambda: knows_less.purge_number() == 1)
        await knows_less.save(answer(fetched_under=1))
        assert await usable(knows_less, KEY)
        way.passing.set()
        await come_true(lambda: knows.purge_number() == knows_less.purge_number() > 5)
        assert not await usable(knows_less, KEY)
        await knows.save(answer(number=1, fetched_under=5))
        assert not await usable(knows, KEY), "it was asked for under a log that is no more"
