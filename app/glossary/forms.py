"""The forms in which a dialect says something, and whether a value that somebody has seen is of such a form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from string import Formatter, ascii_letters, digits

from app.core.decisions import Result, Verdict
from app.core.speech import SpokenField
from app.glossary.occasions import Occasion

# What may stand in a slot: the lengths and the alphabets of real servers differ from ours.
_NUMBER, _NAME, _ANYTHING = r"-?\d+", r"[^\s,;]+", r".+?"
_IN_SLOTS = {
    **dict.fromkeys(("age", "ttl", "lifetime", "hits", "number", "filled_by", "seconds", "millis", "elapsed"), _NUMBER),
    **dict.fromkeys(("key", "path", "target", "date"), _ANYTHING),
    **dict.fromkeys(("status", "origin_status"), r"\d{3}"),
    "micros": r"\d{1,6}", "scheme": "https?", "random": r"[0-9A-Za-z]+", "token": r"[\w=+/-]+",
    "ulid": r"[0-9A-Za-z]{26}", "reason": r"[a-z-]+",
}  # fmt: skip
_BY_CHANCE = ("random", "token")
_VERSION = re.compile(r"\d+(\\\.\d+)+")


@dataclass(frozen=True, slots=True)
class Form:
    """A text with slots that a dialect says on these occasions, and for these results. `word`: the part of it that
    tells them apart. `meaning`: what its CDN says that it means."""

    text: str
    word: str = ""
    occasions: tuple[Occasion, ...] = ()
    results: tuple[Result, ...] = ()
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """`slots`: what stood in them. `exact`: the value is just as the dialect says it, but for what stands in slots;
    else only its word was found in it."""

    form: Form
    exact: bool
    slots: dict[str, str] = field(default_factory=dict)


def forms_of(spoken: SpokenField, occasions: tuple[Occasion, ...]) -> list[Form]:
    """Each form of a field once, with those of the occasions on which it is said."""
    found: dict[str, list[Occasion]] = {}
    for one in occasions:
        word = spoken.word(Verdict(one.result, one.reason, ""), one.status)
        found.setdefault(word, []).append(one)
    for word in spoken.templates[1:]:  # what no occasion of ours brings about
        found.setdefault(word, [])
    said = [_form(spoken, word, found[word]) for word in found if word or not spoken.is_worded]
    return said + [Form(word, word, meaning=text) for word, text in spoken.meanings.items() if word not in found]


def _form(spoken: SpokenField, word: str, occasions: list[Occasion]) -> Form:
    results = tuple(result for result, own in spoken.words.items() if own == word)
    text = spoken.value.replace("{word}", word)
    return Form(text, word, tuple(occasions), results, spoken.meanings.get(word, ""))


def matched(value: str, forms: list[Form]) -> Match | None:
    """The form that a value has; else one that it has but for capitals; else the one whose word stands in it, the
    longest of several."""
    for flags in (re.NOFLAG, re.IGNORECASE):
        for form in forms:
            pattern, names = _pattern(form.text, flags)
            if (match := pattern.fullmatch(value)) is not None:
                slots = dict(zip(names, match.groups(), strict=True))
                return Match(form, exact=flags is re.NOFLAG, slots=slots)
    words = [form for form in forms if _stands_in(form.word, value)]
    return None if not words else Match(max(words, key=lambda form: len(form.word)), exact=False)


def _stands_in(word: str, value: str) -> bool:
    if len(word) < 2 or "{" in word:
        return False
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", value, re.IGNORECASE) is not None


@lru_cache(1_024)
def _pattern(text: str, flags: re.RegexFlag) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """What the text may look like with its slots filled, and the names of the slots in order."""
    parts, names = [], []
    for literal, slot, _, _ in Formatter().parse(text):
        # Letters and digits of our choice just before a random part are as good as part of it.
        fixed = literal.rstrip(ascii_letters + digits) if slot in _BY_CHANCE else literal
        parts.append(_VERSION.sub(lambda _: r"[\d.]+", re.escape(fixed)))
        if slot is not None:
            names.append(slot)
            parts.append(f"({_IN_SLOTS.get(slot, _NAME)})")
    return re.compile("".join(parts), flags), tuple(names)


def tells(spoken: SpokenField) -> bool:
    """Whether a field says anything of an answer: not if it is the same on all, but for a date."""
    slots = {slot for _, slot, _, _ in Formatter().parse(spoken.value)} - {None, "date"}
    return bool(spoken.is_worded or spoken.meanings or slots - {"word"})


def words_of(spoken: SpokenField) -> Iterator[str]:
    """Every word of a field, as it is or with slots; of one without words, its value."""
    yield from filter(None, dict.fromkeys((*spoken.templates[1:], *spoken.meanings)) or [spoken.value])
