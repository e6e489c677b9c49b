"""What answers: everything that follows from the settings, built around what outlives them.

When settings change another one of these is built and takes the place of the first, as a whole: whoever has begun with
that one ends with it, and nothing has to be told that it is another now.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from starlette.types import ASGIApp, Receive, Scope, Send

from app.admin.access import Access, Desk
from app.admin.api import admin_app
from app.admin.guard import admin_token
from app.admin.vendors.carrying import Carrying
from app.admin.vendors.purge_method import PurgeMethod
from app.core.dialect import Dialect
from app.core.forwarding import Forwarding
from app.core.routing import Ruling
from app.edge import Edge
from app.engine import Engine
from app.identity import Identities
from app.late import Late
from app.memo import Memo
from app.settings import Settings
from app.surroundings import Lasting, Limits, Surroundings
from app.upstream.client import Timeouts, Upstream
from app.upstream.dial import unverified
from app.upstream.origin import Origin
from app.websocket import Tunnel


@dataclass(frozen=True, slots=True)
class Serving:
    """The data path as one ASGI application: HTTP through the cache, WebSockets through the tunnel, and what purges, if
    it may come in here, before both. Our own server asks the `memo` first.

    Plain ASGI: Starlette's routing would cost every hit more than the hit itself (its place is the `admin` side).
    """

    settings: Settings
    edge: Edge
    tunnel: Tunnel
    memo: Memo | None
    purging: PurgeMethod | None
    admin: ASGIApp
    scheme: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = (self.purging or self.edge) if scope["type"] == "http" else self.tunnel
        await handler(scope, receive, send)

    @property
    def bans(self) -> bool:
        """Whether BAN and PURGEKEYS are methods here."""
        return self.purging is not None


def serving(settings: Settings, lasting: Lasting, desk: Desk, before: Serving | None = None) -> Serving:
    """What answers by these settings from now on, after the one `before`."""
    around = surroundings(settings, lasting)
    dialect, engine, scheme = settings.dialect, Engine(around), "https" if settings.tls_cert else "http"
    identities = Identities(dialect.identity, lasting.node, around.clock)
    late = Late(identities, needed=dialect.has_late_slots, before=None if before is None else before.edge.late)
    memo = Memo(engine, scheme, late) if settings.memo else None
    edge = Edge(engine, late, memo, desk.stopping)
    websocket_tls = None if settings.origin_verify else unverified()  # the library's default verifies
    tunnel = Tunnel(lasting.origin, around, open_timeout=settings.timeout_first_byte, ssl=websocket_tls)
    access = Access(engine, settings, desk)
    carrying = Carrying(access.purging, around.ruling)
    purging = purge_method(edge, around, carrying, settings)
    return Serving(settings, edge, tunnel, memo, purging, admin_app(access, carrying), scheme)


def surroundings(settings: Settings, lasting: Lasting) -> Surroundings:
    timeouts = Timeouts(settings.timeout_connect, settings.timeout_first_byte, settings.timeout_idle)
    return Surroundings(
        **{one.name: getattr(lasting, one.name) for one in fields(lasting)},
        upstream=Upstream(lasting.origin, lasting.transport, timeouts),
        dialect=settings.dialect,
        ruling=Ruling(settings.dialect.rules, settings.routes),
        forwarding=forwarding(settings, lasting.origin, settings.dialect, lasting.node),
        limits=Limits(settings.max_refreshes, settings.deployment_header),
    )


def purge_method(edge: Edge, around: Surroundings, carrying: Carrying, settings: Settings) -> PurgeMethod | None:
    """What stands in front of the edge where purges come in on the proxy's own port."""
    tokens = {"open": None, "token": admin_token(settings)}
    how = settings.purge_method
    return PurgeMethod(edge, around, carrying, tokens[how]) if how in tokens else None


def forwarding(settings: Settings, origin: Origin, dialect: Dialect, node: str) -> Forwarding:
    hosts = {"preserve": None, "origin": origin.authority}
    return Forwarding(
        node=node,
        host=hosts.get(settings.host_header, settings.host_header),
        trust=settings.trust_forwarded,
        stripped=dialect.stripped_from_requests,
        passed=dialect.passed_from_requests,
        announced=dialect.announced,
        confined=dialect.confined,
        identity_field=dialect.identity.name if dialect.identity else None,
        preview=dialect.rules.preview,
    )
