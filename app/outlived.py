"""The rules that what is stored has outlived: what was in its key, and who was to share it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.core.rules import OF_A_ROUTE, Rules
from app.settings import Settings

# What tells requests apart, and what says whether a response may be another's at all.
_OF_RULES = (
    "key_headers", "query", "vary", "vary_star", "vary_denied", "vary_allowed", "set_cookie", "cookies",
    "authorization", "store_post", "governing", "ignored_directives", "forbidden_lifetimes", "qualified_as_whole",
    "bypass_cookies", "bypass_fields", "asked_types",
)  # fmt: skip
_OF_A_ROUTE = ("dynamic", "anonymous", "kept_parameters", "ignored_parameters", "key_cookies")
# What of a client the origin sees, beside the key.
_OF_A_DIALECT = ("stripped_from_requests", "passed_from_requests", "confined")


def advice(before: Settings, after: Settings) -> str | None:
    """What to do about what was stored before, in one line; None where it can stay."""
    names = ", ".join(_outlived(before, after))
    if not names:
        return None
    return f"what is stored was stored before this changed: {names}; to begin anew: swerve delete --all"


def _outlived(before: Settings, after: Settings) -> Iterator[str]:
    """The names of what is another, as a reload tells of them."""
    old, new = before.dialect, after.dialect
    found = [f"dialect.{name}" for name in _OF_A_DIALECT if getattr(old, name) != getattr(new, name)]
    found += [f"rules.{name}" for name in _OF_RULES if getattr(old.rules, name) != getattr(new.rules, name)]
    yield from found if old.name == new.name else ["dialect"] if found else []
    if _routes(before) != _routes(after):
        yield "routes"


def _routes(settings: Settings) -> list[tuple[str, str | None, dict[str, Any]]]:
    """The routes with their own of these rules. One without any counts only where it goes before one that has some."""
    found = [(one.path, one.host, _own(one.rules, settings.dialect.rules)) for one in settings.routes]
    while found and not found[-1][2]:
        found.pop()
    return found


def _own(rules: Rules, beside: Rules) -> dict[str, Any]:
    here, there = getattr(rules, OF_A_ROUTE), getattr(beside, OF_A_ROUTE)
    own = {name: getattr(here, name) for name in _OF_A_ROUTE if getattr(here, name) != getattr(there, name)}
    return own | {name: getattr(rules, name) for name in _OF_RULES if getattr(rules, name) != getattr(beside, name)}
