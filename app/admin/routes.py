"""The table of operations, and what is made of it: routes, the index, the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import __version__
from app.admin import clock, config, deployments, health, prerendered, purging, reload, reset, stored, table, why
from app.admin import decisions as seen
from app.admin.access import Access
from app.admin.openapi import document
from app.admin.operation import Operation
from app.admin.problems import answer


@dataclass(frozen=True, slots=True)
class Index:
    """`paths`: method and path of every operation."""

    name: str
    version: str
    paths: tuple[str, ...]


async def index(_access: Access, _request: Request) -> Response:
    """Where the banner's link leads."""
    return answer(Index("swerve", __version__, tuple(f"{one.method} {one.path}" for one in OPERATIONS)))


async def openapi(_access: Access, _request: Request) -> Response:
    return answer(document(OPERATIONS))


# What other parts of the admin side bring along is added here, and is then in the index and in the document.
OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/", index, "what there is", Index),
    *health.OPERATIONS,
    *stored.OPERATIONS,
    *purging.OPERATIONS,
    *deployments.OPERATIONS,
    *clock.OPERATIONS,
    *prerendered.OPERATIONS,
    *why.OPERATIONS,
    *table.OPERATIONS,
    *seen.OPERATIONS,
    *config.OPERATIONS,
    *reload.OPERATIONS,
    *reset.OPERATIONS,
    Operation("GET", "/openapi.json", openapi, "this interface as an OpenAPI 3.1 document", dict[str, Any]),
)


def routes(access: Access) -> list[Route]:
    """One for each path: its methods are told together when another is tried."""
    paths = dict.fromkeys(one.path for one in OPERATIONS)
    return [_route(access, path, [one for one in OPERATIONS if one.path == path]) for path in paths]


def _route(access: Access, path: str, operations: Sequence[Operation]) -> Route:
    by_method = {one.method: partial(one.answering, access) for one in operations}

    async def answering(request: Request) -> Response:
        return await by_method["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, answering, methods=list(by_method))
