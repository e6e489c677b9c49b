"""A header as somebody has seen it, read in every dialect that knows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from app.core.checks import Judgement
from app.core.decisions import Result
from app.core.dialect import Dialect
from app.core.fields import split_list
from app.core.speech import Beside, SpokenField
from app.glossary.forms import Match, forms_of, matched, tells, words_of
from app.glossary.occasions import Occasion, occasions
from app.glossary.rfc import FIELDS, cache_status, directives, place
from app.glossary.roles import roles

# What a result means, whatever it is called.
MEANINGS = {
    Result.HIT: "the cache answered, with what is fresh",
    Result.STALE: "the cache answered, although it is stale",
    Result.MISS: "the origin was asked, for nothing stored could answer; its response is stored now",
    Result.EXPIRED: "it was stored, and stale: the origin sent it anew",
    Result.RENEWED: "it was stored, and fetched anew because a purge or the client wanted it so",
    Result.REVALIDATED: "it was stored, and stale: the origin said that it is still right",
    Result.NOSTORE: "the origin was asked, and its response may not be stored",
    Result.PASS: "the request does not meet the cache: the origin answers each one",
    Result.ERROR: "there was no answer of the origin, and none that was stored",
}


@dataclass(frozen=True, slots=True)
class Sense:
    """One thing that a word may mean: a result, and what may have brought it about with this dialect's rules."""

    result: Result
    means: str
    causes: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a value, or an element of a list, says in one dialect. `exact`: just as the dialect says it; else only
    `word` was found in it. `place`: whose element it is. `meaning`: what the CDN itself says of it. `slots`: what
    stands in its places for names and numbers."""

    dialect: str
    text: str
    word: str
    exact: bool
    place: str = ""
    meaning: str = ""
    senses: tuple[Sense, ...] = ()
    slots: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explained:
    """A header in full. `known`: something can be said of it. `general`: what the RFCs say. `words`: where there is no
    value, or one that nobody says, what each dialect would say. `near`: what may have been meant."""

    name: str
    value: str
    known: bool
    general: tuple[str, ...]
    readings: tuple[Reading, ...]
    words: dict[str, tuple[str, ...]]
    near: tuple[str, ...]


class Glossary:
    """What these dialects say, all together."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self.dialects = dialects
        self._occasions: dict[str, tuple[Occasion, ...]] = {}

    @cached_property
    def names(self) -> list[str]:
        """Of every field that something can be said of."""
        own = {name for one in self.dialects for name in (*roles(one), *(spoken.name for spoken in _telling(one)))}
        return sorted({*own, *_GENERAL})

    def explained(self, name: str, value: str) -> Explained:
        """Without a value: which there are."""
        name = name.lower()
        if name not in self.names:
            return Explained(name, value, False, (), (), {}, tuple(_near(name, self.names)))
        general = tuple(_general(name, value, self._governs(name)))
        readings = (*(self._readings(name, value) if value else ()), *self._played(name, value))
        known = bool(general or readings or not value)
        words = {} if value and known else self._words(name)
        said = [word for some in words.values() for word in some]
        return Explained(name, value, known, general, readings, words, tuple(_near(value, said)))

    def _words(self, name: str) -> dict[str, tuple[str, ...]]:
        found = [(one.name, spoken) for one in self.dialects for spoken in _telling(one) if spoken.name == name]
        return {dialect: tuple(words_of(spoken)) for dialect, spoken in found}

    def _played(self, name: str, value: str) -> Iterator[Reading]:
        """What a field is to dialects that do not tell by it how they answered."""
        for dialect in self.dialects:
            if (role := roles(dialect).get(name)) is not None:
                yield from (Reading(dialect.name, value, "", True, meaning=text) for text in role(value))

    def _governs(self, name: str) -> bool:
        return any(one.field == name for dialect in self.dialects for one in dialect.rules.governing)

    def _readings(self, name: str, value: str) -> Iterator[Reading]:
        """Of those who say just this, else something like it; of a list, of those who send lists, if there are any.
        Where nobody says just this, those come first who say more than a word."""
        found = [one for dialect in self.dialects for one in self._of(dialect, name, value)]
        # The RFC tells what a member of Cache-Status says: there is no need to guess whose it may be.
        likely = [one for one in found if one.exact] or ([] if name == "cache-status" else found)
        if not any(one.exact for one in likely):
            likely = [one for one in likely if one.dialect in self._wordy(name) and one.text != one.word] or likely
        yield from [one for one in likely if one.place] or likely

    def _wordy(self, name: str) -> set[str]:
        """The dialects that say more than a word in that field."""
        fields = ((one.name, spoken) for one in self.dialects for spoken in one.fields if spoken.name == name)
        return {dialect for dialect, spoken in fields if spoken.value != "{word}"}

    def _of(self, dialect: Dialect, name: str, value: str) -> Iterator[Reading]:
        for spoken in _telling(dialect):
            if spoken.name == name:
                forms = forms_of(spoken, self._on(dialect))
                for text, where in _members(spoken, value, matched(value, forms)):
                    if (match := matched(text, forms)) is not None:
                        yield _reading(dialect, text, match, where)

    def _on(self, dialect: Dialect) -> tuple[Occasion, ...]:
        if dialect.name not in self._occasions:
            self._occasions[dialect.name] = occasions(dialect)
        return self._occasions[dialect.name]


def _telling(dialect: Dialect) -> Iterator[SpokenField]:
    return filter(tells, dialect.fields)


def _members(spoken: SpokenField, value: str, whole: Match | None) -> list[tuple[str, str]]:
    """The elements of a value with their places: one, where it is said as a whole."""
    members = split_list(value)
    if len(members) < 2 or (whole is not None and whole.exact):
        return [(value, "")]
    match spoken.beside:
        case Beside.APPEND:
            return [(text, place(at, len(members))) for at, text in enumerate(members)]
        case Beside.PREPEND:
            return [(text, place(len(members) - at - 1, len(members))) for at, text in enumerate(members)]
        case Beside.REPLACE | Beside.LINE:
            return [(text, "") for text in members]


_GENERAL = {*FIELDS, "cache-status", "cache-control"}


def _general(name: str, value: str, governs: bool) -> Iterator[str]:
    if name in FIELDS:
        yield FIELDS[name]
    elif name == "cache-status":
        yield from cache_status(value) if value else ["what each cache on the way did, the nearest to the origin first"]
    elif name == "cache-control" or governs:
        yield from directives(value)
        yield "who obeys what of it differs: swerve table tells"


def _reading(dialect: Dialect, text: str, match: Match, where: str) -> Reading:
    form = match.form
    results = dict.fromkeys((*form.results, *(one.result for one in form.occasions))) if form.word else {}
    senses = tuple(_sense(result, form.occasions) for result in results)
    meaning = form.meaning if form.word else "a field that it adds to responses"
    return Reading(dialect.name, text, form.word, match.exact, where, meaning, senses, match.slots)


def _sense(result: Result, when: Iterable[Occasion]) -> Sense:
    reasons = dict.fromkeys(one.reason for one in when if one.result is result)
    return Sense(result, MEANINGS[result], tuple(Judgement.of(reason) for reason in reasons))


def _near(text: str, known: Iterable[str]) -> list[str]:
    by_folded = {one.lower(): one for one in known}
    return [by_folded[one] for one in get_close_matches(text.lower(), by_folded, n=3, cutoff=0.6)]
