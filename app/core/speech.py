"""What a CDN says of an answer in a field of its own: a template, filled from what is known of the answer.

What only the single response knows (its time, its own names, how often it was a hit) stands in the field as a *late*
slot, a letter between two NULs, until the response leaves: so an answer that is given again says everything else again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from app.core.decisions import Result, Verdict
from app.core.messages import Headers, Request, Response


class Beside(StrEnum):
    """What becomes of the field of that name that the next cache towards the origin has sent."""

    REPLACE = "replace"
    APPEND = "append"  # theirs, ours
    PREPEND = "prepend"  # ours, theirs
    LINE = "line"  # ours on a line below theirs


class Environment(StrEnum):
    """What this cache stands in front of."""

    PRODUCTION = "production"
    PREVIEW = "preview"


class Over(StrEnum):
    """By which scheme a request must have come for a field to be said."""

    ANY = "any"
    HTTP = "http"
    HTTPS = "https"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A request field that asks for more: with this among its members, in any case; where it is "", with anything."""

    field: str
    token: str = ""

    def pulled_by(self, headers: Headers) -> bool:
        lines = headers.lines(self.field)
        members = (member.strip(" \t").lower() for line in lines for member in line.split(","))
        return any(member == self.token.lower() for member in members) if self.token else bool(lines)


class _Late:
    """A late slot of a template. Its format says how long it is: {random:16}."""

    def __init__(self, letter: str) -> None:
        self.letter = letter

    def __format__(self, length: str) -> str:
        return f"\0{self.letter}{length}\0"


# `date` is an HTTP-date (RFC 9110 §5.6.7), perhaps so many seconds ahead; `random` are hexadecimal digits, `token`
# letters, digits, - and _; `elapsed` milliseconds; `number` counts responses; `ulid` 26 characters: 48 bits of
# milliseconds and 80 random ones in base 32.
LATE = {
    name: _Late(letter)
    for name, letter in {
        "identity": "i", "hits": "h", "random": "r", "token": "t", "seconds": "s", "micros": "u", "millis": "m",
        "elapsed": "e", "number": "n", "date": "d", "ulid": "l",
    }.items()
}  # fmt: skip
DATE_SLOT = re.compile(rb"\0(d\d*)\0")
LATE_SLOT = re.compile(rb"\0([a-z]\d*)\0")
# `filled_by` is the `number` of the response that brought what is stored, `filled_at` the second in which it came,
# `lifetime` how long that may be used in all; `digest` is the SHA-256 of the key; `origin_status` what the origin has
# answered now, 0 where it has not.
KNOWN = (
    "word", "age", "ttl", "lifetime", "key", "host", "path", "target", "status", "reason", "region", "node",
    "filled_by", "scheme", "filled_at", "digest", "origin_status",
)  # fmt: skip
SLOTS = (*KNOWN, *LATE)


@dataclass(frozen=True, slots=True)
class SpokenField:
    """`{word}` in `value` is the word for the response's status (`404`, `4xx`; of one result alone: `hit 404`), else
    for its reason, else for its result; where there are words and none for this, the field is not said. Words may have
    slots too. `asked_by`: what asks for it; nothing: it is always said. What asks must be no forwarding field: such
    answers are not given again at once. `environment`: the only one in which it is said. `keeps_theirs`: what the next
    cache has said is kept with the response, and stands beside our word on hits too. `meanings`: what the CDN's own
    words mean to people, also those that are never said here.
    `separator`: what stands between ours and theirs.
    """

    name: str
    value: str = "{word}"
    words: Mapping[Result, str] = field(default_factory=dict)
    by_reason: Mapping[str, str] = field(default_factory=dict)
    by_status: Mapping[str, str] = field(default_factory=dict)
    beside: Beside = Beside.REPLACE
    asked_by: tuple[Trigger, ...] = ()
    over: Over = Over.ANY
    keeps_theirs: bool = True
    meanings: Mapping[str, str] = field(default_factory=dict)
    environment: Environment | None = None
    separator: str = ", "

    @property
    def templates(self) -> tuple[str, ...]:
        """Every text of it that may have slots."""
        words = (*self.words.values(), *self.by_reason.values(), *self.by_status.values())
        return (self.value, *words)

    @property
    def is_worded(self) -> bool:
        """Whether it is said only where there is a word for it."""
        return bool(self.words or self.by_reason or self.by_status)

    def word(self, verdict: Verdict, status: int) -> str:
        for of_status in (str(status), f"{status // 100}xx"):
            for key in (f"{verdict.result} {of_status}", of_status):
                if key in self.by_status:
                    return self.by_status[key]
        return self.by_reason.get(verdict.reason, self.words.get(verdict.result, ""))

    def said(self, about: About) -> str | None:
        """Its value, with late slots in it; None where it is not said."""
        if self.over not in (Over.ANY, about.request.scheme):
            return None
        if self.asked_by and not any(trigger.pulled_by(about.request.headers) for trigger in self.asked_by):
            return None
        word = self.word(about.verdict, about.response.status)
        if not word and self.is_worded:
            return None
        value = self.value.replace("{word}", word)
        return value.format(**about.slots()) if "{" in value or "}" in value else value


@dataclass(frozen=True, slots=True)
class About:
    """What fields are said of: an answer, and the place that gives it."""

    request: Request
    response: Response
    verdict: Verdict
    node: str = ""
    region: str = ""

    def slots(self) -> Mapping[str, object]:
        verdict, request = self.verdict, self.request
        number = LATE["number"] if verdict.fwd is None else serial(verdict.number)
        return {
            **LATE, "number": number, "filled_by": serial(verdict.number), "age": verdict.age or 0,
            "ttl": verdict.ttl or 0, "lifetime": (verdict.ttl or 0) + (verdict.age or 0), "key": verdict.key,
            "host": request.authority, "path": request.path, "target": request.target, "status": self.response.status,
            "reason": verdict.reason, "node": self.node, "region": self.region, "scheme": request.scheme,
            "filled_at": int(verdict.filled_at), "digest": _Digest(verdict.key),
            "origin_status": verdict.fwd_status or 0,
        }  # fmt: skip


class _Digest:
    """Computed where it is said."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return sha256(self.text.encode()).hexdigest()


def serial(number: int) -> int:
    """The number of an answer of the origin, short enough to be read."""
    return number // 1_000 % 1_000_000_000


def joined(field: SpokenField, value: str, theirs: list[str]) -> str:
    """What is said in the place of what the next cache has said."""
    match field.beside:
        case Beside.APPEND:
            return field.separator.join([*theirs, value])
        case Beside.PREPEND:
            return field.separator.join([value, *theirs])
        case Beside.REPLACE | Beside.LINE:
            return value
