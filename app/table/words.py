"""Parts of a comparison in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

COOKIES: Mapping[str | None, str] = {"each": "each", "first": "the first", "nobody": "nobody", "all": "ALL"}
_FATES = {
    "all": "stored with it: every visitor gets the first one's",
    "first": "stored without it: only who asked first gets it",
    "nobody": "taken out: nobody gets it",
    "each": "not stored: every visitor gets one of their own",
}


class Worded(Protocol):
    def differs_in(self, differs: Collection[str]) -> bool: ...

    @property
    def words(self) -> Any: ...


def cookie_words(fate: str) -> str:
    return _FATES[fate]


def agreement(one: Mapping[str, Any], columns: Sequence[Worded], differs: Collection[str]) -> str:
    """That in which all are like this one, in one sentence."""
    said = [column.words(one) for column in columns if not column.differs_in(differs)]
    return "; ".join(filter(None, said))
