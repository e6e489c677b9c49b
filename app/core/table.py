"""One response under many dialects: what each would do with it, and in what they differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.checks import Judgement, cookie_names
from app.core.decisions import Result, StoredResponse
from app.core.dialect import Dialect, error_code
from app.core.freshness import Freshness
from app.core.key import keyed_cookies, keyed_target
from app.core.messages import Headers, Request
from app.core.reasons import Reason
from app.core.speech import About, SpokenField
from app.core.splitting import Key
from app.core.timeline import HIDDEN, is_secret
from app.core.trial import Seen, Trial, Turn, trial
from app.core.verdicts import source_words


class CookieFate(StrEnum):
    """Who gets the cookie that a response sets."""

    EACH = "each"  # the response is not stored: every client gets its own
    FIRST = "first"  # stored without it
    NOBODY = "nobody"  # taken out before anybody gets it
    ALL = "all"  # stored with it: every client gets the first one's


@dataclass(frozen=True, slots=True)
class Told:
    """How one request is answered. `says`: by field, what the dialect says of it; what only the single response knows
    is filled in as an example, or left out as `…`."""

    status: int
    result: Result
    reason: Reason
    says: dict[str, str]


@dataclass(frozen=True, slots=True)
class Treatment:
    """What one dialect does, durations in seconds. `refused`: why it is not stored. `fresh_for` is 0 where every use is
    validated. `lifetime_from`: the field and the directive that gave the lifetime. `stale_for` counts from the end of
    freshness, `stale_on_error` too, with the origin down. `told_apart_by`: what of a request selects the response,
    beside its path. `set_cookie` is None where no cookie is set. `cache_control`: what the client gets, None for none.
    """

    dialect: str
    as_of: str
    stored: bool
    refused: Reason | None
    fresh_for: float
    validated: bool
    lifetime_from: str | None
    stale_for: float
    stale_on_error: float
    told_apart_by: tuple[str, ...]
    set_cookie: CookieFate | None
    cache_control: str | None
    key: str
    first: Told
    second: Told
    stale: Told | None
    down: Told


# In what dialects may differ. What each says is in words of its own anyway, and so are the names in its key.
QUESTIONS = (
    "stored", "refused", "fresh_for", "validated", "lifetime_from", "stale_for", "stale_on_error", "told_apart_by",
    "set_cookie", "cache_control", "first", "second", "stale", "down",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldLine:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`fields`: what of the response caches read; cookies without their values. `differs`: in which of the names of a
    treatment the dialects differ. `asked_for`: which request fields would have to be sent to see a dialect's own.
    `reasons`: every reason that occurs, in full."""

    method: str
    url: str
    status: int
    fields: tuple[FieldLine, ...]
    dialects: tuple[Treatment, ...]
    differs: tuple[str, ...]
    asked_for: dict[str, dict[str, str]]
    reasons: dict[str, Judgement]


def compared(dialects: Sequence[Dialect], seen: Seen) -> Comparison:
    """What each of the dialects would do with what was seen."""
    trials = [trial(dialect, seen) for dialect in dialects]
    treatments = tuple(treatment(one, sets_cookie="set-cookie" in seen.response.headers) for one in trials)
    request, found = seen.request, {turn.verdict.reason for one in trials for turn in one.turns}
    return Comparison(
        method=request.method,
        url=f"{request.scheme}://{request.authority}{request.target}",
        status=seen.response.status,
        fields=tuple(_read_by_caches(dialects, seen.response.headers)),
        dialects=treatments,
        differs=tuple(name for name in QUESTIONS if len({_answer(one, name) for one in treatments}) > 1),
        asked_for={one.name: asked for one in dialects if (asked := _asked_for(one.fields))},
        reasons={str(reason): Judgement.of(reason) for reason in Reason if reason in found},
    )


def _answer(one: Treatment, question: str) -> Any:
    """What is compared: of a request, all but the words."""
    answer = getattr(one, question)
    return (answer.status, answer.result, answer.reason) if isinstance(answer, Told) else answer


ALWAYS_READ = (
    "cache-control", "expires", "age", "vary", "pragma", "set-cookie", "etag", "last-modified", "content-type",
    "cache-status",
)  # fmt: skip


def _read_by_caches(dialects: Iterable[Dialect], headers: Headers) -> Iterator[FieldLine]:
    governing = (one.field for dialect in dialects for one in dialect.rules.governing)
    for name in dict.fromkeys((*governing, *ALWAYS_READ)):
        value = cookie_names(headers) if name == "set-cookie" else headers.get(name)
        if value:
            yield FieldLine(name, HIDDEN if name != "set-cookie" and is_secret(name) else value)


