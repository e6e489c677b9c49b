"""Rules and routes as JSON has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from app.core.routing import Route
from app.core.rules import OF_A_ROUTE, Rules
from app.shown import differing, plain


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that is another for a route."""

    rule: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RouteInForce:
    """A route: which paths it is for, what it says, as it is written, and which rules are others by that."""

    path: str
    host: str | None
    says: dict[str, str]
    changes: tuple[Change, ...]


def in_force(route: Route, rules: Rules) -> RouteInForce:
    """`rules` are those that hold without a route."""
    return RouteInForce(route.path, route.host, dict(route.said), tuple(_changes(route.rules, rules)))


def _changes(changed: Rules, rules: Rules) -> Iterator[Change]:
    for one in (*differing(rules.of_route, changed.of_route), *differing(rules, changed, but=[OF_A_ROUTE])):
        yield Change(*one)


def told(rules: Rules) -> dict[str, Any]:
    """The rules that a dialect and [rules] may set."""
    return {one.name: plain(getattr(rules, one.name)) for one in fields(rules) if one.name != OF_A_ROUTE}
