"""docs/dialects.md, written from the dialects' files: `python -m tests.readme` writes it, a test compares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from app.core.dialect import NoteKind
from app.core.rules import Rules
from app.dialects import dialect_names
from app.fidelity import PLAIN, page
from app.why.words import count
from tests.tables import table

DOCUMENT = Path(__file__).parent.parent / "docs" / "dialects.md"
HEAD = f"""# How true the dialects are

Written by `python -m tests.readme` from [the dialects' files](../config/dialects): edit those. `swerve dialects NAME`
prints the same of one of them. Each value in a file has its source and its date in a comment, or says that it is
unconfirmed.

What a dialect emulates of its CDN: the fields that it says, and the rules in which it differs from `{PLAIN}`. In the
others of the {{count}} rules, and in what no rule speaks of, it does as the RFCs say.
"""
_TITLES = {
    NoteKind.NOT_EMULATED: "Not emulated",
    NoteKind.UNCONFIRMED: "Unconfirmed",
    NoteKind.CHOICE: "Our choice",
}


def document() -> str:
    pages = [page(name) for name in dialect_names()]
    rows = ((f"[{one['name']}](#{one['name']})", one["about"], one["as_of"], *_counts(one)) for one in pages)
    overview = table(("dialect", "what it is", "as of", "emulated", "not emulated", "unconfirmed", "our choice"), rows)
    return (
        "\n\n".join([HEAD.format(count=len(Rules.__dataclass_fields__)).strip(), overview, *map(_section, pages)])
        + "\n"
    )


def _counts(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"{count(len(one['says']), 'field')}, {count(len(one['differs']), 'rule')}"
    notes = {kind: sum(note["kind"] == kind for note in one["notes"]) for kind in NoteKind}
    yield str(notes[NoteKind.NOT_EMULATED])
    yield f"{notes[NoteKind.UNCONFIRMED]}, and {count(len(one['unconfirmed']), 'value')}"
    yield str(notes[NoteKind.CHOICE])


def _section(one: Mapping[str, Any]) -> str:
    parts = [f"## {one['name']}", f"{one['about'][:1].upper()}{one['about'][1:]}, as of {one['as_of']}."]
    parts.append(
        _list(f"`{short}`: {source}" for short, source in one["abbreviations"].items()) or _list(one["sources"])
    )
    parts += ["### What it says", table(("field", "value", "words"), map(_said, one["says"]))] if one["says"] else []
    if one["differs"]:
        differing = table(("rule", "here", PLAIN, "source"), map(_ruled, one["differs"]))
        parts += [f"### What it does otherwise than {PLAIN}", differing]
    for kind, title in _TITLES.items():
        notes = [note for note in one["notes"] if note["kind"] == kind]
        if notes:
            rows = ((note["what"], note["why"], note["source"]) for note in notes)
            parts += [f"### {title}", table(("what", "why", "source"), rows)]
    if one["unconfirmed"]:
        parts += ["### Values without a primary source", ", ".join(f"`{name}`" for name in one["unconfirmed"])]
    return "\n\n".join(filter(None, parts))


def _ruled(one: Mapping[str, Any]) -> Iterable[str]:
    return f"`{one['rule']}`", _code(one["value"]), _code(one[PLAIN]), one["source"]


def _said(field: Mapping[str, Any]) -> Iterable[str]:
    asked = f" to who sends {' or '.join(f'`{one}`' for one in field['asked_by'])}" if field["asked_by"] else ""
    words = " · ".join(f"{result} `{word}`" for result, word in field["words"].items() if word)
    return f"`{field['field']}`{asked}", f"`{field['value']}`", words


def _code(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text}`" if len(text) <= 200 else f"`{text[:200]}…`"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {one}" for one in items)


def write() -> None:
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(), encoding="utf-8")
