"""What the request path works with, and its bounds."""

from __future__ import annotations

from dataclasses import dataclass

import httpx2

from app.clock import MovedClock, Ordinals
from app.core.dialect import Dialect
from app.core.forwarding import Forwarding
from app.core.routing import Ruling
from app.flights import Flights
from app.journal import Journal
from app.spool import Budget
from app.store.base import Store
from app.tasks import Tasks
from app.uncacheable import Uncacheable
from app.upstream.client import Upstream
from app.upstream.origin import Origin


@dataclass(frozen=True, slots=True)
class Limits:
    """Background refreshes at a time. `deployment_field`: by which response field the origin says which deployment
    answers."""

    refreshes: int = 100
    deployment_field: str | None = None


@dataclass(frozen=True, slots=True)
class Lasting:
    """What a cache has one of for as long as it lives, whatever its settings become. `node`: by what name it is known
    in CDN-Loop. `room`: what bodies in flight may hold together. `ordinals` number the origin's answers."""

    node: str
    origin: Origin
    transport: httpx2.AsyncBaseTransport
    store: Store
    clock: MovedClock
    journal: Journal
    tasks: Tasks
    flights: Flights
    uncacheable: Uncacheable
    room: Budget
    ordinals: Ordinals


@dataclass(frozen=True, slots=True)
class Surroundings(Lasting):
    """What lasts, and beside it what follows from the settings: others, once these have changed, but who has begun with
    some goes on with them."""

    upstream: Upstream
    dialect: Dialect
    ruling: Ruling
    forwarding: Forwarding
    limits: Limits
