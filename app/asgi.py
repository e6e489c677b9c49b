"""The one place that knows every class: settings become a running cache."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
from starlette.types import Receive, Scope, Send

from app.admin.access import Desk
from app.admin.guard import made_token
from app.admin.purges import Purging
from app.altered import Reloaded
from app.clock import Clock, MovedClock, Ordinals
from app.core.purging import Kind, Mode, Purge, Selector
from app.fleet import Fleet, OneProcess
from app.flights import Flights
from app.journal import Journal
from app.memo import Memo
from app.reloading import Reloading, TakeUp
from app.serving import serving
from app.settings import Settings
from app.spool import Budget
from app.store.base import Store, StoreError
from app.store.memory import MemoryStore
from app.store.redis.address import Address, is_redis
from app.surroundings import Lasting, Surroundings
from app.tasks import Tasks
from app.uncacheable import Uncacheable
from app.upstream.transport import OriginTransport

SHARED_MEMORY = "memory:"

log = logging.getLogger("swerve")

# What bodies on their way into the store may hold together.
ROOM = 64 * 2**20


def itself(process: OneProcess) -> Fleet:
    """A fleet of one."""
    return process


async def nobody_else(_settings: Settings) -> None:
    """There is one process."""


@dataclass(frozen=True, slots=True)
class Company:
    """The processes of one Swerve, for one of them: by which `node` all are known in CDN-Loop, the `fleet` that they
    are together, and how the `others` are told what settings hold from now on."""

    node: str
    fleet: Callable[[OneProcess], Fleet] = itself
    others: TakeUp = nobody_else


class Application:
    """A running cache: `proxy` for its clients, `admin` for its operator. Both lead to what is `serving` by now, which
    is replaced as a whole when settings change. `before_change` are called before they hold, and may raise ConfigError.
    """

    def __init__(self, settings: Settings, lasting: Lasting, company: Company, reloading: Reloading) -> None:
        self.lasting, self._reloading, self._others = lasting, reloading, company.others
        self.stopping = asyncio.Event()
        self.process = OneProcess(lasting)
        purging = Purging(lasting.store, lasting.tasks, lasting.journal)
        self.desk = Desk(company.fleet(self.process), purging, self.stopping, self.reload)
        self.serving = serving(settings, lasting, self.desk)
        self.before_change: list[Callable[[Settings], None]] = []
        lasting.store.watch(self._forget)

    # No coroutines of their own: a hit would have to go through one more.

    def proxy(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self.serving(scope, receive, send)

    def admin(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self.serving.admin(scope, receive, send)

    @property
    def around(self) -> Surroundings:
        return self.serving.edge.around

    @property
    def memo(self) -> Memo | None:
        return self.serving.memo

    @property
    def made_token(self) -> str | None:
        """The admin token that nobody has given."""
        return made_token(self.serving.settings)

    async def open(self) -> None:
        """Be ready, on the running event loop: before the first request. Raises StoreError."""
        await self.lasting.store.open()
        if (advice := await self.lasting.store.advice()) is not None:
            log.warning("store: %s", advice)
        deployment = self.serving.settings.deployment
        if deployment not in (None, self.lasting.store.log.deployment):
            await self._announce(str(deployment))

    async def reload(self) -> Reloaded:
        """Read the settings again and answer by them, in all processes. Raises ConfigError, NotTakenUp."""
        return await self._reloading.again(lambda: self.serving.settings, self._take_up)

    def change(self, settings: Settings) -> None:
        """Answer by these settings from now on. Raises ConfigError, and then all is as before."""
        for prepare in self.before_change:
            prepare(settings)
        before, self.serving = self.serving, serving(settings, self.lasting, self.desk, self.serving)
        if before.memo is not None:
            before.memo.retire()

    async def aclose(self) -> None:
        await self.lasting.transport.aclose()
        await self.lasting.store.aclose()

    async def _take_up(self, settings: Settings) -> None:
        before = self.serving.settings.deployment
        self.change(settings)
        if settings.deployment not in (None, before):
            await self._announce(str(settings.deployment))
        await self._others(settings)

    async def _announce(self, deployment: str) -> None:
        announced = Selector(Kind.DEPLOYMENT, deployment)
        with suppress(StoreError):  # a Redis that is away hears of it as soon as it is back
            await self.lasting.store.purge(Purge(Mode.SOFT, announced, at=self.lasting.clock.now()))

    def _forget(self, key: str) -> None:
        if self.serving.memo is not None:
            self.serving.memo.forget(key)


def build(
    settings: Settings, *,
    clock: Clock | None = None, transport: httpx2.AsyncBaseTransport | None = None,
    reloading: Reloading | None = None, company: Company | None = None,
) -> Application:  # fmt: skip
    """A cache for these settings, which name an origin; alone, unless it has company."""
    origin, verify = settings.origin, settings.origin_verify
    assert origin is not None, "the demo puts its own origin in"
    company, tasks, store = company or Company(new_node()), Tasks(), store_of(settings)
    http_time = MovedClock(store.log) if clock is None else MovedClock(store.log, clock.now)

    def patience(key: str) -> float:
        return application.around.ruling.of_key(key).uncacheable_memory

    lasting = Lasting(
        node=company.node,
        origin=origin,
        transport=transport or OriginTransport(origin, verify=verify, limit=settings.max_connections_upstream),
        store=store,
        clock=http_time,
        journal=Journal(),
        tasks=tasks,
        flights=Flights(),
        uncacheable=Uncacheable(store, tasks, patience, http_time.now),
        room=Budget(ROOM),
        ordinals=Ordinals(),
    )
    application = Application(settings, lasting, company, reloading or Reloading(settings))
    return application


def store_of(settings: Settings) -> Store:
    """Where responses are kept: in this process's memory, in a folder (LMDB), or in Redis with as much in front. The
    folder that workers share instead of their memory is written as `memory:/…`."""
    if settings.store == "memory":
        return MemoryStore(settings.max_size)
    if is_redis(settings.store):
        from app.store.redis.store import RedisStore  # noqa: PLC0415 - the library takes long to import

        # With tasks of its own: those of the request path are waited for at the end, while it is still needed.
        return RedisStore(Address.of(settings.store), settings.max_size, Tasks().start)
    from app.store.disk.store import DiskStore  # noqa: PLC0415 - and so does LMDB, which most do not use

    shared_memory = settings.store.startswith(SHARED_MEMORY)
    return DiskStore(Path(settings.store.removeprefix(SHARED_MEMORY)), settings.max_size, durable=not shared_memory)


def new_node() -> str:
    """A name by which one Swerve knows itself."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(5))
