"""The admin side of a running cache: its operations, guarded."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from app.admin.access import Access
from app.admin.guard import Guard, admin_token
from app.admin.problems import Problem, told, translated, unacknowledged
from app.admin.routes import routes
from app.admin.vendors.routes import vendor_routes
from app.engine import Engine
from app.fleet import Fleet
from app.settings import Settings
from app.store.base import StoreError


def admin_app(engine: Engine, settings: Settings, fleet: Fleet, stopping: asyncio.Event) -> Starlette:
    """`stopping` ends what would never end by itself."""
    return Starlette(
        routes=[*routes(Access(engine, settings, fleet, stopping)), *vendor_routes(engine.around)],
        middleware=[Middleware(Guard, settings.admin, admin_token(settings))],
        exception_handlers={Problem: told, HTTPException: translated, StoreError: unacknowledged},
    )
