"""The one place that knows every class: settings become a running cache."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from app.admin.access import Access
from app.admin.api import admin_app
from app.admin.guard import admin_token, made_token
from app.admin.vendors.carrying import Carrying
from app.admin.vendors.purge_method import PurgeMethod
from app.clock import Clock, MovedClock
from app.core.dialect import Dialect
from app.core.forwarding import Forwarding
from app.core.purging import Kind, Mode, Purge, Selector
from app.core.routing import Ruling
from app.edge import Edge
from app.engine import Engine
from app.fleet import Fleet, OneProcess
from app.identity import Identities
from app.journal import Journal
from app.late import Late
from app.memo import Memo
from app.settings import Settings
from app.store.base import Store, StoreError
from app.store.memory import MemoryStore
from app.store.redis.address import Address, is_redis
from app.surroundings import Limits, Surroundings
from app.tasks import Tasks
from app.upstream.client import Timeouts, Upstream
from app.upstream.dial import unverified
from app.upstream.origin import Origin
from app.upstream.transport import OriginTransport
from app.websocket import Tunnel

SHARED_MEMORY = "memory:"

log = logging.getLogger("swerve")


def itself(process: OneProcess) -> Fleet:
    """A fleet of one."""
    return process


@dataclass(frozen=True, slots=True)
class Proxy:
    """The data path as one ASGI application: HTTP through the cache, WebSockets through the tunnel, and what purges, if
    it may come in here, before both.

    Plain ASGI: Starlette's routing would cost every hit more than the hit itself (its place is the admin side).
    """

    edge: Edge
    tunnel: Tunnel
    purging: PurgeMethod | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = (self.purging or self.edge) if scope["type"] == "http" else self.tunnel
        await handler(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Application:
    """A cache, built: `proxy` for its clients, `admin` for its operator. Our own server asks the `memo` first."""

    proxy: Proxy
    admin: ASGIApp
    around: Surroundings
    memo: Memo | None
    made_token: str | None = None
    deployment: str | None = None

    async def open(self) -> None:
        """Be ready, on the running event loop: before the first request. Raises StoreError."""
        store = self.around.store
        await store.open()
        if (advice := await store.advice()) is not None:
            log.warning("store: %s", advice)
        if self.deployment not in (None, store.log.deployment):
            announced = Selector(Kind.DEPLOYMENT, str(self.deployment))
            with suppress(StoreError):  # a Redis that is away hears of it as soon as it is back
                await store.purge(Purge(Mode.SOFT, announced, at=self.around.clock.now()))

    async def aclose(self) -> None:
        await self.around.upstream.aclose()
        await self.around.store.aclose()


def build(
    settings: Settings, *,
    clock: Clock | None = None, transport: httpx2.AsyncBaseTransport | None = None,
    node: str | None = None, fleet: Callable[[OneProcess], Fleet] = itself,
) -> Application:  # fmt: skip
    """A cache for these settings, which name an origin. `node`: by what name it is known in CDN-Loop, the same for all
    processes of one Swerve; `fleet` makes this one all of them, where they are several."""
    origin, dialect, verify = settings.origin, settings.dialect, settings.origin_verify
    assert origin is not None, "the demo puts its own origin in"
    timeouts = Timeouts(settings.timeout_connect, settings.timeout_first_byte, settings.timeout_idle)
    transport = transport or OriginTransport(origin, verify=verify, limit=settings.max_connections_upstream)
    tasks, store = Tasks(), store_of(settings)
    around = Surroundings(
        store=store,
        upstream=Upstream(origin, transport, timeouts),
        dialect=dialect,
        ruling=Ruling(dialect.rules, settings.routes),
        forwarding=forwarding(settings, origin, dialect, node or new_node()),
        clock=MovedClock(store.log) if clock is None else MovedClock(store.log, clock.now),
        journal=Journal(),
        tasks=tasks,
        limits=Limits(refreshes=settings.max_refreshes, deployment_field=settings.deployment_header),
    )
    engine = Engine(around)
    late = Late(Identities(dialect.identity, around.forwarding.node, around.clock), needed=dialect.has_late_slots)
    memo = Memo(engine, "https" if settings.tls_cert else "http", late) if settings.memo else None
    edge = Edge(engine, late, memo)
    websocket_tls = None if verify else unverified()  # the library's default verifies
    tunnel = Tunnel(origin, around, open_timeout=settings.timeout_first_byte, ssl=websocket_tls)
    access = Access(engine, settings, fleet(OneProcess(engine.fetcher)), edge.stopping)
    carrying = Carrying(access.purging, dialect.rules)
    proxy = Proxy(edge, tunnel, purging(edge, around, carrying, settings))
    return Application(proxy, admin_app(access, carrying), around, memo, made_token(settings), settings.deployment)


def purging(edge: Edge, around: Surroundings, carrying: Carrying, settings: Settings) -> PurgeMethod | None:
    """What stands in front of the edge where purges come in on the proxy's own port."""
    tokens = {"open": None, "token": admin_token(settings)}
    how = settings.purge_method
    return PurgeMethod(edge, around, carrying, tokens[how]) if how in tokens else None


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


def forwarding(settings: Settings, origin: Origin, dialect: Dialect, node: str) -> Forwarding:
    hosts = {"preserve": None, "origin": origin.authority}
    return Forwarding(
        node=node,
        host=hosts.get(settings.host_header, settings.host_header),
        trust=settings.trust_forwarded,
        stripped=dialect.stripped_from_requests,
        announced=dialect.announced,
        confined=dialect.confined,
        identity_field=dialect.identity.name if dialect.identity else None,
        preview=dialect.rules.preview,
    )
