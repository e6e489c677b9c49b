"""Conditional requests and freshening (RFC 9110 §8.8, §13; RFC 9111 §3.2, §4.3)."""

from __future__ import annotations

import pytest

from app.core.concluding import conclude
from app.core.decisions import Exchange, Freshen, Hit, Reuse, StoredResponse
from app.core.reuse import decide
from app.core.validation import confirms, not_modified
from tests.core.build import KEY, NOW, RFC, SPOILED, exchange, forward, req, res, row, stored, text_of

CONDITIONS = [
    #                                           request_                        response                     expected
    row("no condition",                         "GET /",                        '200 | etag: "a" | lm: @-9', False),
    row("the same entity-tag",                  'GET / | inm: "a"',             '200 | etag: "a"',           True),
    row("the same for HEAD",                    'HEAD / | inm: "a"',            '200 | etag: "a"',           True),
    row("not for POST",                         'POST / | inm: "a"',            '200 | etag: "a"',           False),
    row("not for an error",                     'GET / | inm: "a"',             '404 | etag: "a"',           False),
    row("not for a part",                       'GET / | inm: "a"',             '206 | etag: "a"',           False),
    row("another entity-tag",                   'GET / | inm: "b"',             '200 | etag: "a"',           False),
    row("weak tags match",                      'GET / | inm: W/"a"',           '200 | etag: "a"',           True),
    row("one of several",                       'GET / | inm: "b", W/"a", "c"', '200 | etag: "a"',           True),
    row("a comma inside of a tag",              'GET / | inm: "a,b"',           '200 | etag: "a,b"',         True),
    row("several lines",                        'GET / | inm: "b" | inm: "a"',  '200 | etag: "a"',           True),
    row("any",                                  "GET / | inm: *",               "200",                       True),
    row("without an entity-tag none matches",   'GET / | inm: "a"',             "200",                       False),
    row("an empty list matches none",           "GET / | inm:",                 '200 | etag: "a"',           False),
    row("the entity-tag decides, not the date", 'GET / | inm: "b" | ims: @-9',  '200 | etag: "a" | lm: @-9', False),
    row("not modified since",                   "GET / | ims: @-9",             "200 | lm: @-9",             True),
    row("modified before",                      "GET / | ims: @-5",             "200 | lm: @-9",             True),
    row("modified since",                       "GET / | ims: @-9",             "200 | lm: @-5",             False),
    row("Date in place of Last-Modified",       "GET / | ims: @-5",             "200 | date: @-9",           True),
    row("Last-Modified before Date",            "GET / | ims: @-7",             "200 | lm: @-5 | date: @-9", False),
    row("no date at all",                       "GET / | ims: @-5",             "200",                       False),
    row("a condition that is no date",          "GET / | ims: x",               "200 | lm: @-9",             False),
    row("Last-Modified that is no date",        "GET / | ims: @-5",             "200 | lm: x",               False),
    row("If-Match is the origin's",             'GET / | if-match: "b"',        '200 | etag: "a"',           False),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "response", "expected"), CONDITIONS)
def test_the_client_holds_it(request_: str, response: str, expected: bool) -> None:
    assert not_modified(req(request_), res(response)) is expected


HELD = '200 | cc: max-age=60 | etag: "a" | lm: @-99'

CONFIRMATIONS = [
    #                                    request_             response                      expected
    row("304 to our entity-tag",         'GET / | inm: "a"',  '304 | etag: "a"',            True),
    row("304 to our date",               "GET / | ims: @-99", "304",                        True),
    row("304 to no condition",           "GET /",             "304",                        False),
    row("HEAD with nothing to compare",  "HEAD /",            "200",                        True),
    row("HEAD with the same validators", "HEAD /",            '200 | etag: "a" | lm: @-99', True),
    row("HEAD with another entity-tag",  "HEAD /",            '200 | etag: "b" | lm: @-99', False),
    row("HEAD with another date",        "HEAD /",            "200 | lm: @-9",              False),
    row("HEAD with the same length",     "HEAD /",            "200 | cl: 10",               True),
    row("HEAD with another length",      "HEAD /",            '200 | etag: "a" | cl: 11',   False),
    row("HEAD that found nothing",       "HEAD /",            "404",                        False),
    row("HEAD that was sent elsewhere",  "HEAD /",            "302 | location: /login",     False),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "response", "expected"), CONFIRMATIONS)
def test_an_answer_confirms(request_: str, response: str, expected: bool) -> None:
    assert confirms(exchange(request_, response), stored(HELD)) is expected


OLD = '200 | cc: max-age=60 | etag: "a" | x: 1 | y: 1 | cl: 10 | date: @-50'
AFTER = "content-length: 10 | date: @+0 | "

