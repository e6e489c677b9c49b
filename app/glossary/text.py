"""An explained header for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.core.fields import format_date
from app.table.layout import judged, lines_of_text

Explained = Mapping[str, Any]
Reading = Mapping[str, Any]

# So many causes are told in full; of more, their names.
IN_FULL = 5
NOT_BY_DEFAULT = "not under the rules that it has by default"
# What stands in a slot, and how; the rest is a name or a number that helps nobody but the CDN's own support.
SLOTS = {
    "hits": "answers of this one cache with that stored response up to now; 0: it has asked the next one",
    "age": "seconds since the origin made or confirmed it",
    "ttl": "seconds that it stays fresh",
    "lifetime": "seconds that it may be kept in all",
    "region": "where it was answered",
    "node": "which server answered",
    "number": "the number of this response",
    "filled_by": "the number of the response that brought what is stored: that there is one means a hit",
    "elapsed": "milliseconds that it took",
    "status": "the status",
    "origin_status": "what the origin has answered now",
    "key": "the cache key",
    **dict.fromkeys(("random", "token", "ulid", "identity"), "names this one response"),
}
_TIMES = {"seconds": 1, "millis": 1_000}


def rendered(explained: Sequence[Explained], width: int, *, colour: bool) -> str:
    """All of them, one below the other."""
    parts = ("\n".join(_lines(one, width, colour)) for one in explained)
    return "\n\n".join(parts)


def _lines(one: Explained, width: int, colour: bool) -> Iterator[str]:
    title = f"{one['name']}: {one['value']}" if one["value"] else one["name"]
    yield f"\x1b[1m{title}\x1b[0m" if colour else title
    for text in one["general"]:
        yield from lines_of_text(text, width, "  ", "      ")
    for names, reading in _grouped(one["readings"]):
        yield from _reading(names, reading, one["value"], width)
    if not one["known"]:
        near = f"; did you mean {' or '.join(one['near'])}?" if one["near"] else ""
        yield f"  nobody here says that{near}" if one["words"] else f"  no dialect knows such a field{near}"
    for dialect, words in one["words"].items():
        yield from lines_of_text(f"{dialect}: {' · '.join(words)}" if words else dialect, width, "  ", "      ")


def _grouped(readings: Iterable[Reading]) -> Iterator[tuple[list[str], Reading]]:
    """The readings of dialects that read all of it alike together."""
    by_dialect: dict[str, list[Reading]] = {}
    for one in readings:
        by_dialect.setdefault(one["dialect"], []).append(one)
    found: dict[str, tuple[list[str], list[Reading]]] = {}
    for dialect, some in by_dialect.items():
        alike = repr([{name: value for name, value in one.items() if name != "dialect"} for one in some])
        found.setdefault(alike, ([], some))[0].append(dialect)
    for names, some in found.values():
        yield from ((names, one) for one in some)


def _reading(names: list[str], one: Reading, value: str, width: int) -> Iterator[str]:
    whose = ", ".join(names)
    if one["text"] != value:
        whose += f", {one['text']}" + (f" ({one['place']})" if one["place"] else "")
    if one["word"] and not one["exact"]:
        whose += f", read as {one['word']}"
    senses = one["senses"]
    alone = len(senses) == 1 and not one["meaning"]
    said = senses[0]["means"] if alone else one["meaning"]
    yield from lines_of_text(f"{whose}: {said}".rstrip(), width, "  ", "      ")
    in_full = sum(len(sense["causes"]) for sense in senses) <= IN_FULL
    for sense in senses:
        if in_full:
            yield from () if alone else lines_of_text(f"{sense['result']}: {sense['means']}", width, "    ", "        ")
            yield from _causes(sense["causes"], width)
        else:
            causes = ", ".join(cause["reason"] for cause in sense["causes"]) or NOT_BY_DEFAULT
            title = "by" if alone else f"{sense['result']}: {sense['means']} —"
            yield from lines_of_text(f"{title} {causes}", width, "    ", "        ")
    for slot, text in one["slots"].items():
        yield from _slot(slot, text, width)


def _causes(causes: Sequence[Mapping[str, Any]], width: int) -> Iterator[str]:
    if not causes:
        yield f"        {NOT_BY_DEFAULT}"
    for cause in causes:
        yield from lines_of_text(judged(cause, ": "), width, "        ", "          ")


def _slot(slot: str, text: str, width: int) -> Iterator[str]:
    said = SLOTS.get(slot)
    if slot in _TIMES and text.isdecimal():
        said = format_date(int(text) / _TIMES[slot])
    if said is not None:
        yield from lines_of_text(f"{text}: {said}", width, "        ", "          ")
