"""The link to Redis: every batch of commands has a deadline, and while Redis is away nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    MaxConnectionsError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.store.base import StoreError
from app.store.redis.address import Address
from app.store.redis.scripts import Command

log = logging.getLogger("swerve")

# Commands at a time; who comes when all are under way waits, within its deadline.
CONNECTIONS, APART = 32, 3
# A body may take longer than the deadline, by what it takes at so many bytes a second.
SLOWEST = 20 * 2**20
# So many deadlines missed in a row mean that Redis is away; a connection that cannot be had, or breaks, at once.
MISSED = 3
# What nothing exceeds, seconds: for what has no deadline of its own.
LONGEST = 2.0
# Seconds for a connection that is broken off to have gone.
LEAVING = 0.2
# Nodes of clusters that are remembered, to close their connections: a cluster has at most a thousand.
MOST_NODES = 4_000
# For how long nobody tries after that, at least, and after each next time within STEADY seconds twice as long, up to…
PAUSE, LONGEST_PAUSE, STEADY = 0.5, 5.0, 10.0

Client = Redis | RedisCluster
# All that the library raises, and what it lets through.
FAILURES = (TimeoutError, OSError, RedisError, RedisClusterException)


class Away(StoreError):
    """Redis could not be asked, or did not answer in time."""


class Refused(StoreError):
    """Redis answered that it will not."""


class Link:
    """Sends batches to one Redis. `counts` are those of the store's state."""

    def __init__(self, address: Address, timeout: float) -> None:
        self.address, self.timeout = address, timeout
        self.counts = {"errors": 0, "timeouts": 0, "refusals": 0, "outages": 0}
        self._client: Client | None = None
        self._apart: Client | None = None
        # Those of a cluster: the library forgets which have failed, and leaves their connections open.
        self._nodes: dict[int, ClusterNode] = {}
        self._missed = 0
        self._away_since: float | None = None
        self._away_for = 0.0
        self._pause = 0.0
        self._not_before = self._back_at = 0.0

    @property
    def away(self) -> bool:
        return self._away_since is not None

    @property
    def seconds_away(self) -> float:
        """How long Redis has been away in all."""
        return self._away_for + (0.0 if self._away_since is None else monotonic() - self._away_since)

    def open(self) -> None:
        """To be called on the event loop; connects to nobody yet."""
        self._client, self._apart = _client(self.address, CONNECTIONS), _client(self.address, APART)

    async def aclose(self) -> None:
        for client in (self._client, self._apart):
            if client is not None:
                await _closed(client)
        await asyncio.gather(*[node.disconnect() for node in self._nodes.values()], return_exceptions=True)
        self._client = self._apart = None
        # The library does not wait for the end of what it breaks off, and a TLS connection takes leave first, for which
        # the other end must answer.
        if self.address.tls or self.address.cluster:
            loop = asyncio.get_running_loop()
            gone: asyncio.Future[None] = loop.create_future()
            loop.call_later(LEAVING, gone.set_result, None)
            await gone

    async def ask(self, *batch: Command, size: int = 0) -> list[Any]:
        """The answers to a batch, in its order. `size`: bytes that go with it. Raises Away, at once while Redis is
        away, and Refused."""
        if self.away or self._client is None:
            raise Away(f"{self.address.shown} is away")
        answers = await self._asked(self._client, batch, self.timeout + size / SLOWEST)
        self._missed = 0
        return answers

    async def ask_apart(self, *batch: Command, size: int = 0, blocked: float = 0.0) -> list[Any]:
        """The same on a connection of its own, also while Redis is away: an answer means that it is back. `size`: bytes
        that may come with it. `blocked`: seconds for which it may be held back."""
        if self._apart is None:
            raise Away(f"{self.address.shown} is away")
        answers = await self._asked(self._apart, batch, self.timeout + size / SLOWEST + blocked)
        self._answered()
        return answers

    async def policy(self) -> bytes:
        """What it does when its memory is full; b"" where only each node of a cluster could tell. Raises Away and
        Refused."""
        if self.address.cluster:
            return b""
        ((_, policy),) = await self.ask(("CONFIG", "GET", "maxmemory-policy"))
        return bytes(policy)

    async def keys(self, pattern: str) -> AsyncIterator[bytes]:
        """All keys that match, wherever they are. Raises Away and Refused."""
        if self.away or self._client is None:
            raise Away(f"{self.address.shown} is away")
        try:
            async for key in self._client.scan_iter(match=pattern, count=1_000):
                yield key
        except FAILURES as error:
            raise self._failed(error) from None

    async def _asked(self, client: Client, batch: tuple[Command, ...], seconds: float) -> list[Any]:
        if isinstance(client, RedisCluster):
            known = client.nodes_manager
            for node in (*known.nodes_cache.values(), *known.startup_nodes.values()):
                self._nodes[id(node)] = node
            while len(self._nodes) > MOST_NODES:
                del self._nodes[next(iter(self._nodes))]
        try:
            async with asyncio.timeout(seconds):
                return await _sent(client, batch)
        except FAILURES as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> StoreError:
        """What a failure means, and whether to stay away from Redis for a while."""
        words = f"{type(error).__name__}: {error}"[:200]
        if isinstance(error, ResponseError) and not isinstance(error, AuthenticationError):
            self.counts["refusals"] += 1
            return Refused(words)
        if isinstance(error, TimeoutError | RedisTimeoutError | MaxConnectionsError):
            self.counts["timeouts"] += 1
            self._missed += 1
            words = f"no answer within {self.timeout:g} s"
        else:
            self.counts["errors"] += 1
            self._missed = MISSED
        if self._missed >= MISSED and not self.away:
            self._stay_away(words)
        return Away(f"{self.address.shown}: {words}")

    def _stay_away(self, why: str) -> None:
        now = monotonic()
        steady = now - self._back_at > STEADY
        self._pause = PAUSE if steady or not self._pause else min(2 * self._pause, LONGEST_PAUSE)
        self._away_since, self._not_before = now, now + self._pause
        self.counts["outages"] += 1
        log.warning("store: %s is away (%s): the origin answers until it is back", self.address.shown, why)

    def _answered(self) -> None:
        now = monotonic()
        if self._away_since is None or now < self._not_before:
            return
        self._away_for += now - self._away_since
        log.warning("store: %s is back after %.1f s", self.address.shown, now - self._away_since)
        self._away_since, self._back_at, self._missed = None, now, 0


