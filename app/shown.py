"""Settings and rules as JSON has them, without secrets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from app.core.timeline import HIDDEN, is_secret

_USERINFO = re.compile(r"(?<=://)[^/]*@")

Value = str | int | float | bool | None


def shown(name: str, value: object) -> Value:
    """A setting's value."""
    match value:
        case None | bool() | int() | float():
            return value
        case str() | Path():
            return HIDDEN if is_secret(name) and isinstance(value, str) else _USERINFO.sub(f"{HIDDEN}@", str(value))
        case _:
            return str(getattr(value, "name", value))


def differing(before: Any, after: Any, *, but: Collection[str] = ()) -> Iterator[tuple[str, Any, Any]]:
    """Of two records of one kind: each field in which they differ, with both values as JSON has them."""
    for one in fields(before):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if one.name not in but and old != new:
            yield one.name, plain(old), plain(new)


def plain(value: Any) -> Any:
    """A rule's value: sets sorted, records as objects, the rest as it is, but for the one secret: the operator's token
    for previews."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {one.name: getattr(value, one.name) for one in fields(value)}
        return {name: HIDDEN if name == "token" and one else plain(one) for name, one in named.items()}
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, frozenset | tuple | list):
        members = [plain(one) for one in value]
        return sorted(members) if isinstance(value, frozenset) else members
    return value.value if isinstance(value, Enum) else value
