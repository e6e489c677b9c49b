"""What the request path works with, and its bounds."""

from __future__ import annotations

from dataclasses import dataclass

from app.clock import MovedClock
from app.core.dialect import Dialect
from app.core.forwarding import Forwarding
from app.core.routing import Ruling
from app.journal import Journal
from app.store.base import Store
from app.tasks import Tasks
from app.upstream.client import Upstream


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds: background refreshes at a time, bytes that bodies in flight may hold together. `deployment_field`: by
    which response field the origin says which deployment answers."""

    refreshes: int = 100
    spooled: int = 64 * 2**20
    deployment_field: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One of each, for the life of a cache."""

    store: Store
    upstream: Upstream
    dialect: Dialect
    ruling: Ruling
    forwarding: Forwarding
    clock: MovedClock
    journal: Journal
    tasks: Tasks
    limits: Limits
