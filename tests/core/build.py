"""Short spellings for the rows of the tables: heads on one line, dates relative to NOW, findings marked.

- `"GET /a | cc: no-cache"` is a request: method, target, then its field lines;
- `"200 | cc: max-age=60"` is a response: status, then its field lines;
- `"date: @-60"` holds the HTTP-date of sixty seconds before NOW.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from app.core.decisions import Exchange, Forward, Fwd, StoredResponse
from app.core.fields import format_date
from app.core.messages import Headers, Request, Response
from app.core.purging import EVERYTHING, Mode, Purge
from app.core.reasons import Reason
from app.core.rules import Rules
from app.core.storing import stored_response

NOW = 1_000_000_000  # Sun, 09 Sep 2001 01:46:40 GMT
RFC = Rules()
KEY = "GET http example.com /"
SPOILED = Purge(Mode.VALIDATE, EVERYTHING, at=NOW - 5)
INVALIDATED = Purge(Mode.SOFT, EVERYTHING, at=NOW - 5)
DELETED = Purge(Mode.HARD, EVERYTHING, at=NOW - 5)

_SHORT = {
    "cc": "cache-control", "cdn": "cdn-cache-control", "cl": "content-length", "cr": "content-range",
    "ct": "content-type", "inm": "if-none-match", "ims": "if-modified-since", "lm": "last-modified",
    "lang": "accept-language",
}  # fmt: skip


def row(sentence: str, *values: object, wrong: str = "") -> Any:
    """A row of a table, its id a sentence. `wrong`: what the code does instead, until it is mended."""
    marks = [pytest.mark.xfail(strict=True, reason=wrong)] if wrong else []
    return pytest.param(*values, id=sentence, marks=marks)


def dates(text: str) -> str:
    return re.sub(r"@([+-]\d+)", lambda match: format_date(NOW + int(match[1])), text)


def head(text: str) -> Headers:
    """Field lines separated by ` | `."""
    lines = [line.partition(":") for line in dates(text).split(" | ") if line]
    return Headers.of(*((_SHORT.get(name.strip(), name.strip()), value.strip()) for name, _, value in lines))


def req(text: str = "GET /", *, scheme: str = "http", authority: str = "example.com", client: str = "") -> Request:
    start, _, fields = text.partition(" | ")
    method, _, target = start.partition(" ")
    return Request(method, scheme, authority, target, head(fields), client)


def res(text: str) -> Response:
    status, _, fields = text.partition(" | ")
    return Response(int(status), head(fields))


def exchange(
    request: str = "GET /", response: str = "200", rules: Rules = RFC,
    *, at: float = NOW, took: float = 0, proxy_error: str | None = None,
) -> Exchange:  # fmt: skip
    answer = res(response)
    return Exchange(req(request), answer, rules.directives(answer.headers, answer.status), at - took, at, proxy_error)


def stored(
    response: str = "200 | cc: max-age=60", to: str = "GET /", rules: Rules = RFC, **changes: Any
) -> StoredResponse:
    """What is kept of a response to `to` that came at NOW, with a body of ten bytes."""
    return replace(stored_response(exchange(to, response, rules), KEY, rules), **{"size": 10, **changes})


def forward(
    request: str = "GET /", old: StoredResponse | None = None,
    *, reason: Reason = Reason.URI_MISS, fwd: Fwd = Fwd.URI_MISS, background: bool = False,
) -> Forward:  # fmt: skip
    return Forward(reason, fwd, req(request), old, background=background)


def text_of(headers: Headers) -> str:
    """The field lines as `head` reads them."""
    return " | ".join(f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in headers)
