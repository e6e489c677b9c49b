"""What a purge is: which responses it names, and what becomes of them (app/core/purge_log.py: which it hits)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.core.slots import Half, slots_of


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
    def slots(self) -> tuple[int, ...]:
        """Those that it shares with others where clients spoil it (app/core/slots.py); none if clients cannot."""
        half = _HALVES.get(self.kind)
        return () if half is None or self.host is None else slots_of(self.name, half)

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
        return self.selector.slots if self.mode is Mode.VALIDATE and self.deadline is None else ()

    def mode_at(self, now: float) -> Mode:
        return Mode.HARD if self.deadline is not None and now >= self.deadline else self.mode


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
