"""Purges as a numbered log: what was fetched before a purge that names it counts as purged, wherever it is kept.

Each purge takes the next number, and each stored response carries the number of the last purge when its request was
sent: «purged?» is a comparison of two integers for each name that a purge may call the response by. So a purge is right
about fetches in flight, and what it costs does not depend on how much is stored.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.core.slots import Half, Slots, slots_of


class Mode(StrEnum):
    """What becomes of a purged response, from the mildest to the hardest."""

    SOFT = "invalidate"  # it counts as stale, and may be served while it is refreshed: when, the rules say
    VALIDATE = "validate"  # not used before the origin has confirmed it (RFC 9111 §4.4)
    HARD = "delete"  # it counts as absent


HARDNESS = {mode: hardness for hardness, mode in enumerate(Mode)}


class Kind(StrEnum):
    """By what a purge names responses."""

    ALL = "all"
    HOST = "host"
    URL = "url"  # the path and query
    PATH = "path"  # the path, with any query
    PREFIX = "prefix"  # what the path and query begin with
    TAG = "tag"
    # No purges of their own, but news that all who share a store must have in the same order:
    DEPLOYMENT = "deployment"  # from its number on the deployment of that name is the current one
    CLOCK = "clock"  # from its number on HTTP time is so many seconds ahead


# What stays in force until something else is said: it may not fall out of a log.
LASTING = frozenset({Kind.DEPLOYMENT, Kind.CLOCK})
_PLACES = frozenset({Kind.URL, Kind.PATH, Kind.PREFIX})
_HALVES = {Kind.URL: Half.URLS, Kind.TAG: Half.GROUPS}


@dataclass(frozen=True, slots=True)
class Selector:
    """Names responses. `host` is an authority as in cache keys; None: at any host. `value` is "" for ALL and HOST."""

    kind: Kind
    value: str = ""
    host: str | None = None

    @property
    def name(self) -> str:
        """As text in one line: the kind, the host or *, the value."""
        value = without_flight(self.value) if self.kind is Kind.URL else self.value
        return f"{self.kind} {self.host or '*'} {value}"

    @property
    def place(self) -> str:
        """What a later one takes the place of in a log: there are many names, but one clock."""
        return f"{self.kind} * " if self.kind is Kind.CLOCK else self.name

    @property
    def words(self) -> str:
        """For people: `tag post-7`, `url localhost:8080/blog`, `all`."""
        where = self.host or ""
        place = f"{where}{self.value}" if self.kind in _PLACES else " at ".join(filter(None, (self.value, where)))
        return f"{self.kind} {place}".rstrip()

    @classmethod
    def named(cls, name: str) -> Selector:
        """The other way round. Raises ValueError."""
        kind, host, value = name.split(" ", 2)
        return cls(Kind(kind), value, None if host == "*" else host)

    def selects(self, key: str, tags: Sequence[str]) -> bool:
        """Whether it names the response with that cache key and those tags."""
        if self.kind is Kind.PREFIX:
            host, target = place_of(key)
            return self.host in (None, host) and target.startswith(self.value)
        if self.kind is Kind.TAG and self.host is None:
            return self.value in tags
        return self.name in names_of(key, tags)


EVERYTHING = Selector(Kind.ALL)


@dataclass(frozen=True, slots=True)
class Purge:
    """One purge. `deadline`: from that HTTP time on a SOFT one is HARD. `at`: the HTTP time at which it was made."""

    mode: Mode
    selector: Selector
    deadline: float | None = None
    at: float = 0.0

    @property
    def slots(self) -> tuple[int, ...]:
        """The slots it goes to in a log, which it shares with others; none where it has a row by its own name. Those by
        which clients' requests spoil a URL, and their answers a group, are as many as clients like."""
        selector = self.selector
        half = _HALVES.get(selector.kind)
        spoils = self.mode is Mode.VALIDATE and selector.host is not None and self.deadline is None
        return slots_of(selector.name, half) if spoils and half is not None else ()

    def mode_at(self, now: float) -> Mode:
        return Mode.HARD if self.deadline is not None and now >= self.deadline else self.mode


