"""How each key of `[[routes]]` is read: by a function of the value and its place, which raises ConfigError."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from app.config_error import ConfigError, nearest
from app.core.fields import AUTHORITY
from app.core.key import normal_authority
from app.records import field_name, table_of
from app.units import parse_duration

YEAR = 31_536_000


class Dynamic(StrEnum):
    """What Next.js calls `dynamic`."""

    AUTO = "auto"
    FORCE_DYNAMIC = "force-dynamic"
    FORCE_STATIC = "force-static"
    ERROR = "error"


def written(value: object) -> str:
    """As in the file."""
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(written, value))}]"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def _path(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.startswith(("/", "*")) or not value.isascii() or not value.isprintable():
        fix = "write one like /blog/*, percent-encoded as in a URL; a star stands for anything"
        raise ConfigError(f"{where} = {value!r} is no path; {fix}")
    if "?" in value or "#" in value or " " in value:
        fix = "write the path alone; keep_parameters and its like say what of a query counts"
        raise ConfigError(f"{where} = {value!r} is more than a path; {fix}")
    return value


def _host(value: object, where: str) -> str:
    if not isinstance(value, str) or AUTHORITY.fullmatch(value) is None:
        raise ConfigError(f"{where} = {value!r} is no host; write one as clients send it, like localhost:8080")
    return normal_authority("http", normal_authority("https", value))


def _dynamic(value: object, where: str) -> Dynamic:
    known = [one.value for one in Dynamic]
    if value not in known:
        raise ConfigError(f"{where} = {value!r} is unknown; {nearest(str(value), known)}")
    return Dynamic(str(value))


def _seconds(value: object, where: str) -> int:
    """Whole seconds, as a number or with a unit."""
    seconds: object = value
    if isinstance(value, str):
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0 or seconds != int(seconds):
        raise ConfigError(f'{where} = {value!r} does not fit; write whole seconds, like 60, or a duration, like "5m"')
    return int(seconds)


def _revalidate(value: object, where: str) -> int:
    return YEAR if value is False else _seconds(value, where)


def _switch(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where} = {value!r} does not fit; write true or false")
    return value


def _list_of(read: Callable[[object, str], str]) -> Callable[[object, str], tuple[str, ...]]:
    def read_all(value: object, where: str) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ConfigError(f"{where} = {value!r} is no list; write one like [{written(value)}]")
        return tuple(read(one, where) for one in value)

    return read_all


def _name(value: object, where: str) -> str:
    """A tag, or the name of a parameter or a cookie."""
    printable = isinstance(value, str) and value.isprintable() and value.isascii()
    if not isinstance(value, str) or not printable or not value or not set(value).isdisjoint(' ",;=&?#'):
        raise ConfigError(f"{where}: {value!r} is no name; write printable ASCII without spaces, commas and quotes")
    return value


KEYS: Mapping[str, Callable[[Any, str], Any]] = {
    "path": _path,
    "host": _host,
    "dynamic": _dynamic,
    "revalidate": _revalidate,
    "stale_while_revalidate": _seconds,
    "stale_if_error": _seconds,
    "tags": _list_of(_name),
    "ignore_parameters": _list_of(_name),
    "keep_parameters": _list_of(_name),
    "sort_parameters": _switch,
    "key_headers": _list_of(field_name),
    "key_cookies": _list_of(_name),
    "strip_set_cookie": _switch,
    "only": _list_of(_path),
    "rules": partial(table_of, line="[routes.rules]"),
}
