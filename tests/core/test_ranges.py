"""Parts of a stored response (RFC 9110 §14, §13.1.5; RFC 9111 §3.3)."""

from __future__ import annotations

import pytest

from app.core.decisions import StoredResponse
from app.core.ranges import (
    MAX_RANGES,
    ContentRange,
    Span,
    content_range,
    held_spans,
    multipart,
    range_applies,
    requested_spans,
)  # fmt: skip
from tests.core.build import head, req, row, stored

MANY = ",".join(f"{2 * n}-{2 * n}" for n in range(MAX_RANGES))

SPANS = [
    #                                    value                  length spans
    row("both ends",                     "bytes=0-4",           10,   [(0, 5)]),
    row("a single byte",                 "bytes=9-9",           10,   [(9, 10)]),
    row("to the end",                    "bytes=5-",            10,   [(5, 10)]),
    row("the last ones",                 "bytes=-3",            10,   [(7, 10)]),
    row("more than there are at the end",  "bytes=-30",         10,   [(0, 10)]),
    row("beyond the end",                "bytes=5-99",          10,   [(5, 10)]),
    row("several, in their order",       "bytes=5-6, 0-1",      10,   [(5, 7), (0, 2)]),
    row("touching ones",                 "bytes=0-4,5-9",       10,   [(0, 5), (5, 10)]),
    row("one of two exists",             "bytes=0-1,20-30",     10,   [(0, 2)]),
    row("any case, white space, commas", "Bytes = 0 - 4 , ,",   10,   [(0, 5)]),
    row("none exists",                   "bytes=10-",           10,   []),
    row("the last none",                 "bytes=-0",            10,   []),
    row("of nothing",                    "bytes=0-",            0,    []),
    row("overlapping",                   "bytes=0-4,4-5",       10,   None),
    row("the same twice",                "bytes=0-4,0-4",       10,   None),
    row("another unit",                  "lines=0-4",           10,   None),
    row("no unit",                       "0-4",                 10,   None),
    row("no range",                      "bytes=",              10,   None),
    row("only commas",                   "bytes=,,",            10,   None),
    row("no number",                     "bytes=-",             10,   None),
    row("backwards",                     "bytes=4-0",           10,   None),
    row("letters",                       "bytes=a-b",           10,   None),
    row("one of two is malformed",       "bytes=0-1,x",         10,   None),
    row("signs",                         "bytes=--1",           10,   None),
    row("numbers without end",           f"bytes=0-{'9' * 99}", 10,   None),
    row("as many as allowed",            f"bytes={MANY}",       99,   [(2 * n, 2 * n + 1) for n in range(MAX_RANGES)]),
    row("more than allowed",             f"bytes={MANY},90-90", 99,   None),
    row("unknown length, both ends",     "bytes=5-9",           None, [(5, 10)]),
    row("unknown length, open end",      "bytes=5-",            None, None),
    row("unknown length, the last ones", "bytes=-5",            None, None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "length", "spans"), SPANS)
def test_requested_spans(value: str, length: int | None, spans: list[Span] | None) -> None:
    assert requested_spans(req(f"GET / | range: {value}"), length) == spans


@pytest.mark.parametrize("request_", ["GET /", "HEAD / | range: bytes=0-1", "POST / | range: bytes=0-1"])
def test_no_range_to_obey(request_: str) -> None:
    assert requested_spans(req(request_), 10) is None


APPLIES = [
    #                                condition          headers                 expected
    row("without If-Range",          "",                '200 | etag: "a"',      True),
    row("the same entity-tag",       'if-range: "a"',   'etag: "a"',            True),
    row("another",                   'if-range: "b"',   'etag: "a"',            False),
    row("weak ones do not count",    'if-range: W/"a"', 'etag: W/"a"',          False),
    row("there is none",             'if-range: "a"',   "lm: @-9",              False),
    row("the same date",             "if-range: @-9",   "lm: @-9 | date: @+0",  True),
    row("an earlier date",           "if-range: @-9",   "lm: @-99 | date: @+0", False),
    row("a later date",              "if-range: @-9",   "lm: @-5 | date: @+0",  False),
    row("a date, and there is none", "if-range: @-9",   'etag: "a"',            False),
    row("empty",                     "if-range:",       'etag: "a"',            False),
    row("a date that is not strong", "if-range: @-9",   "lm: @-9 | date: @-9",  False),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "headers", "expected"), APPLIES)
