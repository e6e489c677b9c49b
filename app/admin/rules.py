"""Rules and routes as JSON has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from app.core.routing import Route
from app.core.rules import OF_A_ROUTE, RouteRules, Rules
from app.shown import plain


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
    own = [one.name for one in fields(RouteRules)]
    others = [one.name for one in fields(Rules) if one.name != OF_A_ROUTE]
    for names, after, before in ((own, changed.of_route, rules.of_route), (others, changed, rules)):
        for name in names:
            if getattr(after, name) != getattr(before, name):
                yield Change(name, plain(getattr(before, name)), plain(getattr(after, name)))


def told(rules: Rules) -> dict[str, Any]:
    """The rules that a dialect and [rules] may set."""
    return {one.name: plain(getattr(rules, one.name)) for one in fields(rules) if one.name != OF_A_ROUTE}
