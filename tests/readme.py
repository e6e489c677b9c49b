"""The README's tables and transcripts, from the code: `python -m tests.readme` puts them in, a test compares."""

from __future__ import annotations

import shlex
from dataclasses import fields
from functools import partial
from pathlib import Path

from click.testing import CliRunner

from app.admin.operation import Operation
from app.admin.routes import OPERATIONS
from app.cli import cli
from app.core.decisions import Result
from app.core.reasons import MEANINGS, Reason
from app.dialects import dialect_names, load_dialect
from app.settings_table import SETTINGS
from tests import dialects_page
from tests.tables import table

README = Path(__file__).parent.parent / "README.md"


def reasons() -> str:
    rows = (
        (f"`{reason}`", meaning.phase, meaning.meaning, meaning.section, meaning.advice)
        for reason, meaning in ((reason, MEANINGS[reason]) for reason in Reason)
    )
    return table(("reason", "when", "what it means", "where it is written", "what to do"), rows)


def words() -> str:
    fields = [(name, status) for name in dialect_names() for status in load_dialect(name).fields if status.words]
    # The dialect's file has the others: words with slots are as long as a line each, and some are all the same.
    short = [(name, status) for name, status in fields if not any("{" in word for word in status.words.values())]
    plain = [(name, status) for name, status in short if len({*status.words.values()} - {""}) > 1]
    rows = ((f"`{name}`: {status.name}", *(_code(status.words[result]) for result in Result)) for name, status in plain)
    return table(("dialect: field", *Result), rows)


def settings() -> str:
    rows = (
        (
            f"`{row.name}`",
            _code(row.flag),
            _code(row.env[0]),
            _code(row.default),
            "restart" if row.restart else "",
            row.help,
        )
        for row in SETTINGS
    )
    return table(("setting", "flag", "environment", "default", "to change it", ""), rows)


def operations() -> str:
    rows = ((f"`{one.method} {one.path}`", one.about, ", ".join(_asked(one))) for one in OPERATIONS)
    return table(("", "what it does", "what it takes"), rows)


def _asked(one: Operation) -> list[str]:
    names = [field.name for field in fields(one.asks)] if one.asks is not None else []
    return [f"`{name}`" for name in names] + [f"`?{each.name}=`" for each in one.parameters if each.place == "query"]


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def transcript(*commands: str) -> str:
    """Commands as they are typed, each with what it prints. None of them asks anybody."""
    shown = []
    for command in commands:
        done = CliRunner().invoke(cli, shlex.split(command)[1:], env={"COLUMNS": "100"}, prog_name="swerve")
        shown.append(f"$ {command}\n{done.stdout.strip()}")
    return "```console\n" + "\n".join(shown) + "\n```"


CONTROL = "cache-control: public, max-age=60, s-maxage=300, stale-while-revalidate=30"
COMPARED = f"swerve table /blog -R '{CONTROL}' --dialects vercel,cloudflare,nginx,squid"
EXPLAINED = ("swerve explain-header 'cf-cache-status: DYNAMIC'", "swerve explain-header 'x-cache: hit-fresh, miss'")
TABLES = {"reasons": reasons, "words": words, "settings": settings, "operations": operations}
TABLES |= {"compared": partial(transcript, COMPARED), "explained": partial(transcript, *EXPLAINED)}


def written(text: str) -> str:
    """The README's text with its tables as the code says they are."""
    for name, make in TABLES.items():
        start, end = text.index(f"<!-- {name}: "), text.index(f"<!-- /{name} -->")
        begin = text.index("-->", start) + len("-->\n")
        text = f"{text[:begin]}\n{make()}\n\n{text[end:]}"
    return text


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
    dialects_page.write()
