"""The ways to a Redis: TLS, passwords, unix sockets, clusters; and what is said of one that will not do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from app.core.purging import Kind, Selector
from app.store.base import StoreError
from app.store.redis.store import RedisStore
from tests.live.processes import LOOPBACK
from tests.live.redis_machines import come_true, deletion, machine, machines, usable
from tests.live.redis_server import Server, free_port, redis_cluster, redis_server
from tests.live.swerve import ROOT, within
from tests.store.examples import BLOG, KEY, answer, by, names

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def plain() -> Iterator[Server]:
    with redis_server() as one:
        yield one


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """By TLS alone, for clients with a certificate of our authority, and with a password. Yields what follows `@`."""
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name, holder in (("server", LOOPBACK), ("client", "client@example.com")):
        made = authority.issue_cert(holder)
        made.private_key_pem.write_to_path(folder / f"{name}.key")
        with (folder / f"{name}.pem").open("wb") as chain:
            for one in made.cert_chain_pems:
                chain.write(one.bytes())
    port = free_port()
    files = [f"--tls-{what}-file {folder}/{name}" for what, name in (("cert", "server.pem"), ("key", "server.key"))]
    words = " ".join([*files, f"--tls-ca-cert-file {folder}/ca.pem", f"--tls-port {port}"]).split()
    (folder / "users").write_text("user ann on >p@ss:w/rd ~* &* +@all\nuser default on >another ~* &* +@all\n")
    with redis_server(*words, "--aclfile", f"{folder}/users"):
        yield f"{LOOPBACK}:{port}?ca={folder}/ca.pem&cert={folder}/client.pem&key={folder}/client.key"


async def does_all(store: RedisStore, other: RedisStore) -> None:
    """Everything that a store does, once: for those ways that the contract suite does not go."""
    await store.save(BLOG)
    assert await usable(other, KEY) == [BLOG]
    await store.replace(BLOG, newer := answer(number=1, tags=("b c",)))
    await come_true(lambda: not other.find(KEY))
    assert await usable(other, KEY) == [newer]
    assert await names(other, by(Kind.TAG, "b c")) == await names(other) == [KEY]
    assert await store.lease(KEY, 60.0)
    assert not await other.lease(KEY, 60.0)
    await store.release(KEY)
    marks = list[tuple[str, bool]]()
    other.watch_marks(lambda key, cacheable: marks.append((key, cacheable)))
    await store.mark(KEY, cacheable=False)
    await come_true(lambda: marks == [(KEY, False)])
    number = await store.purge(deletion(Selector(Kind.TAG, "b c")))
    await come_true(lambda: other.purge_number() == number)
    assert not await usable(other, KEY)
    assert await store.sweep() == 1
    assert await names(other) == []
    await store.remove(newer)
    await come_true(lambda: other.find(KEY) is None)
    assert not await other.lookup(KEY)
    assert [one.state().trouble for one in (store, other)] == [None, None]


@within(30)
async def test_by_a_unix_socket_and_another_database(tmp_path: Path) -> None:
    with redis_server("--unixsocket", f"{tmp_path}/redis.sock", "--port", "0"):
        url = f"redis+unix://{tmp_path}/redis.sock?db=3"
        async with machines(url, url) as (one, other):
            await does_all(one, other)


@within(30)
async def test_by_tls_with_user_and_password(guarded: str) -> None:
    url = f"rediss://ann:p%40ss%3Aw%2Frd@{guarded}"
    async with machines(url, url) as (one, other):
        await does_all(one, other)


WRONG = [
    ("a wrong password", "rediss://ann:secret@{guarded}", "user or password is wrong"),
    ("no password", "rediss://{guarded}", "it wants a password"),
    ("an authority that is not trusted", "rediss://ann:secret@{untrusted}", "name its authority with ?ca="),
    ("a password for one that has none", "redis://:secret@{plain}", "it has no password"),
    ("a database that is not there", "redis://{plain}/99", "no database of that number"),
    ("a cluster that is none", "redis+cluster://{plain}", "it is no Redis Cluster"),
]


@pytest.mark.parametrize(("url", "advice"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_will_not_mend_stops_the_start_with_advice(plain: Server, guarded: str, url: str, advice: str) -> None:
    places = {"guarded": guarded, "untrusted": guarded.partition("?")[0], "plain": f"{LOOPBACK}:{plain.port}"}

    @within(20)
    async def start() -> None:
        with pytest.raises(StoreError) as told:
            async with machine(url.format_map(places)):
                pass
        assert advice in str(told.value)
        assert "secret" not in str(told.value)
        assert str(told.value).startswith(url.partition("//")[0])

    start()


@within(20)
async def test_a_node_of_a_cluster_is_not_taken_for_a_redis_of_its_own(cluster: str) -> None:
    async def start_all() -> None:
        for place in range(64):  # the log of some of these lies on another node
            async with machine(f"{cluster.replace('+cluster', '')}?namespace={place}"):
                pass

    with pytest.raises(StoreError, match=r"write redis\+cluster://"):
        await start_all()


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with redis_cluster() as url:
        yield url


@within(30)
async def test_a_cluster_takes_all_and_spreads_it(cluster: str) -> None:
    async with machines(cluster, cluster) as (one, other):
        await does_all(one, other)
        keys = [f"{KEY}{place}" for place in range(60)]
        for key in keys:
            await one.save(answer(key, tags=("a",)))
        assert sorted(await names(other, by(Kind.TAG, "a"))) == await names(other) == sorted(keys)


def test_the_contract_holds_over_a_cluster(cluster: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/store", "-k", "[redis", "-q", "-x", "-p", "no:cacheprovider"],
        cwd=ROOT, env={**os.environ, "CONTRACT_REDIS": cluster}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5_000:]
    assert " passed" in done.stdout


@within(60)
async def test_a_cluster_that_dies_is_no_error() -> None:
    with ExitStack() as stack:
        url = stack.enter_context(redis_cluster())
        async with machine(url) as store:
            for place in range(30):
                await store.save(answer(f"{KEY}{place}"))
            stack.close()
            for place in range(30):
                await store.lookup(f"{KEY}{place}")
                await store.save(answer(f"{KEY}{place}", number=1))
            with pytest.raises(StoreError):
                await store.purge(deletion())
            assert store.state().trouble is not None
