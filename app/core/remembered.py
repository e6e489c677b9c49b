"""A memory for pure functions of text: the same few field values come again and again, and are read once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar, TypeVarTuple, cast

Texts = TypeVarTuple("Texts")
Read = TypeVar("Read")

# Bounds, for clients choose what comes: longer texts are read each time, and the least recently used are forgotten.
LONGEST = 512
MOST = 512


def remembered(function: Callable[[*Texts], Read]) -> Callable[[*Texts], Read]:
    """A function whose arguments are all strings, with a memory. Its results are shared, so they must be frozen."""
    recall = lru_cache(MOST)(function)
    joined = cast(Callable[[tuple[*Texts]], str], "".join)

    @wraps(function)
    def read(*texts: *Texts) -> Read:
        return recall(*texts) if len(joined(texts)) <= LONGEST else function(*texts)

    return read
