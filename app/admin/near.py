"""What was perhaps meant by a purge that hit nothing: stored names that resemble the one that was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.core.purging import Kind, Selector, place_of
from app.store.base import Store, deleted, turn

# Bounds: stored responses that are looked at, selectors that are helped with, suggestions in all, steps between turns.
LOOKED_AT = 20_000
HELPED = 5
SUGGESTED = 10
SLICE = 500
# The longest names that are compared character by character, which takes time by their length.
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Near:
    """A selector that would have hit something, and how it differs from what was written."""

    selector: Selector
    because: str


async def near_misses(store: Store, selectors: Sequence[Selector]) -> tuple[Near, ...]:
    """The nearest first. Only so much of a large store is looked at."""
    wanted = [one for one in selectors if one.kind not in (Kind.ALL, Kind.DEPLOYMENT)][:HELPED]
    if not wanted:
        return ()
    known = await _known(store)
    found: dict[Selector, tuple[int, str]] = {}
    for place, (selector, (kind, host, value)) in enumerate((one, name) for one in wanted for name in known):
        if place % SLICE == SLICE - 1:
            await turn()
        for miss, distance, because in _LIKE[selector.kind](selector, kind, host, value):
            found[miss] = min(found.get(miss, (distance, because)), (distance, because))
    nearest = sorted(found.items(), key=lambda item: (item[1][0], item[0].name))
    return tuple(Near(selector, because) for selector, (_, because) in nearest[:SUGGESTED])


Name = tuple[Kind, str, str]
Misses = Iterator[tuple[Selector, int, str]]


async def _known(store: Store) -> list[Name]:
    """Tags, targets and hosts of what is stored, once each: the kind, the host, the value."""
    known: dict[Name, None] = {}
    looked_at = 0
    async for one in store.entries():
        if deleted(one):
            continue
        host, target = place_of(one.key)
        known[Kind.HOST, host, ""] = known[Kind.URL, host, target] = None
        for tag in one.tags:
            known[Kind.TAG, host, tag] = None
        looked_at += 1
        if looked_at == LOOKED_AT:
            break
    return list(known)


def _like_tag(wanted: Selector, kind: Kind, host: str, tag: str) -> Misses:
    if kind is not Kind.TAG:
        return
    if tag == wanted.value:
        if wanted.host not in (None, host):
            yield replace(wanted, host=host), 0, "at another host"
    elif tag.casefold() == wanted.value.casefold():
        yield replace(wanted, value=tag), 1, "differs in case"
    elif (distance := distance_between(tag, wanted.value)) is not None:
        yield replace(wanted, value=tag), 1 + distance, "spelled alike"


def _like_place(wanted: Selector, kind: Kind, host: str, target: str) -> Misses:
    """For an exact URL, or a path with any query."""
    if kind is not Kind.URL:
        return
    path, question, _ = target.partition("?")
    meant = path if wanted.kind is Kind.PATH else target
    here, asked = wanted.host in (None, host), wanted.value.partition("?")[0]
    if not here and wanted.value == meant:
        yield replace(wanted, host=host), 0, "at another host"
    if not here:
        return
    if path == asked:
        because = "with its query" if question else "without a query"
        yield replace(wanted, value=target), 1, because
    elif path.rstrip("/") == asked.rstrip("/"):
        yield replace(wanted, value=meant), 2, "with a slash at its end" if path.endswith("/") else "without the slash"
    elif path.casefold() == asked.casefold():
        yield replace(wanted, value=meant), 3, "differs in case"
    elif (distance := distance_between(path, asked)) is not None:
        yield replace(wanted, value=meant), 3 + distance, "spelled alike"


def _like_prefix(wanted: Selector, kind: Kind, host: str, target: str) -> Misses:
    if kind is not Kind.URL:
        return
    begin = target[: len(wanted.value)]
    if wanted.host not in (None, host) and begin == wanted.value:
        yield replace(wanted, host=host), 0, "at another host"
    elif begin.casefold() == wanted.value.casefold():
        yield replace(wanted, value=begin), 1, "differs in case"


def _like_host(wanted: Selector, kind: Kind, host: str, _value: str) -> Misses:
    if kind is Kind.HOST:
        distance = distance_between(host, wanted.host or "")
        yield replace(wanted, host=host), 9 if distance is None else distance, "is stored"


_LIKE = {
    Kind.TAG: _like_tag, Kind.URL: _like_place, Kind.PATH: _like_place, Kind.PREFIX: _like_prefix,
    Kind.HOST: _like_host,
}  # fmt: skip


def distance_between(one: str, other: str) -> int | None:
    """How many characters to add, drop or change make one the other (Levenshtein); None for more than two, or more than
    one in a short word: that is another one. So are all that are longer than people write by hand."""
    shorter, longer = sorted((len(one), len(other)))
    most = 2 if shorter > 5 else 1 if shorter > 2 else 0
    if longer > LONGEST or longer - shorter > most or len(set(one) ^ set(other)) > 2 * most:
        return None
    row = list(range(len(other) + 1))
    for place, mine in enumerate(one, 1):
        near = range(max(place - most, 1), min(place + most, len(other)) + 1)  # whatever lies farther off is too much
        before, row[near[0] - 1] = row[near[0] - 1], place if near[0] == 1 else most + 1
        for column in near:
            dropped = row[column] + 1 if column < place + most else most + 1
            changed = before + (mine != other[column - 1])
            before, row[column] = row[column], min(dropped, row[column - 1] + 1, changed)
        if min(row[near[0] - 1 : near[-1] + 1]) > most:
            return None
    return row[-1] if row[-1] <= most else None
