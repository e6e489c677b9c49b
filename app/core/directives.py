"""Cache-Control (RFC 9111 §5.2) and its targeted forms (RFC 9213, and Surrogate-Control), read once into numbers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import http_sf

from app.core.edge_control import EdgeControl, parse_edge_control
from app.core.fields import MAX_DELTA, parse_delta, split_list, unquote
from app.core.messages import Headers
from app.core.remembered import remembered


@dataclass(frozen=True, slots=True)
class Directives:
    """The cache directives of one message. Seconds are integers; None means absent, 0 also means unreadable.

    RFC 9111 §4.2.1 encourages caches to take a lifetime that cannot be read as stale, and the first of several.
    `until` is the HTTP time at which a field that governs says that freshness ends. `downstream` is for how long those
    behind this cache may keep the response, where a field says that to them alone.
    `assigned` is the lifetime that a cache gives to a response all the same, which said that it may not be reused.
    `no_cache_fields` and `private_fields` are the field names of the qualified forms, which leave the flag False.
    """

    source: str = "cache-control"
    no_store: bool = False
    no_cache: bool = False
    private: bool = False
    public: bool = False
    must_revalidate: bool = False
    proxy_revalidate: bool = False
    must_understand: bool = False
    immutable: bool = False
    only_if_cached: bool = False
    no_cache_fields: frozenset[str] = frozenset()
    private_fields: frozenset[str] = frozenset()
    max_age: int | None = None
    s_maxage: int | None = None
    stale_while_revalidate: int | None = None
    stale_if_error: int | None = None
    max_stale: int | None = None
    min_fresh: int | None = None
    until: int | None = None
    downstream: int | None = None
    assigned: int | None = None

    def says(self, name: str) -> bool:
        """Whether a directive is there."""
        return bool(getattr(self, attribute_of(name)) != getattr(_SAID_NOTHING, attribute_of(name)))

    def unqualified(self) -> Directives:
        """As a cache reads it that does not know the forms with field names."""
        if not (self.no_cache_fields or self.private_fields):
            return self
        return replace(
            self,
            no_cache=self.no_cache or bool(self.no_cache_fields),
            private=self.private or bool(self.private_fields),
            no_cache_fields=frozenset(),
            private_fields=frozenset(),
        )

    def without(self, names: frozenset[str]) -> Directives:
        """As a cache reads it that does not obey these directives."""
        return replace(self, **{name: getattr(_SAID_NOTHING, name) for name in map(attribute_of, names)})

    @property
    def forbids_reuse(self) -> bool:
        """Whether a shared cache may not give it again without asking (RFC 9111 §5.2.2.4, §5.2.2.5, §5.2.2.7)."""
        return self.no_store or self.no_cache or self.private

    def allowing_reuse(self, seconds: int) -> Directives:
        """As a cache reads it that gives it again all the same, for so long."""
        return replace(self, no_store=False, no_cache=False, private=False, assigned=seconds)

    @property
    def forbids_stale(self) -> bool:
        """Whether a stale answer is ruled out by name (RFC 9111 §5.2.2.2, §5.2.2.8)."""
        return self.must_revalidate or self.proxy_revalidate or self.no_cache


_SAID_NOTHING = Directives()


def attribute_of(name: str) -> str:
    """The attribute of Directives that holds a directive."""
    return name.replace("-", "_")


# Directives whose value alone matters: name → (attribute, what a missing value means; None: unreadable).
_SECONDS = {
    "max-age": ("max_age", None),
    "s-maxage": ("s_maxage", None),
    "stale-while-revalidate": ("stale_while_revalidate", -1),
    "stale-if-error": ("stale_if_error", -1),
    "max-stale": ("max_stale", MAX_DELTA),
    "min-fresh": ("min_fresh", None),
}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUELESS = -1  # a window without a number: the rules give it a finite one
_FLAGS = {
    name: name.replace("-", "_")
    for name in (
        "no-store",
        "public",
        "must-revalidate",
        "proxy-revalidate",
        "must-understand",
        "immutable",
        "only-if-cached",
    )
}
_QUALIFIED = {"no-cache": ("no_cache", "no_cache_fields"), "private": ("private", "private_fields")}


def parse_cache_control(lines: Iterable[str], source: str = "cache-control") -> Directives:
    """Tolerant, as RFC 9111 §5.2 asks: names in any case, values quoted or not, unknown directives ignored."""
    return _parse_cache_control(source, *lines)


@remembered
def _parse_cache_control(source: str, *lines: str) -> Directives:
    pairs: list[tuple[str, str | None]] = []
    for line in lines:
        for member in split_list(line):
            name, equals, value = member.partition("=")
            pairs.append((name.strip(" \t").lower(), unquote(value) if equals else None))
    return _directives(source, pairs)


def _directives(source: str, pairs: Iterable[tuple[str, str | None]]) -> Directives:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in _SECONDS:
            attribute, missing = _SECONDS[name]
            seconds = missing if value is None else parse_delta(value)
            found.setdefault(attribute, 0 if seconds is None else seconds)
        elif name in _FLAGS:
            found[_FLAGS[name]] = True
        elif name in _QUALIFIED:
            flag, fields = _QUALIFIED[name]
            named = frozenset(field.lower() for field in split_list(value or ""))
            if named and all(map(_TOKEN.fullmatch, named)):
                found[fields] = found.get(fields, frozenset()) | named
            else:  # what names no fields speaks of the whole response
                found[flag] = True
    return Directives(source, **found)


class Syntax(StrEnum):
    """How a field that governs this cache is written."""

    CACHE_CONTROL = "cache-control"
    STRUCTURED = "structured"  # RFC 9213 §2.1: a Dictionary; what does not parse is not there
    SURROGATE = "surrogate"  # Edge Architecture Specification (W3C Note, 2001-08-04) §2.2.1
    SECONDS = "seconds"  # a number of seconds, 0 to store nothing, or `@` and the Unix time at which freshness ends
    EDGE = "edge"  # Edge-Control: laid over Cache-Control (app/core/edge_control.py)
    PRESENCE = "presence"  # whatever it says: where it is, Cache-Control and Expires are not read


class Decides(StrEnum):
    """What a field that governs this cache decides in the place of Cache-Control."""

    ALL = "all"  # all there is to decide: Cache-Control and Expires are not read (RFC 9213 §2.2)
    LIFETIMES = "lifetimes"  # for how long, with each number that it says; whether to store, Cache-Control says
    STORING = "storing"  # whether to store; for how long, Cache-Control says


@dataclass(frozen=True, slots=True)
class Governing:
    """A field that may govern this cache: its name, how it is written, and over what."""

    field: str
    syntax: Syntax
    decides: Decides = Decides.ALL


def governing_directives(headers: Headers, fields: Iterable[Governing], device: str) -> Directives:
    """The directives of the first field that is present, valid and not empty; it governs alone (RFC 9213 §2.2), or
    Cache-Control beside it, over what it does not decide; Edge-Control lies over Cache-Control.

    `device` is the name that Surrogate-Control may address us by. Without any targeted field: Cache-Control.
    """
    for governing in fields:
        lines = headers.lines(governing.field)
        if lines and governing.syntax is Syntax.EDGE:
            plain = parse_cache_control(headers.lines("cache-control"))
            return _over(plain, parse_edge_control(*lines), governing.field)
        if not lines:
            continue
        directives = _TARGETED[governing.syntax](governing.field, device, *lines)
        match governing.decides:
            case Decides.STORING:  # also where it says nothing: that it is there counts
                return _storing_by(directives or Directives(), parse_cache_control(headers.lines("cache-control")))
            case _ if directives is None:
                continue
            case Decides.LIFETIMES:
                return _lifetimes_by(directives, parse_cache_control(headers.lines("cache-control")))
            case Decides.ALL:
                return directives
    return parse_cache_control(headers.lines("cache-control"))


def _lifetimes_by(targeted: Directives, plain: Directives) -> Directives:
    """The numbers that a targeted field says, each in the place of Cache-Control's."""
    windows = {name: getattr(targeted, name) for name in ("stale_while_revalidate", "stale_if_error")}
    found = replace(plain, **{name: seconds for name, seconds in windows.items() if seconds is not None})
    lifetimes = {name: getattr(targeted, name) for name in ("s_maxage", "max_age", "until")}
    if all(seconds is None for seconds in lifetimes.values()):
        return found
    return replace(found, source=targeted.source, **lifetimes)


