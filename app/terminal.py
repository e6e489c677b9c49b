"""What a stream that people may look at can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO


def wants_color(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Never off a terminal, nor where NO_COLOR is set to anything (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
