"""The admin side of a running cache: its operations, guarded."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from app.admin.access import Access
from app.admin.guard import Guard, admin_token
from app.admin.problems import Problem, told, translated, unacknowledged
from app.admin.routes import routes
from app.admin.vendors.carrying import Carrying
from app.admin.vendors.routes import vendor_routes
from app.store.base import StoreError


def admin_app(access: Access, carrying: Carrying) -> Starlette:
    """The native operations, and those of vendors, which are carried out like them."""
    settings = access.settings
    return Starlette(
        routes=[*routes(access), *vendor_routes(access.around, carrying)],
        middleware=[Middleware(Guard, settings.admin, admin_token(settings))],
        exception_handlers={Problem: told, HTTPException: translated, StoreError: unacknowledged},
    )
