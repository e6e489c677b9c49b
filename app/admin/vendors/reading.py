"""What the bodies of several vendors have in common: JSON objects, lists of names, URLs. All raise Rejected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from app.admin.vendors.calls import Call, Fault, Rejected
from app.config_error import nearest
from app.core.fields import AUTHORITY
from app.core.key import normal_authority
from app.core.purging import Kind, Selector, without_flight
from app.targets import encoded, target_in


def fields(call: Call, known: Sequence[str]) -> dict[str, Any]:
    """The body as an object with no other fields than these."""
    try:
        given = json.loads(call.body)
    except (ValueError, RecursionError) as error:
        raise Rejected(Fault.UNREADABLE, f"the body is not JSON: {error}; write an object") from None
    if not isinstance(given, dict):
        raise Rejected(Fault.UNREADABLE, f"the body is a {type(given).__name__}; write an object")
    for name in given:
        if name not in known:
            raise Rejected(Fault.UNKNOWN, f"{name} is unknown; {nearest(name, known)}")
    return given


def items(value: object, name: str, *, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise Rejected(Fault.VALUE, f"{name} is a {type(value).__name__}; write a list")
    if len(value) > most:
        raise Rejected(Fault.TOO_MANY, f"{name} has {len(value)} items; send at most {most} at a time")
    return value


def tags(values: Iterable[object], name: str, *, longest: int) -> list[str]:
    """Each once. `longest` in bytes."""
    return list(dict.fromkeys(_tag(value, name, longest) for value in values))


def _tag(value: object, name: str, longest: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Rejected(Fault.VALUE, f"{name} holds {value!r}, which is no tag; write text")
    if not value.isprintable() or len(value.encode(errors="replace")) > longest:
        raise Rejected(Fault.VALUE, f"{name} holds a tag that no field carries; write text of at most {longest} bytes")
    return value.strip()


def text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise Rejected(Fault.VALUE, f"{name} is {value!r}; write text")
    return value


def host(value: object, name: str) -> str:
    """An authority as it stands in cache keys."""
    written = text(value, name)
    if AUTHORITY.fullmatch(written) is None:
        raise Rejected(Fault.VALUE, f"{name} has {written!r}, which is no host; write one like www.example.com")
    return normal_authority("http", written)


def url(value: object, name: str) -> Selector:
    """One URL with all its variants. Without a scheme it begins with the host."""
    written = text(value, name)
    try:
        parts = urlsplit(written if "://" in written else f"http://{written}")
        there = parts.scheme in ("http", "https") and AUTHORITY.fullmatch(parts.netloc) is not None
    except ValueError:
        there = False
    if not there:
        raise Rejected(
            Fault.VALUE, f"{name} has {written!r}, which is no URL; write one like https://www.example.com/a"
        )
    authority = normal_authority(parts.scheme, parts.netloc)
    return Selector(Kind.URL, target(target_in(parts)), authority)


def target(written: str) -> str:
    """A path and query as they stand in cache keys."""
    return without_flight(encoded(written))