def _storing_by(targeted: Directives, plain: Directives) -> Directives:
    """What a targeted field says of storing, in the place of what Cache-Control says of it."""
    names = ("no_store", "no_cache", "private", "no_cache_fields", "private_fields")
    return replace(plain, **{name: getattr(targeted, name) for name in names})


@remembered
def _parse_structured(source: str, _device: str, *lines: str) -> Directives | None:
    try:
        members: Any = http_sf.parse(", ".join(lines).encode("latin-1"), tltype="dictionary")
    except ValueError:
        return None
    if not members:
        return None
    pairs: list[tuple[str, str | None]] = []
    for name, member in members.items():
        value = member[0]
        if value is True:
            pairs.append((name, None))
        elif name in _QUALIFIED and value is not False:
            pairs.append((name, value if type(value) is str else ""))
        elif value is not False:
            # A value of another type is no delta-seconds: what it should have said cannot be known, so stale.
            pairs.append((name, str(value) if type(value) is int else "?"))
    return _directives(source, pairs)


@remembered
def _parse_surrogate(source: str, device: str, *lines: str) -> Directives | None:
    """Members may be addressed by a parameter (`max-age=60;device`); those for other devices are not ours."""
    ours: list[str] = []
    for line in lines:
        for member in split_list(line):
            directive, *targets = (part.strip(" \t") for part in member.split(";"))
            if not targets or device in targets:
                ours.append(directive)
    known = [
        text for text in ours if text.partition("=")[0].lower() in _SECONDS or text.lower() in ("no-store", "private")
    ]
    return parse_cache_control(known, source) if known else None


