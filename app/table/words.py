"""Parts of a comparison in words."""

from __future__ import annotations

from collections.abc import Mapping

COOKIES: Mapping[str | None, str] = {"each": "each", "first": "the first", "nobody": "nobody", "all": "ALL"}
_FATES = {
    "all": "stored with it: every visitor gets the first one's",
    "first": "stored without it: only who asked first gets it",
    "nobody": "taken out: nobody gets it",
    "each": "not stored: every visitor gets one of their own",
}


def cookie_words(fate: str) -> str:
    return _FATES[fate]
