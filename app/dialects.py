"""Dialect files: TOML in, a Dialect out, checked against the types of its fields so that a new knob needs no code here.

    name = "…"   about = "…"   as_of = "2026-11"   sources = ["…"]
    notes = [{ … }]             the fields of Note: what is not emulated, unconfirmed, or our choice
    [speech]                    the plain fields of Dialect: hidden, server, client_cache_control …
    [speech.announced]          request field = value, which may use {client}, {scheme} and {host}
    [speech.confined]           request field = the beginning of the only paths to which a client may send it
    [speech.fields.FIELD]       the fields of SpokenField; `words` has one for each Result, or is left out
    [speech.identity]           the fields of IdentityField
    [speech.error]              name, otherwise, and [speech.error.codes]: RFC 9209 error type or reason = code
    [rules]                     the fields of Rules

`false` stands for None: no limit, any status, no such field. Lists of text hold field names, in any case.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from string import Formatter
from types import MappingProxyType, NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from app.config_error import ConfigError, nearest
from app.core.decisions import Result
from app.core.dialect import Dialect, Note
from app.core.directives import Directives
from app.core.exposure import exposed
from app.core.fields import TOKEN
from app.core.reasons import Reason
from app.core.rules import OF_A_ROUTE, Rules
from app.core.speech import SLOTS, SpokenField
from app.upstream.errors import ProxyError

Table = Mapping[str, object]
T = TypeVar("T")

_INSTALLED = Path(__file__).parent / "_config"
CONFIG = _INSTALLED if _INSTALLED.exists() else Path(__file__).parent.parent / "config"

_TOP = ("name", "about", "as_of", "sources", "notes", "speech", "rules")
# More is in no CDN's field.
LONGEST_RANDOM = 128
_SLOTS = ("region", "node", "millis", "random")
# What a record calls the names of fields and cookies in it.
_NAMES = frozenset({"name", "field", "cookie", "renews", "if_stored"})
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/(\*|[a-z0-9.+-]+)")
# What to write so that nothing of this makes a stored response one client's own.
_KEPT_APART = {
    "Authorization": 'authorization = "bypass"',
    "Cookie": 'cookies = "bypass"',
    "POST": "store_post = false",
    "the query": 'query = "withhold"',
}
_NOTHING: Table = MappingProxyType({})
_KINDS = {str: "text in quotes", bool: "true or false", int: "a whole number from 0", float: "a number from 0"}


def dialect_names() -> list[str]:
    """The dialects that come with Swerve."""
    return sorted(path.stem for path in (CONFIG / "dialects").glob("*.toml"))


def load_dialect(name_or_path: str, overrides: Table = _NOTHING, where: str = "[rules]") -> Dialect:
    """The dialect of that name, or in that .toml file, with the operator's own rules put over its own.

    `where` is how messages name the table of overrides. Raises ConfigError.
    """
    path = dialect_path(name_or_path)
    dialect = _dialect(read_toml(path), str(path))
    _check_rules(dialect.rules, f"{path}: rules")
    # A CDN may well not know no-store: then private is the word by which its customers keep their clients apart.
    unknown = dialect.rules.ignored_directives & {"no-store"}
    check_exposed(dialect, {pair for pair in exposed(dialect) if pair[0] in unknown}, f"{path}: rules")
    changed = replace(dialect, rules=with_rules(dialect.rules, overrides, where))
    check_exposed(changed, exposed(dialect), where)
    return changed


def with_rules(rules: Rules, overrides: Table, where: str) -> Rules:
    """The rules with others put over them. Raises ConfigError."""
    changed = replace(rules, **_members(_hints(Rules), overrides, where))
    _check_rules(changed, where)
    return changed


def check_exposed(dialect: Dialect, accepted: Collection[tuple[str, str]], where: str) -> None:
    """Raise ConfigError where its rules share more than what is `accepted` of what is for one client (see exposed)."""
    pairs = exposed(dialect).difference(accepted)
    if not pairs:
        return
    directives, seen = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
    what = f"what says {' or '.join(directives)} would be given to everybody, while the origin sees {', '.join(seen)}"
    raise ConfigError(f"{where}: {what}; write {', '.join(map(_KEPT_APART.__getitem__, seen))}, or obey it")


def dialect_path(name_or_path: str) -> Path:
    """Raises ConfigError for a name that no file has."""
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    if name_or_path not in dialect_names():
        raise ConfigError(f"dialect {name_or_path!r} is unknown; {nearest(name_or_path, dialect_names())}")
    return CONFIG / "dialects" / f"{name_or_path}.toml"


def read_toml(path: Path) -> dict[str, Any]:
    """Raises ConfigError naming the file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; name a file that exists") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}; see config/swerve.toml for how it is written") from None


