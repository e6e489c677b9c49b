"""The head that leaves and the bytes that follow it (RFC 9110 §14, §15.3.7, §15.4.5; RFC 9111 §4, §5.1)."""

from __future__ import annotations

import pytest

from app.core.decisions import StoredResponse
from app.core.deliver import Delivery, deliver_fetched, deliver_stored, not_modified_head
from tests.core.build import NOW, head, req, res, row, stored, text_of

DATED = "cc: max-age=60 | date: @+0"
WHOLE = stored(f'200 | {DATED} | etag: "a" | ct: text/plain')
EMPTY = stored(f"204 | {DATED}", size=0)
MISSING = stored(f"404 | {DATED}")
LENGTH = stored(f"200 | {DATED} | cl: 10")
WRONG = stored(f"200 | {DATED} | cl: 99 | cl: 10")
PART = stored(f'206 | {DATED} | cr: bytes 20-29/100 | etag: "a" | cl: 10', "GET / | range: bytes=20-29")

ALL = [(0, 10)]
HELD = f'{DATED} | etag: "a" | ct: text/plain'

STORED = [
    #   kept   request_                       status headers                                                  parts
    row("as it is, with Age and a length",
        WHOLE, "GET /",                       200, f"{HELD} | age: 7 | cl: 10",                               ALL),
    row("the head alone",
        WHOLE, "HEAD /",                      200, f"{HELD} | age: 7 | cl: 10",                               []),
    row("a length that was right stays",
        LENGTH,  "GET /",                     200, f"{DATED} | cl: 10 | age: 7",                              ALL),
    row("lengths that were wrong do not",
        WRONG, "GET /",                       200, f"{DATED} | age: 7 | cl: 10",                              ALL),
    row("204 has neither body nor length",
        EMPTY, "GET /",                       204, f"{DATED} | age: 7",                                       []),
    row("the client holds it",
        WHOLE, 'GET / | inm: "a"',            304, f'{DATED} | etag: "a" | age: 7',                           []),
    row("the client holds it, whatever Range it asks for",
        WHOLE, 'GET / | inm: "a" | range: bytes=0-1',
                                              304, f'{DATED} | etag: "a" | age: 7',                           []),
    row("a Range",
        WHOLE, "GET / | range: bytes=2-4",    206, f"{HELD} | age: 7 | cr: bytes 2-4/10 | cl: 3",             [(2, 5)]),
    row("a Range of HEAD is none",
        WHOLE, "HEAD / | range: bytes=2-4",   200, f"{HELD} | age: 7 | cl: 10",                               []),
    row("a Range that If-Range allows",
        WHOLE, 'GET / | range: bytes=2-4 | if-range: "a"',
                                              206, f"{HELD} | age: 7 | cr: bytes 2-4/10 | cl: 3",             [(2, 5)]),
    row("a Range that If-Range forbids",
        WHOLE, 'GET / | range: bytes=2-4 | if-range: "b"',
                                              200, f"{HELD} | age: 7 | cl: 10",                               ALL),
    row("a Range that is malformed",
        WHOLE, "GET / | range: bytes=x",      200, f"{HELD} | age: 7 | cl: 10",                               ALL),
    row("a Range beyond the end",
        WHOLE, "GET / | range: bytes=10-",    416, f'{DATED} | etag: "a" | age: 7 | cr: bytes */10 | cl: 0',  []),
    row("a Range of an error",
        MISSING,  "GET / | range: bytes=2-4", 404, f"{DATED} | age: 7 | cl: 10",                              ALL),
    row("a part, as it came",
        PART,  "GET / | range: bytes=20-29",  206, f'{DATED} | cr: bytes 20-29/100 | etag: "a" | cl: 10 | age: 7',
                                                                                                              ALL),
    row("a part of a part",
        PART,  "GET / | range: bytes=22-23",  206, f'{DATED} | etag: "a" | age: 7 | cr: bytes 22-23/100 | cl: 2',
                                                                                                              [(2, 4)]),
    row("a part has no body for HEAD",
        PART,  "HEAD / | range: bytes=20-29", 206, f'{DATED} | cr: bytes 20-29/100 | etag: "a" | cl: 10 | age: 7',  []),
    row("what lies beyond a part is told by the complete length",
        PART,  "GET / | range: bytes=200-",   416, f'{DATED} | etag: "a" | age: 7 | cr: bytes */100 | cl: 0', []),
]  # fmt: skip


