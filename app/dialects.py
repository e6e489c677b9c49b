"""Dialect files: TOML in, a Dialect out (app/records.py reads values, app/dialect_checks.py what types cannot say).

name = "…"   about = "…"   as_of = "2026-11"   sources = ["…"]
notes = [{ … }]             the fields of Note: what is not emulated, unconfirmed, or our choice
[speech]                    the plain fields of Dialect: hidden, server, client_cache_control …
[speech.announced]          request field = value, which may use {client}, {scheme} and {host}
[speech.confined]           request field = the beginning of the only paths to which a client may send it
[speech.fields.FIELD]       the fields of SpokenField; `words` has one for each Result, or is left out
[speech.identity]           the fields of IdentityField
[speech.error]              name, otherwise, and [speech.error.codes]: RFC 9209 error type or reason = code
[rules]                     the fields of Rules
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_type_hints

from app.config_error import ConfigError, nearest
from app.core.dialect import Dialect, Note
from app.core.exposure import exposed
from app.core.rules import Rules
from app.core.speech import SpokenField
from app.dialect_checks import check_exposed, check_rules, check_values, check_words
from app.records import Table, converted, field_name, list_of, members, read_toml, reject_unknown, settable, table_of

_INSTALLED = Path(__file__).parent / "_config"
CONFIG = _INSTALLED if _INSTALLED.exists() else Path(__file__).parent.parent / "config"

_TOP = ("name", "about", "as_of", "sources", "notes", "speech", "rules")
_NOTHING: Table = MappingProxyType({})


def dialect_names() -> list[str]:
    """The dialects that come with Swerve."""
    return sorted(path.stem for path in (CONFIG / "dialects").glob("*.toml"))


def load_dialect(name_or_path: str, overrides: Table = _NOTHING, where: str = "[rules]") -> Dialect:
    """The dialect of that name, or in that .toml file, with the operator's own rules put over its own.

    `where` is how messages name the table of overrides. Raises ConfigError.
    """
    path = dialect_path(name_or_path)
    dialect = _dialect(read_toml(path), str(path))
    check_rules(dialect.rules, f"{path}: rules")
    # A CDN may well not know no-store: then private is the word by which its customers keep their clients apart.
    unknown = dialect.rules.ignored_directives & {"no-store"}
    check_exposed(dialect, {pair for pair in exposed(dialect) if pair[0] in unknown}, f"{path}: rules")
    changed = replace(dialect, rules=with_rules(dialect.rules, overrides, where))
    check_exposed(changed, exposed(dialect), where)
    return changed


def with_rules(rules: Rules, overrides: Table, where: str) -> Rules:
    """The rules with others put over them. Raises ConfigError."""
    changed = replace(rules, **members(settable(Rules), overrides, where))
    check_rules(changed, where)
    return changed


def dialect_path(name_or_path: str) -> Path:
    """Raises ConfigError for a name that no file has."""
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    if name_or_path not in dialect_names():
        raise ConfigError(f"dialect {name_or_path!r} is unknown; {nearest(name_or_path, dialect_names())}")
    return CONFIG / "dialects" / f"{name_or_path}.toml"


def _dialect(table: Table, file: str) -> Dialect:
    reject_unknown(table, _TOP, file)
    for key in ("name", "as_of", "speech", "rules"):
        if key not in table:
            raise ConfigError(f"{file}: {key} is missing; a dialect says name, as_of, speech and rules")
    sources, notes = (list_of(table.get(name, []), f"{file}: {name}") for name in ("sources", "notes"))
    return Dialect(
        name=converted(str, table["name"], f"{file}: name"),
        as_of=converted(str, table["as_of"], f"{file}: as_of"),
        sources=tuple(converted(str, one, f"{file}: sources") for one in sources),
        about=converted(str, table.get("about", ""), f"{file}: about"),
        notes=tuple(converted(Note, one, f"{file}: notes") for one in notes),
        rules=converted(Rules, table["rules"], f"{file}: rules"),
        **_speech(table_of(table["speech"], f"{file}: speech"), f"{file}: speech"),
    )


def _speech(table: Table, where: str) -> dict[str, Any]:
    """The fields of Dialect that [speech] sets, of which three are written as tables by name."""
    tables = ("fields", "announced", "confined")
    hints = {name: hint for name, hint in get_type_hints(Dialect).items() if name not in (*_TOP, *tables)}
    reject_unknown(table, (*hints, *tables), where)
    found = members(hints, {key: value for key, value in table.items() if key not in tables}, where)
    found["fields"] = tuple(
        converted(SpokenField, {**table_of(one, f"{where}.fields.{name}"), "name": name}, f"{where}.fields.{name}")
        for name, one in table_of(table.get("fields", {}), f"{where}.fields").items()
    )
    for one in ("announced", "confined"):
        found[one] = tuple(
            (field_name(name, f"{where}.{one}"), converted(str, value, f"{where}.{one}.{name}"))
            for name, value in table_of(table.get(one, {}), f"{where}.{one}").items()
        )
    check_words(found, where)
    check_values(found, where)
    return found
