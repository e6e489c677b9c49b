"""A key that is new every time: which query parameter or request field splits one page into many keys or variants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.core.decisions import StoredResponse
from app.core.timeline import Field

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A cache key and its parts (app.core.key has the grammar). Credentials in it are hidden, in `text` too."""

    text: str
    scheme: str
    authority: str
    target: str
    fields: tuple[Field, ...]

    @classmethod
    def shown(cls, key: str) -> Key:
        method, scheme, authority, target, *rest = key.split(" ")
        fields = tuple(Field.shown(name, value) for name, value in _fields(rest))
        text = " ".join([method, scheme, authority, target, *(f"{field.name}={field.value}" for field in fields)])
        return cls(text, scheme, authority, target, fields)


class Kind(StrEnum):
    """What splits."""

    QUERY = "query"  # a query parameter
    ORDER = "order"  # parameters that are the same but for their order
    FIELD = "field"  # a request field that is always in the key
    VARY = "vary"  # a request field that Vary names


@dataclass(frozen=True, slots=True)
class Splitter:
    """`values`: how many different ones; `without`: how many keys (for Vary: variants) would be left without it."""

    kind: Kind
    name: str
    values: int
    without: int


@dataclass(frozen=True, slots=True)
class Splitting:
    """How one path fell apart lately: different keys among so many requests, and the variants under this very key."""

    path: str
    keys: int
    requests: int
    variants: int
    splitters: tuple[Splitter, ...]


def splitting(key: str, recent_keys: Iterable[str], stored: Sequence[StoredResponse]) -> Splitting | None:
    """What splits the path of this key, or None if nothing does."""
    path = key.partition("?")[0] if "?" in key else " ".join(key.split(" ", 4)[:4])
    seen = [one for one in recent_keys if one == path or one.startswith((path + "?", path + " "))]
    keys = set(seen)
    queries = {one: _query(one) for one in keys}
    fields = {one: tuple(_fields(one.split(" ")[4:])) for one in keys}
    splitters = [
        *_splitters(Kind.QUERY, queries, fields),
        *_ordered(queries, fields),
        *_splitters(Kind.FIELD, fields, queries),
        *_variants(stored),
    ]
    if not splitters:
        return None
    worst_first = tuple(sorted(splitters, key=lambda splitter: (splitter.without, -splitter.values)))
    return Splitting(path.split(" ", 3)[3], len(keys), len(seen), len(stored), worst_first)


def _query(key: str) -> Pairs:
    query = key.split(" ", 4)[3].partition("?")[2]
    pairs = (part.partition("=") for part in query.split("&") if part)
    return tuple((name, value) for name, _, value in pairs)


def _fields(parts: Iterable[str]) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, _, value in (part.partition("=") for part in parts))


def _dropped(pairs: Pairs, name: str) -> Pairs:
    return tuple(pair for pair in pairs if pair[0] != name)


def _splitters(kind: Kind, parts: Mapping[str, Pairs], others: Mapping[str, Pairs]) -> Iterable[Splitter]:
    """Each name in these parts of the keys that has several values; where it is absent counts as one of them."""
    for name in sorted({name for pairs in parts.values() for name, _ in pairs}):
        values = {tuple(value for other, value in pairs if other == name) for pairs in parts.values()}
        if len(values) > 1:
            yield Splitter(kind, name, len(values), len({(_dropped(parts[key], name), others[key]) for key in parts}))


def _ordered(queries: Mapping[str, Pairs], fields: Mapping[str, Pairs]) -> Iterable[Splitter]:
    """Keys that would be one if the parameters were always sent in the same order."""
    sorted_keys = {(tuple(sorted(queries[one])), fields[one]) for one in queries}
    if len(sorted_keys) < len(queries):
        yield Splitter(Kind.ORDER, "order of the parameters", len(set(queries.values())), len(sorted_keys))


def _variants(stored: Sequence[StoredResponse]) -> Iterable[Splitter]:
    selectings = {one.selecting for one in stored}
    for name in sorted({name for selecting in selectings for name, _ in selecting}):
        values = {value for selecting in selectings for other, value in selecting if other == name}
        if len(values) > 1:
            without = {tuple(pair for pair in selecting if pair[0] != name) for selecting in selectings}
            yield Splitter(Kind.VARY, name, len(values), len(without))
