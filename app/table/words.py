"""Parts of a comparison in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COOKIES: Mapping[str | None, str] = {"each": "each", "first": "the first", "nobody": "nobody", "all": "ALL"}
_FATES = {
    "all": "stored with it: every visitor gets the first one's",
    "first": "stored without it: only who asked first gets it",
    "nobody": "taken out: nobody gets it",
    "each": "not stored: every visitor gets one of their own",
}


def cookie_words(fate: str) -> str:
    return _FATES[fate]


def route_words(route: Mapping[str, Any]) -> str:
    """The pattern, and what is said of paths like that."""
    where = route["path"] if route["host"] is None else f"{route['path']} at {route['host']}"
    return f"{where}: {', '.join(f'{key} = {value}' for key, value in route['says'].items()) or 'its own rules'}"