def _client(address: Address, connections: int) -> Client:
    # RESP 2: with RESP 3 the library would take maintenance notices, and no longer see that a connection that waits
    # its turn has bytes left over from another's answer.
    common: dict[str, Any] = {
        "username": address.username, "password": address.password, "protocol": 2, "socket_timeout": LONGEST,
        "socket_connect_timeout": LONGEST, "retry": Retry(NoBackoff(), 0),
    }  # fmt: skip
    files = {"ssl_ca_certs": address.ca, "ssl_certfile": address.cert, "ssl_keyfile": address.key}
    if address.cluster:
        common |= {"ssl": True, **files} if address.tls else {}
        return RedisCluster(address.host, address.port, max_connections=connections, **common)
    common |= {"db": address.db, "max_connections": connections, "timeout": None}
    if address.path is not None:
        return Redis.from_pool(
            BlockingConnectionPool(connection_class=UnixDomainSocketConnection, path=address.path, **common)
        )
    common |= {"host": address.host, "port": address.port, **(files if address.tls else {})}
    connection = SSLConnection if address.tls else Connection
    return Redis.from_pool(BlockingConnectionPool(connection_class=connection, **common))


async def _sent(client: Client, batch: tuple[Command, ...]) -> list[Any]:
    if len(batch) == 1:
        return [await client.execute_command(*batch[0])]
    pipeline: Any = client.pipeline(transaction=False) if isinstance(client, Redis) else client.pipeline()
    for command in batch:
        pipeline.execute_command(*command)
    answers: list[Any] = await pipeline.execute(raise_on_error=False)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


async def _closed(client: Client) -> None:
    if isinstance(client, Redis):
        await client.aclose(close_connection_pool=True)
    else:
        await client.aclose()


# What a name and a password, or a kind of server, can have wrong: no waiting will mend it.
MISCONFIGURED = {
    "WRONGPASS": "user or password is wrong: write redis://user:password@host:6379/0",
    "NOAUTH": "it wants a password: write redis://:password@host:6379/0",
    "Authentication required": "it wants a password: write redis://:password@host:6379/0",
    "invalid password": "the password is wrong",
    "invalid username-password": "user or password is wrong: write redis://user:password@host:6379/0",
    "without any password configured": "it has no password: leave it out of the URL",
    "NOPERM": "the user may not do all that is needed",
    "MOVED": "it is a Redis Cluster: write redis+cluster://host:port",
    "Cluster mode is not enabled": "it is no Redis Cluster: write redis://host:port/0",
    "cluster support disabled": "it is no Redis Cluster: write redis://host:port/0",
    "DB index is out of range": "it has no database of that number",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted: name its authority with ?ca=/path/ca.pem",
    "unknown command": "it is too old: Redis 5 or newer is needed, or any Valkey",
}


def misconfigured(error: BaseException) -> str | None:
    """What to change, if that is what an error means."""
    return next((advice for sign, advice in MISCONFIGURED.items() if sign.lower() in str(error).lower()), None)
