"""What the commands have in common that look at dialects side by side."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import click

from app.core.dialect import Dialect
from app.dialects import dialect_names, load_dialect

DIALECTS = click.option("--dialects", "names", metavar="A,B,…", help="only these: names, or .toml files of your own")


def chosen(names: str | None) -> list[str]:
    """Those that were named; none: all."""
    return [] if names is None else [name.strip() for name in names.split(",")]


def loaded(names: Sequence[str]) -> list[Dialect]:
    """Raises ConfigError."""
    return [load_dialect(name) for name in dict.fromkeys(names or dialect_names())]


def width() -> int:
    """How many columns there are to write in."""
    return max(60, min(160, shutil.get_terminal_size((100, 24)).columns))