@pytest.mark.parametrize(("kept", "request_", "status", "headers", "parts"), STORED)
def test_stored(kept: StoredResponse, request_: str, status: int, headers: str, parts: list[tuple[int, int]]) -> None:
    delivery = deliver_stored(req(request_), kept, NOW + 7.9)
    assert (delivery.response.status, text_of(delivery.response.headers)) == (status, text_of(head(headers)))
    assert delivery.parts == tuple(parts)


def test_several_ranges() -> None:
    delivery = deliver_stored(req("GET / | range: bytes=0-1,8-9"), WHOLE, NOW)
    kind = delivery.response.headers.get("content-type") or ""
    assert delivery.response.status == 206
    assert kind.startswith("multipart/byteranges; boundary=")
    assert "content-range" not in delivery.response.headers
    assert [part for part in delivery.parts or () if isinstance(part, tuple)] == [(0, 2), (8, 10)]
    boundary = kind.partition("=")[2]
    assert (delivery.parts or (b"",))[-1] == f"\r\n--{boundary}--\r\n".encode()


FETCHED = [
    #   request_            response                               expected                               whole
    row("as it came",
        "GET /",            "200 | cl: 5 | a: 1",                  "200 | cl: 5 | a: 1",                  True),
    row("the head alone",
        "HEAD /",           "200 | cl: 5",                         "200 | cl: 5",                         False),
    row("204",
        "GET /",            "204",                                 "204",                                 False),
    row("a 304 the client asked for",
        'GET / | inm: "a"', '304 | etag: "a"',                     '304 | etag: "a"',                     False),
    row("the client holds it",
        'GET / | inm: "a"', '200 | etag: "a" | cl: 5',             '304 | etag: "a"',                     False),
    row("the client holds another",
        'GET / | inm: "b"', '200 | etag: "a" | cl: 5',             '200 | etag: "a" | cl: 5',             True),
    row("an error is sent whole",
        "GET / | inm: *",   "500 | cl: 5",                         "500 | cl: 5",                         True),
    row("Set-Cookie lines stay apart",
        "GET /",            "200 | set-cookie: a | set-cookie: b", "200 | set-cookie: a | set-cookie: b", True),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "response", "expected", "whole"), FETCHED)
def test_fetched(request_: str, response: str, expected: str, whole: bool) -> None:
    assert deliver_fetched(req(request_), res(response)) == Delivery(res(expected), None if whole else ())


PARTS = [
    #   request_                             response                            expected                       parts
    row("a part of the whole",
        "GET / | range: bytes=2-4",          "200 | cl: 9",                      "206 | cr: bytes 2-4/9 | cl: 3",
                                                                                                             ((2, 5),)),
    row("none of it",
        "GET / | range: bytes=9-",           "200 | a: 1 | ct: b | cl: 9",       "416 | a: 1 | cr: bytes */9 | cl: 0",
                                                                                                                ()),
    row("the whole for several parts",
        "GET / | range: bytes=0-1,5-6",      "200 | cl: 9",                      "200 | cl: 9",                 None),
    row("the whole for what is no Range",
        "GET / | range: bytes=x",            "200 | cl: 9",                      "200 | cl: 9",                 None),
    row("the whole of unknown length",
        "GET / | range: bytes=2-4",          "200 | a: 1",                       "200 | a: 1",                  None),
    row("the whole where If-Range names another",
        'GET / | range: bytes=2-4 | if-range: "b"',
                                             '200 | etag: "a" | cl: 9',          '200 | etag: "a" | cl: 9',     None),
    row("an error as it is",
        "GET / | range: bytes=2-4",          "404 | cl: 9",                      "404 | cl: 9",                 None),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "response", "expected", "parts"), PARTS)
def test_a_part_of_what_was_fetched_as_a_whole(
    request_: str, response: str, expected: str, parts: tuple[tuple[int, int], ...] | None
) -> None:
    assert deliver_fetched(req(request_), res(response), whole=True) == Delivery(res(expected), parts)


def test_what_stays_in_a_304() -> None:
    must = 'cache-control: a | content-location: b | date: c | etag: "d" | expires: e | vary: f | last-modified: g'
    acted_on = "content-security-policy: h | x: i | set-cookie: j | set-cookie: k | age: 1"
    of_the_body = "content-type: l | content-length: 1 | content-encoding: br | content-range: m | content-language: n"
    response = res(f"200 | {must} | {of_the_body} | {acted_on}")
    assert not_modified_head(response) == res(f"304 | {must} | {acted_on}")
