"""A comparison for people: in what the dialects differ, side by side, and in one line that in which they agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.core.because import span
from app.core.fields import spelled
from app.core.reasons import Reason
from app.table.columns import COLUMNS, agreement
from app.table.layout import blocks, judged, lines_of_text, shortened
from app.table.words import cookie_words, route_words

Comparison = Mapping[str, Any]
Treatment = Mapping[str, Any]
Reasons = dict[str, list[str]]

TURNS = {"first": "1st", "second": "2nd", "stale": "just stale", "down": "origin down"}
NOTHING = "–"
SEPARATOR = " · "
# Reasons that need no explanation: a miss at first, then a hit, and no answer of an origin that is down.
EXPECTED = frozenset({Reason.URI_MISS, Reason.FRESH, Reason.ORIGIN_UNREACHABLE})


def rendered(comparison: Comparison, width: int, *, colour: bool) -> str:
    """All of it, at most `width` columns wide, but for names and values that are longer by themselves."""
    return "\n".join(_Text(comparison, width, colour).lines())


class _Text:
    def __init__(self, comparison: Comparison, width: int, colour: bool) -> None:
        self.comparison, self.width, self.colour = comparison, width, colour
        self.dialects: list[Treatment] = comparison["dialects"]
        self.differs: list[str] = comparison["differs"]
        self.names = max(len(one["dialect"]) for one in self.dialects)

    def lines(self) -> Iterator[str]:
        for part in (self.head(), self.table(), self.agreed(), self.why(), self.leaks(), self.control(), self.words()):
            found = list(part)
            if found:
                yield from found
                yield ""

    def head(self) -> Iterator[str]:
        told = self.comparison
        ago = f", answered {span(told['ago'])} ago" if "fetched" in told and not told["fetched"] else ""
        yield self.bold(f"{told['method']} {told['url']}  {told['status']}{ago}")
        for field in told["fields"]:
            yield from lines_of_text(f"{spelled(field['name'])}: {field['value']}", self.width, "  ", "      ")
        if told.get("route"):
            said = f"over the rules of {'each' if not told['without_route'] else 'each but those below'}, the route "
            yield from lines_of_text(f"{said}{route_words(told['route'])}", self.width, "  ", "      ")
            for name, fault in told["without_route"].items():
                yield from lines_of_text(f"{name} without it: {fault}", self.width, "  ", "      ")

    def table(self) -> Iterator[str]:
        columns = [one for one in COLUMNS if one.differs_in(self.differs)]
        if not columns:
            return
        rows = [[one["dialect"], *(column.cell(one) for column in columns)] for one in self.dialects]
        for number, block in enumerate(blocks(["", *(column.title for column in columns)], rows, self.width)):
            if number:
                yield ""
            yield self.bold(block[0])
            yield from block[1:]

    def agreed(self) -> Iterator[str]:
        if len(self.dialects) == 1:
            said = agreement(self.dialects[0], [])
            yield from lines_of_text(said, self.width, f"{self.dialects[0]['dialect']}: ", "    ")
        elif said := agreement(self.dialects[0], self.differs):
            yield from lines_of_text(said, self.width, "all alike: ", "    ")

    def why(self) -> Iterator[str]:
        """The reasons of each request, those that everybody expects left out, and what they mean."""
        by_turn = {title: self.reasons_of(turn) for turn, title in TURNS.items()}
        if not any(by_turn.values()):
            return
        yield self.bold("why")
        last: Reasons = {}
        for title, found in by_turn.items():
            if found and found != last:
                yield from self.reason_lines(title, found)
                last = found
        for reason in dict.fromkeys(reason for found in by_turn.values() for reason in found):
            judgement = self.comparison["reasons"][reason]
            yield from lines_of_text(judged(judgement, " = "), self.width, "  ", "      ")

    def reason_lines(self, title: str, found: Reasons) -> Iterator[str]:
        first = f"  {title:11}  "
        for reason, names in sorted(found.items(), key=lambda pair: -len(pair[1])):
            said = ", ".join(names) if len(names) < len(self.dialects) else "all"
            yield from lines_of_text(f"{reason}: {said}", self.width, first, " " * (len(first) + 2))
            first = " " * len(first)

    def reasons_of(self, turn: str) -> Reasons:
        """By reason, who has it."""
        found: Reasons = {}
        for one in self.dialects:
            if one[turn] is not None and one[turn]["reason"] not in EXPECTED:
                found.setdefault(one[turn]["reason"], []).append(one["dialect"])
        return found

    def leaks(self) -> Iterator[str]:
        fates = {one["set_cookie"] for one in self.dialects}
        if fates == {None} or len(fates) == 1:
            return
        yield self.bold("the cookie that it sets")
        for fate in ("all", "first", "nobody", "each"):
            names = [one["dialect"] for one in self.dialects if one["set_cookie"] == fate]
            if names:
                yield from self.said_of(cookie_words(fate), names)

    def control(self) -> Iterator[str]:
        if "cache_control" not in self.differs:
            return
        yield self.bold("Cache-Control for the client")
        values = dict.fromkeys(one["cache_control"] for one in self.dialects)
        for value in values:
            names = [one["dialect"] for one in self.dialects if one["cache_control"] == value]
            yield from self.said_of("(none)" if value is None else value, names)

    def said_of(self, text: str, names: Iterable[str]) -> Iterator[str]:
        yield from lines_of_text(text, self.width, "  ", "      ")
        yield from lines_of_text(", ".join(names), self.width, "      ", "      ")

    def words(self) -> Iterator[str]:
        """What each says of the four requests."""
        yield self.bold(f"in their own words: {SEPARATOR.join(TURNS.values())}")
        for one in self.dialects:
            name = f"  {one['dialect']:{self.names}}  "
            for line in list(self.words_of(one, self.width - len(name))) or ["nothing"]:
                yield f"{name}{line}"
                name = " " * len(name)

    def words_of(self, one: Treatment, room: int) -> Iterator[str]:
        """A line for each field, or several where one has no room; a word that stays is written once."""
        says = {title: {} if one[turn] is None else one[turn]["says"] for turn, title in TURNS.items()}
        asked_for = self.comparison["asked_for"].get(one["dialect"], {})
        for name in dict.fromkeys(name for words in says.values() for name in words):
            values = {title: words.get(name, NOTHING) for title, words in says.items()}
            asked = f" (asked for by {asked_for[name]})" if name in asked_for else ""
            said = SEPARATOR.join(values.values()) if len(set(values.values())) > 1 else values["1st"]
            if len(name) + len(asked) + 2 + len(said) <= room:
                yield f"{name}{asked}: {said}"
            else:
                yield shortened(f"{name}{asked}:", room)
                for title, value in values.items():
                    if value != NOTHING:
                        yield shortened(f"  {title:11}  {value}", room)

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text
