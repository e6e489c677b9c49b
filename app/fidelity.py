"""How true a dialect is: what it says and does otherwise than a plain RFC cache, and what of its CDN it lacks.

Everything is read from the dialect's file. `swerve dialects` prints it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from textwrap import fill
from typing import Any

from app.core.dialect import Dialect, Note, NoteKind
from app.core.rules import Rules
from app.core.speech import SpokenField
from app.dialects import dialect_names, dialect_path, load_dialect

WIDTH = 118
PLAIN = "standard"
_TITLES = {
    NoteKind.NOT_EMULATED: "Not emulated",
    NoteKind.UNCONFIRMED: "Unconfirmed",
    NoteKind.CHOICE: "Our choice",
}
# What the comments of a file say: a rule's source, and in its head what the sources are called.
_SOURCED = re.compile(r"^(\w+) = .*?\s# (.+)", re.MULTILINE)
_TABLE = re.compile(r"\[([^\[\]]+)\]")
_KEY = re.compile(r"([\w-]+|\"[^\"]+\") = ")
_ABBREVIATED = re.compile(r"^#   ([A-Z]+) +(.+)", re.MULTILINE)


def listed() -> list[dict[str, Any]]:
    """Every dialect that comes with Swerve: name, about, as_of, and how many notes of each kind it has."""
    return [_listed(load_dialect(name)) for name in dialect_names()]


def _listed(dialect: Dialect) -> dict[str, Any]:
    counts = {str(kind): sum(note.kind is kind for note in dialect.notes) for kind in NoteKind}
    return {"name": dialect.name, "about": dialect.about, "as_of": dialect.as_of, **counts}


def page(name_or_path: str) -> dict[str, Any]:
    """All of one dialect, as JSON has it. Raises ConfigError."""
    dialect, plain = load_dialect(name_or_path), load_dialect(PLAIN)
    text = dialect_path(name_or_path).read_text(encoding="utf-8")
    sourced = dict(_SOURCED.findall(text.partition("\n[rules]\n")[2]))
    differing = [
        one.name for one in fields(Rules) if getattr(dialect.rules, one.name) != getattr(plain.rules, one.name)
    ]
    return {
        "name": dialect.name,
        "about": dialect.about,
        "as_of": dialect.as_of,
        "sources": list(dialect.sources),
        "abbreviations": dict(_ABBREVIATED.findall(text)),
        "says": [_spoken(field) for field in dialect.fields],
        "client_lifetime": None if dialect.client_lifetime is None else asdict(dialect.client_lifetime),
        "differs": [
            {
                "rule": name,
                "value": _plainly(getattr(dialect.rules, name)),
                PLAIN: _plainly(getattr(plain.rules, name)),
                "source": sourced.get(name, ""),
            }
            for name in differing
        ],
        "notes": [asdict(note) for note in dialect.notes],
        "unconfirmed": list(_unconfirmed(text)),
    }


def _unconfirmed(text: str) -> Iterator[str]:
    """The keys of the file whose comment says so."""
    table = ""
    for line in text.splitlines():
        if (header := _TABLE.match(line)) is not None:
            table = header[1]
        elif (value := _KEY.match(line)) is not None and "unconfirmed" in line.rpartition("# ")[2]:
            yield f"{table}.{value[1]}"


def _spoken(field: SpokenField) -> dict[str, Any]:
    asked = [f"{one.field}: {one.token}" if one.token else one.field for one in field.asked_by]
    words = {**{str(result): word for result, word in field.words.items()}, **field.by_reason, **field.by_status}
    return {
        "field": field.name, "value": field.value, "words": words, "beside": str(field.beside), "asked_by": asked,
        "environment": field.environment,
    }  # fmt: skip


def _plainly(value: Any) -> Any:
    """A rule's value as JSON may have it: sets in order, records by what they set."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plainly(one) for one in value]
    if isinstance(value, Mapping):
        return dict(value)
    if not is_dataclass(value):
        return value
    said = {one.name: getattr(value, one.name) for one in fields(value) if getattr(value, one.name) != one.default}
    return {name: _plainly(one) for name, one in said.items()}


def list_text() -> str:
    rows = listed()
    width = max(len(row["name"]) for row in rows)
    return "\n".join(f"{row['name']:{width}}  {row['as_of']}  {row['about']}" for row in rows)


def page_text(name_or_path: str) -> str:
    """The same for people. Raises ConfigError."""
    found = page(name_or_path)
    notes = [Note(**note) for note in found["notes"]]
    abbreviations = [f"{short}: {source}" for short, source in found["abbreviations"].items()]
    sources = _indented(abbreviations or found["sources"])
    parts = [[f"{found['name']}: {found['about']} (as of {found['as_of']})", *sources]]
    said = [line for field in found["says"] for line in _field_lines(field)]
    parts.append(["What it says", *said, *_client_lines(found["client_lifetime"])])
    parts.append([f"What it does otherwise than {PLAIN}", *(_rule_line(one) for one in found["differs"])])
    for kind, title in _TITLES.items():
        parts.append([title, *_indented(f"{one.what}: {one.why} [{one.source}]" for one in notes if one.kind is kind)])
    unconfirmed = [", ".join(found["unconfirmed"])] if found["unconfirmed"] else []
    parts.append(["Values without a primary source", *_indented(unconfirmed)])
    return "\n\n".join("\n".join(part) for part in parts if len(part) > 1)


def _field_lines(field: Mapping[str, Any]) -> list[str]:
    asked = f", for who sends {' or '.join(field['asked_by'])}" if field["asked_by"] else ""
    where = f", in {field['environment']} only" if field["environment"] else ""
    words = " · ".join(f"{result} {word}" for result, word in field["words"].items() if word)
    return _indented([f"{field['field']}: {field['value']}{asked}{where}", *([f"  {words}"] if words else [])])


def _client_lines(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return []
    bounds = [f"at least {found['least']} seconds"] if found["least"] else []
    bounds += ["no longer than what is left here"] if found["remaining"] else []
    return _indented([f"cache-control: clients may keep what is stored for {', '.join(bounds)}"])


def _rule_line(one: Mapping[str, Any]) -> str:
    value, plain = (json.dumps(one[name], ensure_ascii=False) for name in ("value", PLAIN))
    other = f", not {plain}" if isinstance(one[PLAIN], str | int | float) else ""
    source = f" [{one['source']}]" if one["source"] else ""
    return _indented([f"{one['rule']} = {value}{other}{source}"])[0]


def _indented(texts: Iterable[str]) -> list[str]:
    return [
        fill(text, WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False) for text in texts
    ]
