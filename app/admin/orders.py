"""An order to purge, read from JSON as a whole: nothing is carried out when anything in it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from app.admin.problems import Problem
from app.admin.reading import json_object
from app.admin.selectors import by_host, by_path, by_prefix, by_tag, by_url, host_of, in_keys
from app.core.purging import EVERYTHING, Mode, Purge, Selector
from app.core.routing import Ruling

MOST = 1_000  # names in one order
LATEST = 86_400 * 365

EXAMPLE = '{"tags": ["post-7"]}'


@dataclass(frozen=True, slots=True)
class Deletion:
    """What to purge: at least one name, or `all`. `paths` are meant with any query, `urls` just as they are, in all
    their variants; `prefixes` are what path and query begin with. `host` is where tags, and whatever is written as a
    path, are meant; else at any host. In a `dry_run` nothing is done."""

    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    all: bool = False
    host: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Invalidation(Deletion):
    """As for a deletion. `deadline`: in so many seconds what is not refreshed by then counts as deleted."""

    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Order:
    purges: tuple[Purge, ...]
    dry_run: bool


_NAMES = ("tags", "paths", "urls", "prefixes", "hosts")


def read_order(body: bytes, mode: Mode, ruling: Ruling, now: float) -> Order:
    """Raises Problem."""
    known = [one.name for one in fields(Invalidation if mode is Mode.SOFT else Deletion)]
    if mode is Mode.HARD and b'"deadline"' in body:
        known.append("deadline")  # to say more than that it is unknown
    given = json_object(body, known, EXAMPLE)
    if "deadline" in given and mode is Mode.HARD:
        raise Problem(400, "deadline is for an invalidation, which it turns into a deletion; leave it out here")
    dry_run = _switch(given, "dry_run")
    selectors, deadline = _selectors(given, ruling), _deadline(given.get("deadline"))
    until = None if deadline is None else now + deadline
    return Order(tuple(Purge(mode, selector, until, at=now) for selector in selectors), dry_run)


def _selectors(given: dict[str, Any], ruling: Ruling) -> Sequence[Selector]:
    names = {name: _texts(given.get(name, []), name) for name in _NAMES}
    host = None if given.get("host") is None else host_of("host", _text(given["host"], "host"))
    if sum(map(len, names.values())) > MOST:
        raise Problem(400, f"{sum(map(len, names.values()))} names are too many for one request; write at most {MOST}")
    if _switch(given, "all"):
        others = [name for name in (*_NAMES, "host") if given.get(name)]
        if others:
            raise Problem(400, f"all is everything, whatever {others[0]} says; leave one of the two out")
        return [EVERYTHING]
    reading: dict[str, Callable[[str], list[Selector]]] = {
        "tags": lambda tag: by_tag("tags:", tag, host, ruling.rules),
        "paths": lambda path: [by_path("paths:", path, host)],
        "urls": lambda url: in_keys(by_url("urls:", url, host), ruling),
        "prefixes": lambda prefix: [by_prefix("prefixes:", prefix, host)],
        "hosts": lambda one: [by_host("hosts:", one)],
    }
    found = [selector for name in _NAMES for one in names[name] for selector in reading[name](one)]
    if not found:
        alone = "host alone says only where" if host is not None else "nothing is named"
        fix = 'write for example {"hosts": ["HOST"]}' if host is not None else f"write for example {EXAMPLE}"
        raise Problem(400, f"{alone}; {fix}, with one of {', '.join(_NAMES)} or all")
    return list(dict.fromkeys(found))


def _texts(value: object, name: str) -> list[str]:
    if not isinstance(value, list):
        raise Problem(400, f"{name} is {value!r}; write a list of texts, like {EXAMPLE}")
    return [_text(one, name) for one in value]


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise Problem(400, f"{name} holds {value!r}; write text in quotes")
    return value


def _switch(given: dict[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise Problem(400, f"{name} is {value!r}; write true or false")
    return value


def _deadline(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST:
        raise Problem(400, f"deadline is {value!r}; write seconds from now on, a number from 0 to {LATEST}")
    return float(value)
