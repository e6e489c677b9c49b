"""The reasoning for people: what happens, because of what, and every rule that was looked at."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from app.table.words import route_words
from app.why.drawing import WIDTH, drawing
from app.why.words import (
    absent,
    became,
    changes_words,
    count,
    governance_words,
    lifetime_words,
    outcome_words,
    rounded,
)

Reasoning = dict[str, Any]

_GREEN, _RED, _BOLD, _DIM = "32", "31", "1", "2"
_LABEL = 12  # the width of the first column, indented by two


def rendered(reasoning: Reasoning, *, colour: bool) -> str:
    """All of it, 100 columns wide."""
    return "\n".join(Text(reasoning, colour).lines())


class Text:
    """One reasoning on its way to paper."""

    def __init__(self, reasoning: Reasoning, colour: bool) -> None:
        self.reasoning = reasoning
        self.colour = colour

    def lines(self) -> Iterator[str]:
        yield from self.headline()
        yield ""
        yield from self.causes()
        yield from self.advice()
        for number, variant in enumerate(self.reasoning["variants"], 1):
            yield ""
            yield from self.variant(number, variant)
        yield ""
        yield from self.rules("refused at request time (✗ refuses)", self.reasoning["checks"])
        yield from self.last_answer()
        yield from self.splitting()

    def headline(self) -> Iterator[str]:
        request, outcome = self.reasoning["request"], outcome_words(self.reasoning)
        left = f"{request['method']} {request['url']}"
        gap = " " * max(2, WIDTH - len(left) - len(outcome))
        yield f"{self.paint(left, _BOLD)}{gap}{outcome}" if len(left) + len(outcome) + 2 <= WIDTH else left
        if len(left) + len(outcome) + 2 > WIDTH:
            yield f"  {outcome}"

    def causes(self) -> Iterator[str]:
        reasoning = self.reasoning
        answer = reasoning["answer"]["judgement"]
        yield from row("because", f"{reasoning['because']}  [{answer['reason']}, {answer['section']}]")
        governance = self._governance()
        if governance:
            yield from row("from", governance)
        yield from row("key", reasoning["key"]["text"])
        if reasoning["route"]:
            yield from row("route", route_words(reasoning["route"]))
            yield from row("changes", changes_words(reasoning["route"]))
        last = reasoning["last_request"]
        if last:
            how = f"{last['status']} {last['result']} ({last['reason']}) in {last['duration'] * 1000:.0f} ms"
            asked = "; explained with its fields, -H asks with others" if reasoning["request"]["as_last"] else ""
            yield from row("last seen", f"{rounded(last['ago'])} ago: {how}{asked}")
        if reasoning["says"]:
            yield from row("says", ", ".join(f"{name}: {word}" for name, word in reasoning["says"].items()))
        if reasoning["in_flight"]:
            yield from row("now", "it is being fetched; the same request would wait for that")
        elif reasoning["uncacheable"]:
            yield from row("now", "known as uncacheable for a while: nobody waits for another's answer")

    def _governance(self) -> str:
        """What governed the selected variant, else the last answer."""
        selected = [variant for variant in self.reasoning["variants"] if variant["selected"]]
        last = self.reasoning["last_answer"]
        if selected or last:
            return governance_words(selected[0]["governance"] if selected else last["governance"])
        return ""

    def variant(self, number: int, variant: Reasoning) -> Iterator[str]:
        """One stored response: what selects it, its numbers, its life."""
        chosen = "  ← selected" if variant["selected"] else ""
        vary = ", ".join(f"{field['name']}: {absent(field['value'])}" for field in variant["selecting"]) or "none"
        title = f"stored {number}  status {variant['status']}, {variant['size']:,} bytes, age {rounded(variant['age'])}"
        yield f"  {self.paint(title, _BOLD)}{chosen}"
        yield from row("vary", vary)
        yield from row("lifetime", lifetime_words(variant))
        marks = [*variant["flags"]]
        if variant["failures"]:
            held = variant["timeline"]["held_until"]["from_now"]
            rest = f", the next try waits {rounded(held)} more" if held > 0 else ""
            marks.append(f"{variant['failures']} failed refreshes{rest}")
        if marks:
            yield from row("marks", ", ".join(marks))
        validators = [f"{name}: {variant[key]}" for name, key in _VALIDATORS if variant[key]]
        yield from row("validators", ", ".join(validators) or "none: once stale, the whole is fetched again")
        yield ""
        yield from drawing(variant["timeline"])

    def rules(self, title: str, checks: list[Reasoning]) -> Iterator[str]:
        yield f"  {self.paint(title, _BOLD)}"
        for check in checks:
            yield from self.rule(check)

    def rule(self, check: Reasoning) -> Iterator[str]:
        mark = self.paint("✓", _GREEN) if check["ok"] else self.paint("✗", _RED)
        found = check["found"]
        said = found if check["ok"] else f"{check['meaning']}: {found}" if found else check["meaning"]
        room = WIDTH - 4 - 24 - len(check["section"]) - 2
        first, *rest = textwrap.wrap(said, room, break_on_hyphens=False) or [""]
        if check["ok"] and rest:
            first, rest = f"{first[: room - 1]}…", []
        yield f"  {mark} {check['reason']:24}{first:{room}}  {self.paint(check['section'], _DIM)}"
        yield from (f"    {'':24}{line}" for line in rest)

    def last_answer(self) -> Iterator[str]:
        last, title = self.reasoning["last_answer"], self.paint("refused at response time (✗ refuses)", _BOLD)
        yield ""
        if last is None:
            yield f"  {title}  the origin has not answered under this key lately"
            return
        yield f"  {title}  {rounded(last['ago'])} ago: {last['status']} to {last['method']}, {became(last)}"
        for check in last["checks"]:
            yield from self.rule(check)

    def splitting(self) -> Iterator[str]:
        found = self.reasoning["splitting"]
        yield ""
        title = self.paint("a key that is new every time", _BOLD)
        if found is None:
            yield f"  {title}  no: nothing splits this path lately"
            return
        always = ", a new one every time" if found["keys"] == found["requests"] > 2 else ""
        seen = f"{count(found['keys'], 'key')} for {count(found['requests'], 'recent request')}{always}"
        under = f"; {count(found['variants'], 'variant')} under this one" if found["variants"] > 1 else ""
        yield f"  {title}  {seen}{under}"
        for splitter in found["splitters"]:
            left = count(splitter["without"], "variant" if splitter["kind"] == "vary" else "key")
            words = f"{splitter['values']} values; without it there would be {left}"
            yield f"  {self.paint('✗', _RED)} {_KINDS[splitter['kind']]}{splitter['name']}: {words}"

    def advice(self) -> Iterator[str]:
        """What to do, each once; nothing when the store answers and is fresh."""
        last, advices = self.reasoning["last_answer"], [self.reasoning["answer"]["judgement"]["advice"]]
        if self.reasoning["answer"]["kind"] != "hit" and last and last["judgement"]:
            advices.append(last["judgement"]["advice"])
        if self.reasoning["splitting"]:
            worst = self.reasoning["splitting"]["splitters"][0]
            advices.append(_SPLIT_ADVICE[worst["kind"]].format(worst["name"]))
        for advice in filter(None, dict.fromkeys(advices)):
            yield from row("advice", advice)

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def row(label: str, text: str) -> Iterator[str]:
    """A labelled line, and as many more as the text needs."""
    first, *rest = textwrap.wrap(text, WIDTH - _LABEL - 2, break_on_hyphens=False) or [""]
    yield f"  {label:{_LABEL}}{first}"
    yield from (f"  {'':{_LABEL}}{line}" for line in rest)


_VALIDATORS = (("ETag", "etag"), ("Last-Modified", "last_modified"))
_KINDS = {"query": "query parameter ", "order": "the ", "field": "request field in the key, ", "vary": "Vary on "}
_SPLIT_ADVICE = {
    "query": "link without {} where the page does not depend on it",
    "order": "send query parameters always in the same order",
    "field": "{} is in every key of this dialect (rules.key_headers): send it alike",
    "vary": "leave {} out of Vary where the page does not depend on it",
}
