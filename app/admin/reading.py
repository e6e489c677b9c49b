"""Requests to the admin side, read: JSON bodies and query parameters, with a Problem for what cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request

from app.admin.problems import Problem
from app.config_error import nearest

LARGEST = 2**20


async def body_within(request: Request, largest: int) -> bytes | None:
    """None where it is larger."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            return None
    return bytes(body)


async def body_of(request: Request, largest: int = LARGEST) -> bytes:
    """Raises Problem."""
    body = await body_within(request, largest)
    if body is None:
        raise Problem(413, f"the body is larger than {largest} bytes; send less at a time")
    return body


def json_object(body: bytes, known: Iterable[str], example: str) -> dict[str, Any]:
    """A JSON object with none but the `known` keys. Raises Problem; `example` is what its message says to write."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"the body is not JSON: {error}; write {example}") from None
    if any("\ud800" <= character <= "\udfff" for character in json.dumps(given, ensure_ascii=False)):
        raise Problem(400, "the body holds half a surrogate pair; write characters whole")
    if not isinstance(given, dict):
        raise Problem(400, f"the body is a {type(given).__name__}; write an object, like {example}")
    reject_unknown(given, known, "{} is unknown; {}")
    return given


def reject_unknown(names: Iterable[str], known: Iterable[str], message: str) -> None:
    """Raise Problem for the first name that is not known; `message` has places for it and for what to write."""
    known = tuple(known)
    for name in names:
        if name not in known:
            raise Problem(400, message.format(name, nearest(name, known)))


def query_of(request: Request, known: Iterable[str]) -> dict[str, str]:
    """The query parameters. Raises Problem for one that is unknown, or comes twice."""
    pairs = request.query_params.multi_items()
    known = tuple(known)
    reject_unknown((name for name, _ in pairs), known, "the query parameter {} is unknown; {}" if known else
                   "the query parameter {} is unknown; there is none here")  # fmt: skip
    found = dict(pairs)
    for name in found:
        if len([one for one, _ in pairs if one == name]) > 1:
            raise Problem(400, f"the query parameter {name} comes twice; write it once")
    return found


def number_in(query: dict[str, str], name: str, default: int, least: int = 0, most: int = 2**63 - 1) -> int:
    """A whole number. Raises Problem."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        bound = f" to {most}" if most < 2**63 - 1 else ""
        raise Problem(400, f"{name} is {text!r}; write a whole number from {least}{bound}")
    return int(text)