def _dialect(table: Table, file: str) -> Dialect:
    reject_unknown(table, _TOP, file)
    for key in ("name", "as_of", "speech", "rules"):
        if key not in table:
            raise ConfigError(f"{file}: {key} is missing; a dialect says name, as_of, speech and rules")
    sources = _list(table.get("sources", []), f"{file}: sources")
    return Dialect(
        name=converted(str, table["name"], f"{file}: name"),
        as_of=converted(str, table["as_of"], f"{file}: as_of"),
        sources=tuple(converted(str, one, f"{file}: sources") for one in sources),
        about=converted(str, table.get("about", ""), f"{file}: about"),
        notes=tuple(converted(Note, one, f"{file}: notes") for one in _list(table.get("notes", []), f"{file}: notes")),
        rules=converted(Rules, table["rules"], f"{file}: rules"),
        **_speech(_table(table["speech"], f"{file}: speech"), f"{file}: speech"),
    )


def _speech(table: Table, where: str) -> dict[str, Any]:
    """The fields of Dialect that [speech] sets, of which three are written as tables by name."""
    tables = ("fields", "announced", "confined")
    hints = {name: hint for name, hint in get_type_hints(Dialect).items() if name not in (*_TOP, *tables)}
    reject_unknown(table, (*hints, *tables), where)
    found = _members(hints, {key: value for key, value in table.items() if key not in tables}, where)
    found["fields"] = tuple(
        converted(SpokenField, {**_table(one, f"{where}.fields.{name}"), "name": name}, f"{where}.fields.{name}")
        for name, one in _table(table.get("fields", {}), f"{where}.fields").items()
    )
    for one in ("announced", "confined"):
        found[one] = tuple(
            (field_name(name, f"{where}.{one}"), converted(str, value, f"{where}.{one}.{name}"))
            for name, value in _table(table.get(one, {}), f"{where}.{one}").items()
        )
    for name, value in found["announced"]:
        _check_template(value, ("client", "scheme", "host"), f"{where}.announced.{name}")
    _check_words(found, where)
    _check_values(found, where)
    return found


def _check_words(speech: Mapping[str, Any], where: str) -> None:
    """What types cannot say: the slots of the identity's template, and what error codes are given for."""
    if speech.get("identity") is not None:
        _check_template(speech["identity"].template, _SLOTS, f"{where}.identity.template")
    for field in speech["fields"]:
        _check_template(field.value, SLOTS, f"{where}.fields.{field.name}.value")
        for word in field.templates[1:]:
            _check_template(word, SLOTS[1:], f"{where}.fields.{field.name}: {word!r}")
        reject_unknown(field.by_reason, (*Reason,), f"{where}.fields.{field.name}.by_reason")
        for key in field.by_status:
            result, _, status = key.rpartition(" ")
            _check_status(status, f"{where}.fields.{field.name}.by_status")
            reject_unknown([result] if result else [], (*Result,), f"{where}.fields.{field.name}.by_status")
    if speech.get("error") is not None:
        reject_unknown(speech["error"].codes, (*ProxyError, *Reason), f"{where}.error.codes")


