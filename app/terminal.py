"""What a stream that people may look at can show, and what it may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO


def wants_color(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Never off a terminal, nor where NO_COLOR is set to anything (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def harmless(value: Any) -> Any:
    """The same with everything escaped that could move a terminal's cursor: it came from clients and origins."""
    match value:
        case str():
            return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in value)
        case list():
            return [harmless(one) for one in value]
        case dict():
            return {name: harmless(one) for name, one in value.items()}
        case _:
            return value