def test_if_range(condition: str, headers: str, expected: bool) -> None:
    assert range_applies(req(f"GET / | {condition}"), head(headers.removeprefix("200 | "))) is expected


CONTENT_RANGES = [
    #                                 value                    expected
    row("with the complete length",   "bytes 0-9/100",         ContentRange(0, 100)),
    row("without",                    "Bytes 5-9/*",           ContentRange(5, None)),
    row("of none",                    "bytes */100",           None),
    row("another unit",               "lines 0-9/100",         None),
    row("nothing",                    "",                      None),
    row("absent",                     None,                    None),
    row("numbers without end",        f"bytes 0-{'9' * 99}/*", None),
    row("backwards",                  "bytes 9-0/100",         None),
    row("beyond the complete length", "bytes 0-99/10",         None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), CONTENT_RANGES)
def test_content_range_is_read(value: str | None, expected: ContentRange | None) -> None:
    assert ContentRange.parse(value) == expected


PART = stored('206 | cc: max-age=60 | cr: bytes 20-29/100 | etag: "a"', "GET / | range: bytes=20-29")
OPEN = stored("206 | cc: max-age=60 | cr: bytes 20-29/*", "GET / | range: bytes=20-")
WHOLE = stored()

HELD = [
    #                                         kept   request_                                      spans
    row("the whole, a part of it",            WHOLE, "GET / | range: bytes=0-4",                   [(0, 5)]),
    row("the whole, all of it",               WHOLE, "GET /",                                      None),
    row("a part, the Range it answered",      PART,  "GET / | range: bytes=20-29",                 [(0, 10)]),
    row("a part, a Range within it",          PART,  "GET / | range: bytes=22-23",                 [(2, 4)]),
    row("a part, two within it",              PART,  "GET / | range: bytes=28-29,20-20",           [(8, 10), (0, 1)]),
    row("a part, the last bytes beyond it",   PART,  "GET / | range: bytes=-5",                    None),
    row("a part, a Range before it",          PART,  "GET / | range: bytes=19-22",                 None),
    row("a part, a Range after it",           PART,  "GET / | range: bytes=22-30",                 None),
    row("a part, a Range beyond the whole",   PART,  "GET / | range: bytes=100-",                  None),
    row("a part, no Range",                   PART,  "GET /",                                      None),
    row("a part that If-Range names",         PART,  'GET / | range: bytes=22-23 | if-range: "a"', [(2, 4)]),
    row("a part that If-Range does not name", PART,  'GET / | range: bytes=20-29 | if-range: "b"', None),
    row("of unknown length, the same Range",  OPEN,  "GET / | range: bytes=20-",                   [(0, 10)]),
    row("of unknown length, within it",       OPEN,  "GET / | range: bytes=22-23",                 [(2, 4)]),
    row("of unknown length, an open Range",   OPEN,  "GET / | range: bytes=22-",                   None),
]  # fmt: skip


@pytest.mark.parametrize(("kept", "request_", "spans"), HELD)
def test_held_spans(kept: StoredResponse, request_: str, spans: list[Span] | None) -> None:
    assert held_spans(req(request_), kept) == spans


@pytest.mark.parametrize(
    ("offset", "complete", "span", "expected"),
    [
        row("of the whole",              0,  10,   (2, 5),   "bytes 2-4/10"),
        row("of a part",                 20, 100,  (2, 5),   "bytes 22-24/100"),
        row("of what has no known end",  20, None, (0, 10),  "bytes 20-29/*"),
    ],
)  # fmt: skip
def test_content_range_is_written(offset: int, complete: int | None, span: Span, expected: str) -> None:
    assert content_range(span, offset, complete) == expected


def test_multipart() -> None:
    assert multipart([(0, 1), (8, 10)], stored("200 | ct: text/plain"), "x") == [
        b"\r\n--x\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-0/10\r\n\r\n", (0, 1),
        b"\r\n--x\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n", (8, 10),
        b"\r\n--x--\r\n",
    ]  # fmt: skip


def test_multipart_without_a_type() -> None:
    assert multipart([(0, 1)], WHOLE, "x")[0] == b"\r\n--x\r\nContent-Range: bytes 0-0/10\r\n\r\n"
