"""Tables of TOML become records, checked against the types of their fields: a new field needs no code here.

`false` stands for None: no limit, any status, no such field. Lists of text hold field names, in any case.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from app.config_error import ConfigError, nearest
from app.core.fields import TOKEN
from app.core.rules import OF_A_ROUTE

Table = Mapping[str, object]
T = TypeVar("T")

# What a record calls the names of fields and cookies in it.
_NAMES = frozenset({"name", "field", "cookie", "renews", "if_stored"})
_KINDS = {str: "text in quotes", bool: "true or false", int: "a whole number from 0", float: "a number from 0"}


def read_toml(path: Path) -> dict[str, Any]:
    """Raises ConfigError naming the file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; name a file that exists") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}; see config/swerve.toml for how it is written") from None


def converted(hint: type[T], value: object, where: str) -> T:
    """A TOML value as the type of a dataclass field. Raises ConfigError."""
    return cast(T, _convert(hint, value, where))


def _convert(hint: Any, value: object, where: str) -> object:
    kind, arguments = get_origin(hint), get_args(hint)
    if NoneType in arguments:
        (hint,) = (one for one in arguments if one is not NoneType)
        return None if value is False else _convert(hint, value, where)
    if kind in (tuple, frozenset):
        return kind(_member(arguments[0], one, where) for one in list_of(value, where))
    if kind is Mapping:
        return _mapping(arguments, table_of(value, where), where)
    if is_dataclass(hint):
        return _record(hint, table_of(value, where), where)
    if issubclass(hint, Enum):
        if value not in list(hint):
            raise ConfigError(f"{where} = {value!r} is unknown; {nearest(str(value), [one.value for one in hint])}")
        return hint(value)
    return _scalar(hint, value, where)


def _member(hint: Any, value: object, where: str) -> object:
    converted = _convert(hint, value, where)
    return field_name(converted, where) if type(converted) is str else converted


def _mapping(arguments: tuple[Any, ...], table: Table, where: str) -> Mapping[Any, Any]:
    """By the members of an enumeration: then all of them; or by text."""
    key, value = arguments
    if issubclass(key, Enum):
        known = [one.value for one in key]
        reject_unknown(table, known, where)
        if missing := [one for one in known if one not in table]:
            raise ConfigError(f"{where}.{missing[0]} is missing; say a word for each of {', '.join(known)}")
    return {key(name): _convert(value, one, f"{where}.{name}") for name, one in table.items()}


def _record(kind: Any, table: Table, where: str) -> Any:
    found = members(settable(kind), table, where)
    for one in fields(kind):
        if one.default is MISSING and one.default_factory is MISSING and one.name not in found:
            raise ConfigError(f"{where}.{one.name} is missing; it has no default")
    for name in _NAMES & found.keys():
        found[name] = field_name(found[name], f"{where}.{name}")
    return kind(**found)


def settable(kind: Any) -> dict[str, Any]:
    """What a table may set of a record: the types of its fields by name."""
    return {name: hint for name, hint in get_type_hints(kind).items() if name != OF_A_ROUTE}


def members(hints: Mapping[str, Any], table: Table, where: str) -> dict[str, Any]:
    """What a table sets, as these types. Raises ConfigError."""
    reject_unknown(table, hints, where)
    return {key: _convert(hints[key], value, f"{where}.{key}") for key, value in table.items()}


def _scalar(hint: Any, value: object, where: str) -> object:
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint or (hint in (int, float) and not cast(float, value) >= 0):
        raise ConfigError(f"{where} = {value!r} does not fit; write {_KINDS[hint]}")
    return value


def field_name(name: object, where: str) -> str:
    """In lower case. Raises ConfigError for what is no field name."""
    text = str(name).lower()
    if TOKEN.fullmatch(text) is None:
        raise ConfigError(f"{where}: {name!r} is no field name; write one as in RFC 9110 §5.1")
    return text


def list_of(value: object, where: str) -> list[object]:
    """Raises ConfigError for what is no list."""
    if not isinstance(value, list):
        raise ConfigError(f"{where} = {value!r} is no list; write [{value!r}]")
    return value


def table_of(value: object, where: str, line: str = "[table]") -> dict[str, object]:
    """Raises ConfigError for what is no table; `line`: below which its keys are to be written."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where} = {value!r} is no table; write its keys below a line {line}")
    return value


def reject_unknown(names: Any, known: Any, where: str) -> None:
    """Raise ConfigError for the first of `names` that is not among the `known` ones."""
    for name in names:
        if name not in known:
            raise ConfigError(f"{where}: {name} is unknown; {nearest(name, known)}")
