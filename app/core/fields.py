"""Reading field values: dates, seconds, lists, entity-tags (RFC 9110 §5.6, §8.8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from time import gmtime

from app.core.remembered import remembered

# A registered name or IPv4 address, or an IPv6 literal, with an optional port (RFC 9110 §4.2.1; `_` is in wide use).
AUTHORITY = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")

# A field name, and the like (RFC 9110 §5.6.2).
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

# RFC 9111 §1.2.2: a value too large to be represented is taken as 2^31.
MAX_DELTA = 2**31

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBER = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}

_IMF = re.compile(r"[A-Za-z]{3},? (\d{2}) ([A-Za-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT", re.IGNORECASE)
_RFC850 = re.compile(r"[A-Za-z]{6,9}, (\d{2})-([A-Za-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT", re.IGNORECASE)
_ASCTIME = re.compile(r"[A-Za-z]{3} ([A-Za-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})")


def parse_date(value: str | None) -> int | None:
    """Seconds since the epoch of an HTTP-date in any of its three formats, or None (RFC 9110 §5.6.7)."""
    return None if value is None else _parse_date(value)


@remembered
def _parse_date(value: str) -> int | None:
    if match := _IMF.fullmatch(value):
        day, month, year, *clock = match.groups()
        return _seconds(int(year), month, int(day), clock)
    if match := _RFC850.fullmatch(value):
        day, month, short, *clock = match.groups()
        # RFC 9110 takes a two-digit year more than 50 years ahead as past. 1970–2069 needs no clock, and differs from
        # that only for years which a sender of our time cannot mean.
        return _seconds(int(short) + (1900 if int(short) >= 70 else 2000), month, int(day), clock)
    if match := _ASCTIME.fullmatch(value):
        month, day, *clock, year = match.groups()
        return _seconds(int(year), month, int(day), clock)
    return None


def _seconds(year: int, month: str, day: int, clock: list[str]) -> int | None:
    number = _MONTH_NUMBER.get(month.lower(), 0)
    hour, minute, second = map(int, clock)
    try:
        whole = datetime(year, number, day, hour, minute, 0 if second == 60 else second, tzinfo=UTC)
    except ValueError:
        return None
    return int(whole.timestamp()) + (60 if second == 60 else 0)  # RFC 9110 §5.6.7 allows for a leap second


def format_date(seconds: float) -> str:
    """IMF-fixdate, the only format to send (RFC 9110 §5.6.7)."""
    return _format_date(int(seconds))


@lru_cache(64)  # what is written at one time is mostly the same second
def _format_date(seconds: int) -> str:
    year, month, day, hour, minute, second, weekday, *_ = gmtime(seconds)
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year} {hour:02}:{minute:02}:{second:02} GMT"


def parse_delta(value: str | None) -> int | None:
    """Delta-seconds, at most 2^31, or None if it is not a non-negative integer (RFC 9111 §1.2.2)."""
    if value is None or not (value.isascii() and value.isdigit()):
        return None
    digits = value.lstrip("0")
    return MAX_DELTA if len(digits) > 10 else min(int(digits or "0"), MAX_DELTA)


def parse_length(value: str | None) -> int | None:
    """A Content-Length in bytes, or None (RFC 9110 §8.6)."""
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 20 else None


def split_list(value: str) -> list[str]:
    """The members of a list, without empty ones (RFC 9110 §5.6.1)."""
    return list(filter(None, split_members(value)))


def split_members(value: str, separator: str = ",") -> list[str]:
    """What stands between separators, stripped, also nothing; in a quoted-string a separator is text (§5.6.4)."""
    parts = _split_quoted(value, separator) if '"' in value else value.split(separator)
    return [part.strip(" \t") for part in parts]


def _split_quoted(value: str, separator: str) -> Iterator[str]:
    start = position = 0
    quoted = False
    while position < len(value):
        character = value[position]
        if quoted and character == "\\":
            position += 1
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            yield value[start:position]
            start = position + 1
        position += 1
    yield value[start:]


_SPELLED = {"cdn": "CDN", "etag": "ETag", "rsc": "RSC", "dnt": "DNT"}


def spelled(name: str) -> str:
    """A field name as people write it."""
    return "-".join(_SPELLED.get(part, part.capitalize()) for part in name.split("-"))


def unquote(value: str) -> str:
    """The content of a quoted-string, or the value as it is."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


@dataclass(frozen=True, slots=True)
class EntityTag:
    """An entity-tag (RFC 9110 §8.8.3). Tolerant: a tag without quotes is the same tag as with them."""

    opaque: str
    weak: bool

    @classmethod
    def parse(cls, value: str) -> EntityTag:
        weak = value[:2] in ("W/", "w/")
        opaque = value[2:] if weak else value
        return cls(opaque[1:-1] if len(opaque) >= 2 and opaque[0] == opaque[-1] == '"' else opaque, weak)

    def matches_weakly(self, other: EntityTag) -> bool:
        return self.opaque == other.opaque

    def matches_strongly(self, other: EntityTag) -> bool:
        return self.opaque == other.opaque and not self.weak and not other.weak