def _asked_for(fields: Iterable[SpokenField]) -> dict[str, str]:
    """By the name of a field that has to be asked for: how."""
    return {
        field.name: " or ".join(f"{one.field}: {one.token}" if one.token else one.field for one in field.asked_by)
        for field in fields
        if field.asked_by
    }


def treatment(tried: Trial, *, sets_cookie: bool) -> Treatment:
    """A trial in numbers and words."""
    stored, first = tried.stored, tried.first
    control = None if stored is None else stored.control
    validated = control is not None and control.no_cache
    fresh = Freshness(0, 0) if stored is None else stored.freshness
    at = 0.0 if stored is None else stored.stored_at
    usable = 0.0 if validated else max(0.0, fresh.ttl(at))
    survives = tried.down.verdict.result in (Result.STALE, Result.HIT)
    on_error = max(fresh.stale_while_revalidate, fresh.stale_if_error)
    return Treatment(
        dialect=tried.dialect.name,
        as_of=tried.dialect.as_of,
        stored=stored is not None,
        refused=first.verdict.reason if stored is None else None,
        fresh_for=round(usable, 3),
        validated=validated,
        lifetime_from=None if stored is None else source_words(stored),
        stale_for=0 if validated else fresh.stale_while_revalidate,
        stale_on_error=on_error if survives else 0,
        told_apart_by=() if stored is None else told_apart_by(tried, stored),
        set_cookie=_fate(tried) if sets_cookie else None,
        cache_control=first.response.headers.get("cache-control"),
        key=Key.shown(first.verdict.key).text,
        first=_told(tried.dialect, first),
        second=_told(tried.dialect, tried.second),
        stale=None if tried.stale is None else _told(tried.dialect, tried.stale),
        down=_told(tried.dialect, tried.down),
    )


def told_apart_by(tried: Trial, stored: StoredResponse) -> tuple[str, ...]:
    """Request fields and cookies that are in the key, or that Vary names, and the query where it counts."""
    rules, request = tried.dialect.rules, tried.first.asked
    query = ("query",) if "?" in keyed_target(request.target, rules) else ()
    keyed = (name for name in rules.key_headers if name in request.headers)
    cookies = dict.fromkeys(f"cookie:{name}" for name, _ in keyed_cookies(request.headers, rules))
    return tuple(dict.fromkeys((*query, *keyed, *cookies, *(name for name, _ in stored.selecting))))


def _fate(tried: Trial) -> CookieFate:
    if tried.stored is None:
        return CookieFate.EACH
    if "set-cookie" in tried.stored.response.headers:
        return CookieFate.ALL
    return CookieFate.FIRST if "set-cookie" in tried.first.response.headers else CookieFate.NOBODY


def _told(dialect: Dialect, turn: Turn) -> Told:
    verdict = turn.verdict
    says = {}
    for field in dialect.fields:
        about = About(_asking(turn, field), turn.response, verdict, NODE, dialect.region)
        if _tells(field) and (value := field.said(about)) is not None:
            says[field.name] = filled(value, turn)
    if dialect.error is not None and verdict.result is Result.ERROR:
        says[dialect.error.name] = error_code(dialect.error, verdict)
    return Told(turn.response.status, verdict.result, verdict.reason, says)


# Slots by which a field tells how it was answered, also without words.
TELLING = re.compile(r"\{(hits|age|ttl|number|filled_by|reason)\}")


def _tells(field: SpokenField) -> bool:
    return bool(field.words) or TELLING.search(field.value) is not None


def _asking(turn: Turn, field: SpokenField) -> Request:
    """The request as if it had asked for that field."""
    lines = [(one.field, one.token) for one in field.asked_by[:1]]
    return turn.asked.with_headers(turn.asked.headers.adding(*lines))


# What a node is called in examples.
NODE = "node1"
_LATE_SLOT = re.compile("\0([a-z])\\d*\0")


def filled(value: str, turn: Turn) -> str:
    """Late slots as they might be: which request this was, and how many hits there were; the rest is anybody's."""
    known = {"n": str(turn.number), "h": str(turn.hits if turn.verdict.fwd is None else 0)}
    return _LATE_SLOT.sub(lambda slot: known.get(slot[1], "…"), value)
