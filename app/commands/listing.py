"""Entries as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.why.words import rounded

Entry = Mapping[str, Any]


def lines_of(entries: Sequence[Entry]) -> Iterator[str]:
    """One for each, its columns aligned: state, what is left of its life, bytes, URL, what selects it, tags."""
    rows = [(one["state"], life(one), f"{one['size']:,} B", _what(one)) for one in entries]
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:3]]
    for state, left, size, what in rows:
        yield f"  {state:<{widths[0]}}  {left:<{widths[1]}}  {size:>{widths[2]}}  {what}"


def life(entry: Entry) -> str:
    """How long it stays as it is, or since when it is not."""
    ttl, window = entry["ttl"], entry["stale_while_revalidate"]
    match entry["state"]:
        case "fresh":
            return f"{rounded(ttl)} left"
        case "stale":
            return f"{rounded(ttl + window)} of stale left"
        case "expired":
            return f"for {rounded(max(0.0, -ttl - window))}"
        case _:
            return ""


def _what(entry: Entry) -> str:
    selecting = "  ".join(f"{one['name']}: {one['value'] or '(absent)'}" for one in entry["selecting"])
    parts = entry["key"].split(" ")[4:]
    return "   ".join(filter(None, (entry["url"], " ".join(parts), selecting, ", ".join(entry["tags"]))))


def first_of(entries: Sequence[Entry], total: int) -> Iterable[str]:
    """The entries, and how many there are besides."""
    yield from lines_of(entries)
    if total > len(entries):
        yield f"  … and {total - len(entries):,} more"