FRESHENED = [
    #   before response                  after
    row("a field that came replaces, the others stay",
        OLD, "304 | date: @+0 | x: 2",   'cache-control: max-age=60 | etag: "a" | y: 1 | cl: 10 | x: 2 | date: @+0'),
    row("what describes the body stays",
        OLD, "304 | date: @+0 | cl: 0 | content-encoding: br",
                                         'cache-control: max-age=60 | etag: "a" | x: 1 | y: 1 | cl: 10 | date: @+0'),
    row("Age is not kept",
        OLD, "304 | date: @+0 | age: 5", 'cache-control: max-age=60 | etag: "a" | x: 1 | y: 1 | cl: 10 | date: @+0'),
    row("lines of one name replace together",
        "200 | x: 1 | x: 2 | date: @-9",
             "304 | date: @+0 | x: 3 | x: 4",  "x: 3 | x: 4 | date: @+0"),
    row("another strong tag: the fields stay",
        OLD, '304 | date: @+0 | etag: "b" | x: 2',
                                         'cache-control: max-age=60 | etag: "a" | x: 1 | y: 1 | cl: 10 | date: @+0'),
    row("a strong tag for what was stored without one: the fields stay",
        "200 | lm: @-99 | x: 1 | date: @-9",
             '304 | date: @+0 | etag: "b" | x: 2',  "lm: @-99 | x: 1 | date: @+0"),
    row("another weak tag: the fields stay",
        OLD, '304 | date: @+0 | etag: W/"b" | x: 2',
                                         'cache-control: max-age=60 | etag: "a" | x: 1 | y: 1 | cl: 10 | date: @+0'),
    row("the same tag, weakly: updated",
        OLD, '304 | date: @+0 | etag: W/"a" | x: 2',
                                         'cache-control: max-age=60 | etag: "a" | y: 1 | cl: 10 | x: 2 | date: @+0'),
    row("a 304 without Date gets one",
        OLD, "304",                      'cache-control: max-age=60 | etag: "a" | x: 1 | y: 1 | cl: 10 | date: @+0'),
    row("fields for the requester alone are not kept",
        OLD, '304 | date: @+0 | cc: max-age=60, private="x" | x: bob',
                                         'etag: "a" | y: 1 | cl: 10 | cc: max-age=60, private="x" | date: @+0'),
    row("fields that need validation are not kept",
        OLD, '304 | date: @+0 | cc: max-age=60, no-cache="x" | x: bob',
                                         'etag: "a" | y: 1 | cl: 10 | cc: max-age=60, no-cache="x" | date: @+0'),
]  # fmt: skip


def freshen(answer: Exchange, old: StoredResponse) -> StoredResponse:
    outcome = conclude(forward("GET /", old), answer, KEY, RFC)
    assert isinstance(outcome, Freshen | Reuse)
    return outcome.stored


@pytest.mark.parametrize(("before", "response", "after"), FRESHENED)
def test_freshened_fields(before: str, response: str, after: str) -> None:
    kept = freshen(exchange('GET / | inm: "a"', response), stored(before))
    assert text_of(kept.response.headers) == text_of(res(f"200 | {after}").headers)


LIVES = [
    #   before                              response                           age ttl
    row("a new start",
        OLD,                                "304 | date: @+0",                 0,  60),
    row("with the Age that came",
        OLD,                                "304 | date: @+0 | age: 5",        5,  55),
    row("with the Date that came",
        OLD,                                "304 | date: @-7",                 7,  53),
    row("with the lifetime that came",
        OLD,                                "304 | date: @+0 | cc: max-age=5", 0,  5),
    row("with the Expires that came",
        "200 | expires: @-9 | etag: \"a\"", "304 | date: @+0 | expires: @+9",  0,  9),
    row("without a Date, from now",
        OLD,                                "304",                             0,  60),
    row("also by a 304 that names another response: the origin said that ours is current",
        OLD,                                '304 | date: @+0 | etag: "b"',     0,  60),
]  # fmt: skip


@pytest.mark.parametrize(("before", "response", "age", "ttl"), LIVES)
def test_freshened_life(before: str, response: str, age: float, ttl: float) -> None:
    fresh = freshen(exchange('GET / | inm: "a"', response), stored(before)).freshness
    assert (fresh.age(NOW), fresh.ttl(NOW)) == (age, ttl)


def test_freshening_forgets_failures_and_what_spoiled_it() -> None:
    old = stored(HELD, failures=3, held_until=NOW + 9, purge=SPOILED, body=b"0123456789", stored_at=NOW - 99)
    kept = freshen(exchange('GET / | inm: "a"', "304 | date: @+0"), old)
    assert (kept.failures, kept.held_until, kept.purge, kept.stored_at) == (0, 0, None, NOW)
    assert (kept.body, kept.size, kept.selecting, kept.key) == (old.body, old.size, old.selecting, old.key)


def reused(old: StoredResponse, response: str, later: str) -> bool:
    """Whether the next client is answered from the store after a 304 with these fields."""
    outcome = conclude(forward("GET /", old), exchange('GET / | inm: "a"', response), KEY, RFC)
    kept = [outcome.stored] if isinstance(outcome, Freshen) else []
    return isinstance(decide(req(later), kept, RFC, NOW), Hit)


REUSED = [
    #                                    response                          later                  expected
    row("nothing new",                   "304",                            "GET /",               True),
    row("304 with no-cache",             "304 | cc: max-age=60, no-cache", "GET /",               False),
    row("304 with private",              "304 | cc: max-age=60, private",  "GET /",               False),
    row("304 with no-store",             "304 | cc: max-age=60, no-store", "GET /",               False),
    row("304 with Set-Cookie",           "304 | set-cookie: sid=bob",      "GET /",               False),
    row("304 with Vary: *",              "304 | vary: *",                  "GET /",               False),
    row("304 with a new Vary",           "304 | vary: cookie",             "GET / | cookie: bob", False),
    row("304 with a new Vary, the same", "304 | vary: cookie",             "GET /",               True),
]  # fmt: skip


@pytest.mark.parametrize(("response", "later", "expected"), REUSED)
def test_who_is_answered_after_a_304(response: str, later: str, expected: bool) -> None:
    assert reused(stored('200 | cc: max-age=60 | etag: "a"'), f"{response} | date: @+0", later) is expected
