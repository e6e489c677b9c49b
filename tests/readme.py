"""The README's tables, written from the code: `python -m tests.readme` puts them in, a test compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from app.admin.operation import Operation
from app.admin.routes import OPERATIONS
from app.core.decisions import Result
from app.core.reasons import MEANINGS, Reason
from app.dialects import dialect_names, load_dialect
from app.settings_table import SETTINGS

README = Path(__file__).parent.parent / "README.md"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def reasons() -> str:
    rows = (
        (f"`{reason}`", meaning.phase, meaning.meaning, meaning.section, meaning.advice)
        for reason, meaning in ((reason, MEANINGS[reason]) for reason in Reason)
    )
    return table(("reason", "when", "what it means", "where it is written", "what to do"), rows)


def words() -> str:
    fields = [(name, status) for name in dialect_names() for status in load_dialect(name).fields if status.words]
    # The dialect's file has the others: words with slots are as long as a line each, and some are of few results alone.
    short = [(name, status) for name, status in fields if not any("{" in word for word in status.words.values())]
    plain = [(name, status) for name, status in short if status.words[Result.HIT] or status.words[Result.MISS]]
    rows = ((f"`{name}`: {status.name}", *(_code(status.words[result]) for result in Result)) for name, status in plain)
    return table(("dialect: field", *Result), rows)


def settings() -> str:
    rows = ((f"`{row.name}`", _code(row.flag), _code(row.env[0]), _code(row.default), row.help) for row in SETTINGS)
    return table(("setting", "flag", "environment", "default", ""), rows)


def operations() -> str:
    rows = ((f"`{one.method} {one.path}`", one.about, ", ".join(_asked(one))) for one in OPERATIONS)
    return table(("", "what it does", "what it takes"), rows)


def _asked(one: Operation) -> list[str]:
    names = [field.name for field in fields(one.asks)] if one.asks is not None else []
    return [f"`{name}`" for name in names] + [f"`?{each.name}=`" for each in one.parameters if each.place == "query"]


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


TABLES = {"reasons": reasons, "words": words, "settings": settings, "operations": operations}


def written(text: str) -> str:
    """The README's text with its tables as the code says they are."""
    for name, make in TABLES.items():
        start, end = text.index(f"<!-- {name}: "), text.index(f"<!-- /{name} -->")
        begin = text.index("-->", start) + len("-->\n")
        text = f"{text[:begin]}\n{make()}\n\n{text[end:]}"
    return text


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