# How many deployments are known by name: one that is forgotten is new when it is announced again.
MOST_DEPLOYMENTS = 100
# What stands for the purges that fell out of the log.
FORGOTTEN = Purge(Mode.VALIDATE, EVERYTHING)


def place_of(key: str) -> tuple[str, str]:
    """The host and the target (path and query) in a cache key (app/core/key.py has its grammar)."""
    _, _, host, target = key.split(" ", 4)[:4]
    return host, without_flight(target)


def without_flight(target: str) -> str:
    """A target without the query parameter by which Next.js tells one page's payloads apart: they are all that page
    (nextjs.org/docs/app/guides/cdn-caching, read 2026-11-22)."""
    path, question, query = target.partition("?")
    if "_rsc" not in query:
        return target
    rest = "&".join(part for part in query.split("&") if part.partition("=")[0] != "_rsc")
    return f"{path}{question}{rest}" if rest else path


# The data of a page stands under a path of its own in Next.js's pages router (nextjs.org/docs/pages, read 2026-11-22).
_PAGE_DATA = re.compile(r"/_next/data/[^/]+(/.+)\.json")


def paths_of(target: str) -> tuple[str, ...]:
    """The path in a target, and that of the page whose data it is."""
    path = target.partition("?")[0]
    data = _PAGE_DATA.fullmatch(path)
    if data is None:
        return (path,)
    return path, "/" if data[1] == "/index" else data[1]


def names_of(key: str, tags: Iterable[str]) -> tuple[str, ...]:
    """Every name by which a purge may call a response, but for prefixes."""
    host, target = place_of(key)
    return (
        "all * ", f"host {host} ", f"url * {target}", f"url {host} {target}",
        *[f"path {where} {path}" for path in paths_of(target) for where in ("*", host)],
        *[f"tag {where} {tag}" for tag in tags for where in ("*", host)],
    )  # fmt: skip


class Numbered(NamedTuple):
    """A purge with its place in the log."""

    number: int
    purge: Purge


_NONE: dict[Mode, Numbered] = {}


