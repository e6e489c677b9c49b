"""Answers of the admin side: JSON that nobody keeps, and errors as problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FIXED = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Problem(Exception):
    """`detail` names what is wrong with which value, and what to write instead."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def answer(content: Any, status: int = 200) -> Response:
    """`content` as JSON; dataclasses become objects."""
    content = asdict(content) if is_dataclass(content) and not isinstance(content, type) else content
    return Response(_written(content), status, FIXED, "application/json")


def problem(error: Problem) -> Response:
    title = HTTPStatus(error.status).phrase
    content = {"type": "about:blank", "title": title, "status": error.status, "detail": error.detail}
    return Response(_written(content), error.status, {**FIXED, **error.headers}, "application/problem+json")


def _written(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode(errors="replace") + b"\n"


async def told(_request: Request, error: Exception) -> Response:
    """Starlette's exception handler for a Problem."""
    assert isinstance(error, Problem)
    return problem(error)


async def translated(request: Request, error: Exception) -> Response:
    """Starlette's exception handler for its own errors: an unknown path, or a method that a path has not."""
    assert isinstance(error, HTTPException)
    details = {
        404: f"nothing is at {request.url.path!r}; see {' '.join(sorted(_paths(request)))}",
        405: f"{request.method} is not for {request.url.path!r}; send {(error.headers or {}).get('Allow', 'GET')}",
    }
    return problem(Problem(error.status_code, details.get(error.status_code, error.detail), error.headers))


def _paths(request: Request) -> set[str]:
    """Our own: those in the shapes of others are no help to who has lost the way."""
    return {route.path for route in request.app.routes if getattr(route, "include_in_schema", False)}


async def unacknowledged(_request: Request, error: Exception) -> Response:
    """Starlette's exception handler for a store that could not carry something out."""
    return problem(Problem(503, f"not acknowledged: {error}; ask again once the store is back"))
