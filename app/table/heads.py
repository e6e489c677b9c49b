"""Heads as people have them: of `curl -sI`, `-i` or `-v`, out of a browser's panel, or written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.core.fields import TOKEN
from app.core.messages import Headers, Response

_STATUS_LINE = re.compile(r"HTTP/[\d.]+ +(\d{3})(?: .*)?", re.IGNORECASE)
_STATUS = re.compile(r"(\d{3})(?: .*)?")
_FIELD = re.compile(rf"({TOKEN.pattern}):(.*)")


class HeadError(ValueError):
    """The message says what to write."""


def read_head(lines: Iterable[str], otherwise: int = 200) -> Response:
    """The last head among the lines: after a redirect there are several. `otherwise`: the status, where none is said.

    Raises HeadError for lines that hold no head.
    """
    status, fields, begun = otherwise, list[tuple[str, str]](), False
    for line in stripped(lines):
        if (match := _STATUS_LINE.fullmatch(line)) is not None:
            status, fields, begun = int(match[1]), [], True
        elif (match := _FIELD.fullmatch(line)) is not None:
            fields.append(field_of(line))
        elif line and begun and fields:  # content, as curl -i shows it
            break
        elif line:
            raise HeadError(f"{line!r} is neither a status line nor a field; write 'HTTP/1.1 200', then 'Name: value'")
    if not (begun or fields):
        raise HeadError("there is no head; write a status line and fields, as curl -sI prints them")
    return response(status, fields)


def stripped(lines: Iterable[str]) -> Iterator[str]:
    """Lines without the marks that curl -v puts before them; what was sent, and curl's own remarks, are left out."""
    for line in lines:
        if not line.startswith(("> ", "* ", "} ", "{ ", ">\r", ">\n")):
            yield line.removeprefix("< ").strip()


def status_of(text: str) -> int:
    """Of a status line, or a number alone. Raises HeadError."""
    match = _STATUS_LINE.fullmatch(text.strip()) or _STATUS.fullmatch(text.strip())
    if match is None or not 100 <= int(match[1]) <= 599:
        raise HeadError(f"{text!r} is no status line; write 'HTTP/1.1 200'")
    return int(match[1])


def field_of(line: str) -> tuple[str, str]:
    """Name and value. Raises HeadError."""
    match = _FIELD.fullmatch(line.strip())
    value = "" if match is None else match[2].strip()
    if match is None or any(ord(character) > 255 for character in value):
        raise HeadError(f"{line!r} is no field; write 'Name: value'")
    return match[1], value


def response(status: int, fields: Iterable[tuple[str, str]]) -> Response:
    return Response(status, Headers.of(*fields))