def _parse_plain(source: str, _device: str, *lines: str) -> Directives | None:
    return parse_cache_control(lines, source) if any(map(split_list, lines)) else None


def _parse_seconds(source: str, _device: str, *lines: str) -> Directives | None:
    """What is no number is not there."""
    text = lines[0].strip(" \t")
    seconds = parse_delta(text.removeprefix("@"))
    if seconds is None:
        return None
    if text.startswith("@"):
        return Directives(source, until=seconds)
    return Directives(source, max_age=seconds) if seconds else Directives(source, no_store=True)


def _nothing_said(source: str, _device: str, *_lines: str) -> Directives | None:
    return Directives(source)


def _over(plain: Directives, edge: EdgeControl, source: str) -> Directives:
    """Edge-Control over Cache-Control: its lifetime takes the place of all that Cache-Control says of lifetimes and of
    validation; no-store and private stand beside it, unless it takes no-store back."""
    no_store = edge.no_store or (plain.no_store and not edge.allows_storing)
    if edge.lifetime is None:
        source = source if edge.no_store else plain.source
        return replace(plain, source=source, no_store=no_store, downstream=edge.downstream)
    return Directives(
        source, no_store=no_store, private=plain.private, private_fields=plain.private_fields, max_age=edge.lifetime,
        downstream=edge.downstream,
    )  # fmt: skip


_TARGETED = {
    Syntax.CACHE_CONTROL: _parse_plain,
    Syntax.STRUCTURED: _parse_structured,
    Syntax.SURROGATE: _parse_surrogate,
    Syntax.SECONDS: _parse_seconds,
    Syntax.PRESENCE: _nothing_said,
}


def directive_name(member: str) -> str:
    """The name of one member of Cache-Control, as it is compared."""
    return member.partition("=")[0].strip(" \t").lower()


def without_directives(value: str, names: Collection[str]) -> str:
    """The Cache-Control value with these directives taken out and the others left as they were written."""
    return ", ".join(member for member in split_list(value) if directive_name(member) not in names)
