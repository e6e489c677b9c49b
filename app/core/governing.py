"""Which field governs this cache: Cache-Control, or one that is targeted at it (RFC 9213, and what came before it)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import http_sf

from app.core.directives import QUALIFIED, SECONDS, Directives, directives_of, parse_cache_control
from app.core.edge_control import EdgeControl, parse_edge_control
from app.core.fields import parse_delta, split_list
from app.core.messages import Headers
from app.core.remembered import remembered


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
        elif name in QUALIFIED and value is not False:
            pairs.append((name, value if type(value) is str else ""))
        elif value is not False:
            # A value of another type is no delta-seconds: what it should have said cannot be known, so stale.
            pairs.append((name, str(value) if type(value) is int else "?"))
    return directives_of(source, pairs)


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
        text for text in ours if text.partition("=")[0].lower() in SECONDS or text.lower() in ("no-store", "private")
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
