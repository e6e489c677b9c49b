"""Parts of a stored response: Range, If-Range, 206 and 416 (RFC 9110 §14, §15.3.7, RFC 9111 §3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from app.core.decisions import StoredResponse
from app.core.fields import EntityTag, parse_date, split_list
from app.core.messages import Headers, Request

# RFC 9110 §14.2 warns of many small or overlapping ranges: such requests get the whole.
MAX_RANGES = 16

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)
_SPEC = re.compile(r"(\d{0,18})\s*-\s*(\d{0,18})")

Span = tuple[int, int]  # first byte, and the one after the last


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The Content-Range of a 206: where its body begins, and the complete length if it is known."""

    first: int
    complete: int | None

    @classmethod
    def parse(cls, value: str | None) -> ContentRange | None:
        match = _CONTENT_RANGE.fullmatch(value or "")
        if match is None:
            return None
        first, last, complete = int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3])
        valid = first <= last and (complete is None or last < complete)
        return cls(first, complete) if valid else None


def requested_spans(request: Request, length: int | None) -> list[Span] | None:
    """The spans that Range asks for of a body of `length` bytes; an empty list: none of them exists (416).

    None: there is no Range that should be obeyed: absent, another unit, malformed, too many, or on another method than
    GET (RFC 9110 §14.2). With an unknown length only ranges with both ends can be told.
    """
    unit, equals, specs = (request.headers.get("range") or "").partition("=")
    if request.method != "GET" or not equals or unit.strip().lower() != "bytes":
        return None
    members = list(split_list(specs))
    spans = [_span(member, length) for member in members]
    if not members or len(members) > MAX_RANGES or any(span is None for span in spans):
        return None
    return _ascending([span for span in spans if span is not None and span[0] < span[1]])


def _span(spec: str, length: int | None) -> Span | None:
    """One range; (0, 0) when it lies beyond the end, None when it is malformed or cannot be told."""
    match = _SPEC.fullmatch(spec)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return None if length is None else (max(0, length - int(match[2])), length)
    first = int(match[1])
    if match[2] and int(match[2]) < first:
        return None
    if length is None:
        return (first, int(match[2]) + 1) if match[2] else None
    last = min(int(match[2]) + 1, length) if match[2] else length
    return (first, last) if first < length else (0, 0)


def _ascending(spans: list[Span]) -> list[Span] | None:
    """Spans that overlap are a sign of attack or error: the whole is sent instead (RFC 9110 §14.2)."""
    ordered = sorted(spans)
    overlap = any(later[0] < earlier[1] for earlier, later in pairwise(ordered))
    return None if overlap else spans


def range_applies(request: Request, headers: Headers) -> bool:
    """Whether If-Range, if it is there, names this very response: strong match or same date (RFC 9110 §13.1.5)."""
    condition = request.headers.get("if-range")
    if condition is None:
        return True
    date = parse_date(condition)
    if date is not None:
        # A date is strong only if the response was made after the second it names (RFC 9110 §8.8.2.2).
        made = parse_date(headers.get("date"))
        return parse_date(headers.get("last-modified")) == date and (made is None or date < made)
    etag = headers.get("etag")
    return etag is not None and EntityTag.parse(etag).matches_strongly(EntityTag.parse(condition))


def held_spans(request: Request, stored: StoredResponse) -> list[Span] | None:
    """The spans of the stored *body* that answer the request, or None if it does not hold them all (RFC 9111 §3.3).

    A stored part answers the very Range it was the answer to, and every range that lies within the bytes it holds.
    """
    if stored.first_byte is None:
        return requested_spans(request, stored.size)
    if request.method != "GET" or "range" not in request.headers or not range_applies(request, stored.response.headers):
        return None
    if request.headers.get("range") == stored.requested_range:
        return [(0, stored.size)]
    spans = requested_spans(request, stored.complete_length)
    if not spans or any(first < stored.first_byte or last > stored.first_byte + stored.size for first, last in spans):
        return None
    return [(first - stored.first_byte, last - stored.first_byte) for first, last in spans]


def complete_length(stored: StoredResponse) -> int | None:
    """The length of the whole representation, if it is known."""
    return stored.size if stored.first_byte is None else stored.complete_length


def content_range(span: Span, offset: int, complete: int | None) -> str:
    """The Content-Range of a span of a body that begins at `offset` of the whole; `complete`: its length, if known."""
    return f"bytes {span[0] + offset}-{span[1] + offset - 1}/{'*' if complete is None else complete}"


def multipart(spans: list[Span], stored: StoredResponse, boundary: str) -> list[bytes | Span]:
    """The body of a multipart/byteranges response: literal bytes and spans of the stored body (RFC 9110 §14.6)."""
    kind = stored.response.headers.get("content-type")
    offset, complete = stored.first_byte or 0, complete_length(stored)
    parts: list[bytes | Span] = []
    for span in spans:
        head = f"\r\n--{boundary}\r\n" + (f"Content-Type: {kind}\r\n" if kind else "")
        parts += [f"{head}Content-Range: {content_range(span, offset, complete)}\r\n\r\n".encode("latin-1"), span]
    return [*parts, f"\r\n--{boundary}--\r\n".encode("latin-1")]