def _check_rules(rules: Rules, where: str) -> None:
    """What types cannot say: which directives there are, and how a status is named."""
    known = [one.name.replace("_", "-") for one in fields(Directives)]
    for name in (
        "ignored_directives", "stale_while_revalidate_barred_by", "ignored_request_directives",
        "default_stale_if_error_barred_by", "stale_if_error_barred_by",
    ):  # fmt: skip
        reject_unknown(sorted(getattr(rules, name)), known, f"{where}.{name}")
    for name in ("default_lifetimes", "least_lifetimes", "forbidden_lifetimes"):
        for status in getattr(rules, name):
            if status != "*":
                _check_status(status, f"{where}.{name}", ", or *")
    for media_type in rules.default_lifetimes_by_type:
        if _MEDIA_TYPE.fullmatch(media_type) is None:
            fix = "write one like text/css, or image/* for all of a kind, in lower case"
            raise ConfigError(f"{where}.default_lifetimes_by_type: {media_type!r} is no media type; {fix}")


def _check_status(status: str, where: str, more: str = "") -> None:
    if re.fullmatch(r"[1-5](\d\d|xx)", status) is None:
        raise ConfigError(f"{where}: {status!r} is no status; write one like 404, or a class like 4xx{more}")


def _check_template(template: str, known: Collection[str], where: str) -> None:
    try:
        parts = [(slot, form) for _, slot, form, _ in Formatter().parse(template) if slot is not None]
    except ValueError as error:
        raise ConfigError(f"{where}: {error}; write a brace twice to mean it") from None
    reject_unknown((slot for slot, _ in parts), known, where)
    for slot, form in parts:
        if form and not (slot in ("random", "token") and form.isdecimal() and 0 < int(form) <= LONGEST_RANDOM):
            fix = f"only {{random:N}} and {{token:N}} have a length, up to {LONGEST_RANDOM}"
            raise ConfigError(f"{where}: {{{slot}:{form}}} cannot be filled; {fix}")


def _check_values(speech: Mapping[str, Any], where: str) -> None:
    """What goes into a field must be able to stand there (RFC 9110 §5.5)."""
    said = {name: value for name, value in speech.items() if isinstance(value, str)}
    for field in speech["fields"]:
        texts = (*field.templates, field.separator)
        said |= {f"fields.{field.name} ({place})": text for place, text in enumerate(texts)}
    said |= {f"announced.{name}": value for name, value in speech["announced"]}
    for name, value in said.items():
        if not (value.isascii() and value.isprintable()):
            raise ConfigError(f"{where}.{name}: {value!r} cannot stand in a field; write printable ASCII on one line")


def converted(hint: type[T], value: object, where: str) -> T:
    """A TOML value as the type of a dataclass field. Raises ConfigError."""
    return cast(T, _convert(hint, value, where))


def _convert(hint: Any, value: object, where: str) -> object:
    kind, arguments = get_origin(hint), get_args(hint)
    if NoneType in arguments:
        (hint,) = (one for one in arguments if one is not NoneType)
        return None if value is False else _convert(hint, value, where)
    if kind in (tuple, frozenset):
        return kind(_member(arguments[0], one, where) for one in _list(value, where))
    if kind is Mapping:
        return _mapping(arguments, _table(value, where), where)
    if is_dataclass(hint):
        return _record(hint, _table(value, where), where)
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
    found = _members(_hints(kind), table, where)
    for one in fields(kind):
        if one.default is MISSING and one.default_factory is MISSING and one.name not in found:
            raise ConfigError(f"{where}.{one.name} is missing; it has no default")
    for name in _NAMES & found.keys():
        found[name] = field_name(found[name], f"{where}.{name}")
    return kind(**found)


def _hints(kind: Any) -> dict[str, Any]:
    """What a table may set."""
    return {name: hint for name, hint in get_type_hints(kind).items() if name != OF_A_ROUTE}


def _members(hints: Mapping[str, Any], table: Table, where: str) -> dict[str, Any]:
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


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise ConfigError(f"{where} = {value!r} is no list; write [{value!r}]")
    return value


def _table(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} = {value!r} is no table; write its keys below a line [table]")
    return value


def reject_unknown(names: Any, known: Any, where: str) -> None:
    """Raise ConfigError for the first of `names` that is not among the `known` ones."""
    for name in names:
        if name not in known:
            raise ConfigError(f"{where}: {name} is unknown; {nearest(name, known)}")