class PurgeLog:
    """The last purge of each mode for each name. `number` is the last one's. `deployment` is the current one, which was
    announced last; `deployments` are those that are known, each with the number of its last announcement. By `offset`
    seconds HTTP time is ahead of the system's clock.

    The log is bounded: what falls out of it raises the floor, under which everything counts as purged, which costs a
    validation but never serves what was purged. What clients' requests spoil raises none: it has no row, but slots.
    """

    def __init__(self, length: int = 50_000) -> None:
        self.number = 0
        self.floor = 0
        self.slots = Slots()
        self._length = length
        self._last: OrderedDict[tuple[str, Mode], Numbered] = OrderedDict()
        self._named: dict[str, dict[Mode, Numbered]] = {}
        self._prefix_lengths: Counter[int] = Counter()
        self._last_of_tags = 0
        self.deployment: str | None = None
        self.deployments: dict[str, int] = {}
        self.offset = 0.0
        self._moved = 0

    def __len__(self) -> int:
        return len(self._last)

    def __iter__(self) -> Iterator[Numbered]:
        """What it has in rows, in the order in which it came."""
        return iter(sorted(self._last.values(), key=lambda numbered: numbered.number))

    def deletions(self, now: float) -> Iterator[Numbered]:
        """The purges that delete at that time, in any order."""
        return (numbered for numbered in self._last.values() if numbered.purge.mode_at(now) is Mode.HARD)

    @property
    def lasting(self) -> frozenset[int]:
        """The numbers of what is still in force."""
        return frozenset((*self.deployments.values(), self._moved))

    @property
    def in_force(self) -> Iterator[Selector]:
        """What would have to be said again to a log that knows nothing."""
        if self.deployment is not None:
            yield Selector(Kind.DEPLOYMENT, self.deployment)
        if self.offset:
            yield Selector(Kind.CLOCK, str(self.offset))

    def purge(self, purge: Purge) -> int:
        """Append a purge. Returns its number."""
        self.record(self.number + 1, purge)
        return self.number

    def record(self, number: int, purge: Purge) -> None:
        """Append a purge that has its number from elsewhere. An old number changes nothing that is newer."""
        self.number = max(self.number, number)
        if slots := purge.slots:
            self.slots.record(slots, number, purge.at)
            return
        selector, place = purge.selector, (purge.selector.place, purge.mode)
        if number <= self.floor or number < self._last.get(place, (0,))[0]:
            return
        if selector.kind is Kind.DEPLOYMENT:
            self._deployed(selector.value, number)
        elif selector.kind is Kind.CLOCK:
            self.offset, self._moved = float(selector.value), number
        if selector.kind is Kind.PREFIX and place not in self._last:
            self._prefix_lengths[len(selector.value)] += 1
        elif selector.kind is Kind.TAG:
            self._last_of_tags = max(self._last_of_tags, number)
        self._last[place] = numbered = Numbered(number, purge)
        self._last.move_to_end(place)
        self._named.setdefault(selector.place, {})[purge.mode] = numbered
        if len(self._last) > self._length:
            self._forget()

    def merge_slots(self, data: bytes | memoryview, first: int = 0) -> None:
        """Record what others hold in a row of slots, from that one on."""
        self.slots.merge(data, first)
        self.number = max(self.number, *self.slots.last)

    def _forget(self) -> None:
        """The oldest falls out of the log."""
        (name, mode), (number, purge) = self._last.popitem(last=False)
        self.floor = max(self.floor, number)
        del self._named[name][mode]
        if not self._named[name]:
            del self._named[name]
        if purge.selector.kind is Kind.PREFIX:
            self._prefix_lengths.subtract([len(purge.selector.value)])
            self._prefix_lengths += Counter()  # without those of which none is left

    def _deployed(self, name: str, number: int) -> None:
        self.deployments[name] = number
        self.deployment = max(self.deployments, key=self.deployments.__getitem__)
        if len(self.deployments) > MOST_DEPLOYMENTS:
            del self.deployments[min(self.deployments, key=self.deployments.__getitem__)]

    def raise_floor(self, number: int) -> None:
        """Count everything that was fetched under an older number as purged: what happened until then is not known."""
        self.floor, self.number = max(self.floor, number), max(self.number, number)

    def strongest(self, key: str, tags: Collection[str], under: int) -> Purge | None:
        """The hardest purge that names a response and came after it was fetched; of equals the latest."""
        if under >= self.number:
            return None
        found = list(self._naming(key, tags, under))
        if under < self.floor:
            found.append(Numbered(self.floor, FORGOTTEN))
        if not found:
            return None
        return max(found, key=lambda numbered: (HARDNESS[numbered.purge.mode], numbered.number)).purge

    def touched(self, key: str, number: int) -> bool:
        """Whether a purge after that number may name what is being fetched for a key, whose tags are not known yet."""
        if number >= self.number:
            return False
        if number < max(self.floor, self._last_of_tags, self.slots.last[Half.GROUPS]):
            return True
        return any(self._naming(key, (), number))

    def _naming(self, key: str, tags: Collection[str], under: int) -> Iterator[Numbered]:
        """What names it, of what came after that number."""
        for name in (*names_of(key, tags), *self._prefixes_of(key)):
            for one in self._named.get(name, _NONE).values():
                if one.number > under:
                    yield one
        for selector in self._perhaps_spoiled(key, tags, under):
            number, at = self.slots.last_of(slots_of(selector.name, _HALVES[selector.kind]))
            if number > under:
                yield Numbered(number, Purge(Mode.VALIDATE, selector, at=at))

    def _perhaps_spoiled(self, key: str, tags: Collection[str], under: int) -> Iterator[Selector]:
        """What has slots that may have been taken since. What others took that share them cannot be told from it."""
        urls, groups = self.slots.last
        if under >= max(urls, groups):
            return
        host, target = place_of(key)
        if under < urls:
            yield Selector(Kind.URL, target, host)
        if under < groups:
            for tag in tags:
                yield Selector(Kind.TAG, tag, host)

    def _prefixes_of(self, key: str) -> Iterator[str]:
        """The names of prefixes that would name it."""
        if self._prefix_lengths:
            host, target = place_of(key)
            for length in self._prefix_lengths:  # few differ, of however many prefixes
                for where in ("*", host):
                    yield f"{Kind.PREFIX} {where} {target[:length]}"
