"""Cache tags: by which names the origin says a response may be purged (RFC 9875, and each CDN's own field)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import http_sf

from app.core.messages import Headers


class Separator(StrEnum):
    """How the tags of one field stand beside each other."""

    COMMA = "comma"
    SPACE = "space"
    EITHER = "either"
    STRUCTURED = "structured"  # RFC 9875 §2: a List of Strings


@dataclass(frozen=True, slots=True)
class TagField:
    """A response field with tags. `most` of them count, each of at most `longest` bytes; what is beyond is ignored."""

    field: str
    separator: Separator = Separator.COMMA
    fold_case: bool = False
    most: int = 1_000
    longest: int = 1_024


def tags_of(headers: Headers, fields: Iterable[TagField]) -> tuple[str, ...]:
    """The tags of a response, once each, in the order in which they stand."""
    found: dict[str, None] = {}
    for one in fields:
        lines = headers.lines(one.field)
        if not lines:
            continue
        written = [tag for tag in _SPLIT[one.separator](lines) if 0 < len(tag) <= one.longest]
        found |= dict.fromkeys(tag.lower() if one.fold_case else tag for tag in written[: one.most])
    return tuple(found)


def _by_comma(lines: Iterable[str]) -> list[str]:
    return [tag.strip(" \t") for line in lines for tag in line.split(",")]


def _by_space(lines: Iterable[str]) -> list[str]:
    return [tag for line in lines for tag in line.split()]


def _by_either(lines: Iterable[str]) -> list[str]:
    return _by_space(line.replace(",", " ") for line in lines)


def _structured(lines: Iterable[str]) -> list[str]:
    """What does not parse is not there; members that are no strings are ignored (RFC 9875 §2)."""
    try:
        members: Any = http_sf.parse(", ".join(lines).encode("latin-1"), tltype="list")
    except ValueError:
        return []
    return [value for value, _ in members if type(value) is str]


_SPLIT = {
    Separator.COMMA: _by_comma,
    Separator.SPACE: _by_space,
    Separator.EITHER: _by_either,
    Separator.STRUCTURED: _structured,
}
