"""What somebody configured cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ConfigError(Exception):
    """The message names the place (file and key, flag or variable), the value, and what to write instead."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the one that was probably meant, else all of them."""
    names = {one.lower(): one for one in sorted(known)}
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    return f"did you mean {names[close[0]]}?" if close else f"known: {', '.join(names.values())}"
