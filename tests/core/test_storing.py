"""What may be stored, and as what? (RFC 9111 §3)"""

from __future__ import annotations

import pytest

from app.core.decisions import Exchange
from app.core.reasons import Reason
from app.core.reasons import Reason as R
from app.core.rules import AskedType, Authorization, Ranges, RequestDirectives, RouteRules, Rules, SetCookie
from app.core.storing import FORBIDDEN, first_forbidding, stored_response
from app.core.tags import TagField
from tests.core.build import KEY, NOW, RFC, exchange, row, stored, text_of

POSTED = Rules(store_post=True)
IGNORING = Rules(request_directives=RequestDirectives.IGNORE)
NOT_KEPT = Rules(store_for_validation=False)
COOKIES = Rules(set_cookie=SetCookie.STORE)
NO_AGENTS = Rules(vary_denied=frozenset({"user-agent"}))
ONLY_200 = Rules(statuses=frozenset({200}))
ACCEPT = Rules(vary_allowed=frozenset({"accept"}))
CUTTING = Rules(ranges=Ranges.CUT)
NO_RANGES = Rules(ranges=Ranges.BYPASS)
TEN = Rules(max_body=10)
LARGE = Rules(max_body=4_000_000_000)
STALE = Rules(default_stale_while_revalidate=10)
EXPLICIT = Rules(needs_lifetime=True)
NO_WINDOWS = Rules(store_for_windows=False, default_stale_while_revalidate=9)
ON_ERROR = Rules(default_stale_if_error=10)
LAX = Rules(authorization=Authorization.IGNORE, vary_star=False, ignored_directives=frozenset({"no-store"}))
WHOLE = Rules(qualified_as_whole=True)
GUARDED = Rules(asked_types=(AskedType("text/x-data", "rsc"),), redirects_need_location=True)
OK = "200 | cc: max-age=60"
SAID = "200 | cc: max-age=60 | content-location: /"

FIRES = [
    #   reason             request_                response                                           rules      fires
    # RFC 9110 §9.3.3
    row("PUT",
        R.METHOD,          "PUT /",                SAID,                                              POSTED,    True),
    row("POST",
        R.METHOD,          "POST /",               SAID,                                              RFC,       True),
    row("POST that says so itself",
        R.METHOD,          "POST /",               SAID,                                              POSTED,    False),
    row("POST with s-maxage",
        R.METHOD,          "POST /",               "200 | cc: s-maxage=1 | content-location: http://EXAMPLE.com:80/",
                                                                                                      POSTED,    False),
    row("POST with Expires",
        R.METHOD,          "POST /",               "200 | expires: @+9 | content-location: /",        POSTED,    False),
    row("POST without a lifetime",
        R.METHOD,          "POST /",               "200 | content-location: /",                       POSTED,    True),
    row("POST without a location",
        R.METHOD,          "POST /",               OK,                                                POSTED,    True),
    row("POST of something else",
        R.METHOD,          "POST /",               "200 | cc: max-age=60 | content-location: /a",     POSTED,    True),
    row("POST of something there",
        R.METHOD,          "POST /",               "200 | cc: max-age=60 | content-location: http://a/",
                                                                                                      POSTED,    True),
    row("POST, created",
        R.METHOD,          "POST /",               "201 | cc: max-age=60 | content-location: /",      POSTED,    True),
    row("GET",
        R.METHOD,          "GET /",                OK,                                                RFC,       False),
    row("HEAD",
        R.HEAD,            "HEAD /",               OK,                                                RFC,       True),
    row("no HEAD",
        R.HEAD,            "GET /",                OK,                                                RFC,       False),
    row("304",
        R.NOT_MODIFIED,    "GET /",                "304 | cc: max-age=60",                            RFC,       True),
    row("no 304",
        R.NOT_MODIFIED,    "GET /",                OK,                                                RFC,       False),
    # A page and its data under one URL, and redirects to nowhere
    row("data that was not asked for",
        R.WRONG_VARIANT,   "GET /",                f"{OK} | ct: Text/X-Data; charset=x",              GUARDED,   True),
    row("data that was asked for",
        R.WRONG_VARIANT,   "GET / | rsc: 1",       f"{OK} | ct: text/x-data",                         GUARDED,   False),
    row("another type",
        R.WRONG_VARIANT,   "GET /",                f"{OK} | ct: text/html",                           GUARDED,   False),
    row("a redirect without Location",
        R.NO_LOCATION,     "GET /",                "307 | cc: max-age=60",                            GUARDED,   True),
    row("a redirect",
        R.NO_LOCATION,     "GET /",                "307 | cc: max-age=60 | location: /a",             GUARDED,   False),
    row("no redirect",
        R.NO_LOCATION,     "GET /",                "304 | cc: max-age=60",                            GUARDED,   False),
    row("a redirect without Location, where that is allowed",
        R.NO_LOCATION,     "GET /",                "307 | cc: max-age=60",                            RFC,       False),
    # RFC 9111 §5.2.1.5, §5.2.2
    row("the client says no-store",
        R.REQUEST_NO_STORE,
                           "GET / | cc: no-store", OK,                                                RFC,       True),
    row("but is not asked",
        R.REQUEST_NO_STORE,
                           "GET / | cc: no-store", OK,                                                IGNORING,  False),
    row("no-store",
        R.NO_STORE,        "GET /",                "200 | cc: no-store, max-age=60",                  RFC,       True),
    row("with must-understand",
        R.NO_STORE,        "GET /",                "200 | cc: no-store, must-understand, max-age=60", RFC,       False),
    row("of what is not understood",
        R.NO_STORE,        "GET /",                "299 | cc: no-store, must-understand, max-age=60", RFC,       True),
    row("no-store for others",
        R.NO_STORE,        "GET /",                "200 | cc: no-store | cdn: max-age=60",            RFC,       False),
    row("private",
        R.PRIVATE,         "GET /",                "200 | cc: private, max-age=60",                   RFC,       True),
    row("private for a field",
        R.PRIVATE,         "GET /",                '200 | cc: private="x", max-age=60',               RFC,       False),
    row("private for others",
        R.PRIVATE,         "GET /",                "200 | cc: private | cdn: max-age=60",             RFC,       False),
    row("no-cache",
        R.NO_CACHE,        "GET /",                "200 | cc: no-cache, max-age=60",                  NOT_KEPT,  True),
    row("no-cache, kept for validation",
        R.NO_CACHE,        "GET /",                "200 | cc: no-cache, max-age=60",                  RFC,       False),
    row("Set-Cookie",
        R.SET_COOKIE,      "GET /",                f"{OK} | set-cookie: a=b",                         RFC,       True),
    row("Set-Cookie, as the RFC has it",
        R.SET_COOKIE,      "GET /",                f"{OK} | set-cookie: a=b",                         COOKIES,   False),
    row("Set-Cookie that is private by itself",
        R.SET_COOKIE,      "GET /",                '200 | cc: private="Set-Cookie" | set-cookie: a',  RFC,       False),
    row("Set-Cookie that is no-cache by itself",
        R.SET_COOKIE,      "GET /",                '200 | cc: no-cache="Set-Cookie" | set-cookie: a', RFC,       False),
    row("Set-Cookie beside another private field",
        R.SET_COOKIE,      "GET /",                '200 | cc: private="x" | set-cookie: a',           RFC,       True),
    row("no Set-Cookie",
        R.SET_COOKIE,      "GET /",                OK,                                                RFC,       False),
    # RFC 9111 §3.5
    row("Authorization",
        R.AUTHORIZATION,   "GET / | authorization: x",  OK,                                           RFC,       True),
    row("allowed by public",
        R.AUTHORIZATION,   "GET / | authorization: x",  f"{OK}, public",                              RFC,       False),
    row("allowed by s-maxage",
        R.AUTHORIZATION,   "GET / | authorization: x",  "200 | cc: s-maxage=0",                       RFC,       False),
    row("allowed by must-revalidate",
        R.AUTHORIZATION,   "GET / | authorization: x",  f"{OK}, must-revalidate",                     RFC,       False),
    row("not by proxy-revalidate",
        R.AUTHORIZATION,   "GET / | authorization: x",  f"{OK}, proxy-revalidate",                    RFC,       True),
    row("where it is ignored",
        R.AUTHORIZATION,   "GET / | authorization: x",  OK,                                           LAX,       False),
    row("no Authorization",
        R.AUTHORIZATION,   "GET /",                OK,                                                RFC,       False),
    # RFC 9111 §4.1
    row("Vary: *",
        R.VARY_STAR,       "GET /",                f"{OK} | vary: a, *",                              RFC,       True),
    row("a star that does not count",
        R.VARY_STAR,       "GET /",                f"{OK} | vary: a, *",                              LAX,       False),
    row("a directive that is not obeyed",
        R.NO_STORE,        "GET /",                "200 | cc: no-store, max-age=60",                  LAX,       False),
    row("a qualified form, read as the whole",
        R.PRIVATE,         "GET /",                '200 | cc: private="x", max-age=60',               WHOLE,     True),
    row("another Vary",
        R.VARY_STAR,       "GET /",                f"{OK} | vary: a",                                 RFC,       False),
    row("Vary on what is denied",
        R.VARY_DENIED,     "GET /",                f"{OK} | vary: a, User-Agent",                     NO_AGENTS, True),
    row("Vary on something else",
        R.VARY_DENIED,     "GET /",                f"{OK} | vary: a",                                 NO_AGENTS, False),
    row("Vary on more than what is allowed",
        R.VARY_DENIED,     "GET /",                f"{OK} | vary: Accept, a",                         ACCEPT,    True),
    row("Vary on what is allowed",
        R.VARY_DENIED,     "GET /",                f"{OK} | vary: Accept",                            ACCEPT,    False),
    # RFC 9111 §3, §5.2.2.3
    row("must-understand, unknown",
        R.MUST_UNDERSTAND, "GET /",                "299 | cc: must-understand, max-age=60",           RFC,       True),
    row("must-understand, known",
        R.MUST_UNDERSTAND, "GET /",                "404 | cc: must-understand, max-age=60",           RFC,       False),
    row("a status not listed",
        R.STATUS,          "GET /",                "404 | cc: max-age=60",                            ONLY_200,  True),
    row("a status listed",
        R.STATUS,          "GET /",                OK,                                                ONLY_200,  False),
    row("any status will do",
        R.STATUS,          "GET /",                "599 | cc: max-age=60",                            RFC,       False),
    # RFC 9111 §3.3
    row("a part",
        R.PARTIAL_CONTENT, "GET / | range: bytes=0-1",  "206 | cc: max-age=60 | cr: bytes 0-1/9",     RFC,       False),
    row("a part, parts not served",
        R.PARTIAL_CONTENT, "GET / | range: bytes=0-1",  "206 | cc: max-age=60 | cr: bytes 0-1/9",     NO_RANGES, True),
    row("a part, parts cut from the whole alone",
        R.PARTIAL_CONTENT, "GET / | range: bytes=0-1",  "206 | cc: max-age=60 | cr: bytes 0-1/9",     CUTTING,   True),
    row("several parts",
        R.PARTIAL_CONTENT, "GET / | range: bytes=0-1,5-6",
                                                   "206 | cc: max-age=60 | ct: multipart/byteranges; boundary=x",
                                                                                                      RFC,       True),
    row("a part of what it is not",
        R.PARTIAL_CONTENT, "GET / | range: bytes=0-1",  "206 | cc: max-age=60 | cr: lines 0-1/9",     RFC,       True),
    row("the whole",
        R.PARTIAL_CONTENT, "GET /",                OK,                                                RFC,       False),
    row("a part nobody asked for",
        R.PARTIAL_CONTENT, "GET /",                "206 | cc: max-age=60 | cr: bytes 0-1/9",          RFC,       True),
    row("a part that ends before it begins",
        R.PARTIAL_CONTENT, "GET / | range: bytes=5-2",  "206 | cc: max-age=60 | cr: bytes 5-2/9",     RFC,       True),
    row("a part beyond the end",
        R.PARTIAL_CONTENT, "GET / | range: bytes=0-9",  "206 | cc: max-age=60 | cr: bytes 0-9/5",     RFC,       True),
    row("an event stream",
        R.EVENT_STREAM,    "GET /",                f"{OK} | ct: Text/Event-Stream; charset=utf-8",    RFC,       True),
    row("no event stream",
        R.EVENT_STREAM,    "GET /",                f"{OK} | ct: text/html",                           RFC,       False),
    row("no type at all",
        R.EVENT_STREAM,    "GET /",                OK,                                                RFC,       False),
    # RFC 9111 §3: a lifetime, or something to validate by
    row("nothing to live on",
        R.NO_LIFETIME,     "GET /",                "200",                                             RFC,       True),
    row("max-age",
        R.NO_LIFETIME,     "GET /",                OK,                                                RFC,       False),
    row("max-age=0",
        R.NO_LIFETIME,     "GET /",                "200 | cc: max-age=0",                             RFC,       True),
    row("a stale window",
        R.NO_LIFETIME,     "GET /",                "200 | cc: s-maxage=0, stale-while-revalidate=9",  RFC,       False),
    row("a window for errors",
        R.NO_LIFETIME,     "GET /",                "200 | cc: s-maxage=0, stale-if-error=9",          RFC,       False),
    row("an entity-tag",
        R.NO_LIFETIME,     "GET /",                '200 | etag: "a"',                                 RFC,       False),
    row("a date that cannot be read",
        R.NO_LIFETIME,     "GET /",                "200 | lm: x",                                     RFC,       False),
    row("an entity-tag, not kept for it",
        R.NO_LIFETIME,     "GET /",                '200 | etag: "a"',                                 NOT_KEPT,  True),
    row("an entity-tag of a status that says no more",
        R.NO_LIFETIME,     "GET /",                '302 | etag: "a"',                                 RFC,       True),
    row("a window by default does not make a status cacheable",
        R.NO_LIFETIME,     "GET /",                "302 | location: /login",                          STALE,     True),
    row("nor does a default for errors",
        R.NO_LIFETIME,     "GET /",                "500",                                             ON_ERROR,  True),
    row("nor does it make up for a lifetime",
        R.NO_LIFETIME,     "GET /",                "200",                                             ON_ERROR,  True),
    row("but it follows one that is over",
        R.NO_LIFETIME,     "GET /",                "200 | cc: max-age=0",                             ON_ERROR,  False),
    row("an entity-tag where a lifetime must be said",
        R.NO_LIFETIME,     "GET /",                '200 | etag: "a"',                                 EXPLICIT,  True),
    row("where one is said",
        R.NO_LIFETIME,     "GET /",                '200 | etag: "a" | cc: max-age=0',                EXPLICIT,  False),
    row("stale at once, and a window is open",
        R.NO_LIFETIME,     "GET /",                "200 | cc: max-age=0, stale-while-revalidate=9",  RFC,       False),
    row("the same, where nothing is kept for windows",
        R.NO_LIFETIME,     "GET /",                "200 | cc: max-age=0, stale-while-revalidate=9",  NO_WINDOWS, True),
    row("older than its lifetime, where nothing is kept for windows",
        R.NO_LIFETIME,     "GET /",                "200 | cc: max-age=5 | age: 5",                    NO_WINDOWS, True),
    row("a lifetime, where nothing is kept for windows",
        R.NO_LIFETIME,     "GET /",                "200 | cc: max-age=1, stale-while-revalidate=9",  NO_WINDOWS, False),
    row("too large",
        R.TOO_LARGE,       "GET /",                f"{OK} | cl: 11",                                  TEN,       True),
    row("just fits",
        R.TOO_LARGE,       "GET /",                f"{OK} | cl: 10",                                  TEN,       False),
    row("not said how large",
        R.TOO_LARGE,       "GET /",                OK,                                                TEN,       False),
    row("a length is no time",
        R.TOO_LARGE,       "GET /",                f"{OK} | cl: 5000000000",                          LARGE,     True),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "request_", "response", "rules", "expected"), FIRES)
def test_forbidden_responses(reason: Reason, request_: str, response: str, rules: Rules, expected: bool) -> None:
    (fires,) = [predicate for name, predicate in FORBIDDEN if name is reason]
    came = exchange(request_, response, rules)
    assert fires(came, rules) is expected
    assert (first_forbidding(came, rules) is None) is not any(predicate(came, rules) for _, predicate in FORBIDDEN)


def test_every_forbidding_row_fires_and_does_not() -> None:
    seen = {(case.values[0], case.values[4]) for case in FIRES if not case.marks}
    assert seen == {(reason, fired) for reason, _ in FORBIDDEN for fired in (True, False)}


def test_the_first_row_that_fires_is_the_reason() -> None:
    rows = [reason for reason, _ in FORBIDDEN]
    came = exchange("POST / | authorization: x", "200 | cc: no-store, private | vary: * | set-cookie: a")
    fired = [reason for reason, predicate in FORBIDDEN if predicate(came, RFC)]
    assert fired == sorted(fired, key=rows.index)
    assert len(fired) > 4
    assert first_forbidding(came, RFC) is fired[0] is R.METHOD


KEPT = [
    #   response                                           expected
    row("as it came",
        "200 | b: 1 | cc: max-age=60 | date: @-9",         "b: 1 | cache-control: max-age=60 | date: @-9"),
    row("Date is added",
        "200 | cc: max-age=60",                            "cache-control: max-age=60 | date: @+0"),
    row("Age is in the numbers",
        "200 | age: 5 | cc: max-age=60 | date: @-9",       "cache-control: max-age=60 | date: @-9"),
    row("without private fields",
        '200 | x: 1 | cc: private="X, y" | date: @-9',     'cache-control: private="X, y" | date: @-9'),
    row("without fields to be validated",
        '200 | x: 1 | cc: no-cache="x" | date: @-9',       'cache-control: no-cache="x" | date: @-9'),
    row("Set-Cookie lines stay apart",
        "200 | set-cookie: a | set-cookie: b | date: @-9", "set-cookie: a | set-cookie: b | date: @-9"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "expected"), KEPT)
def test_the_head_that_is_kept(response: str, expected: str) -> None:
    kept = stored_response(exchange("GET /", response), KEY, RFC)
    assert text_of(kept.response.headers) == text_of(exchange(response=f"200 | {expected}").response.headers)


MAKING = Rules(makes_last_modified=True)
MADE = [
    row("where nothing validates it",   "200 | date: @-9",                "date: @-9 | last-modified: @+0"),
    row("where a date does",            "200 | date: @-9 | lm: @-99",     "date: @-9 | last-modified: @-99"),
    row("where an entity-tag does",     '200 | date: @-9 | etag: "a"',    'date: @-9 | etag: "a"'),
]  # fmt: skip


@pytest.mark.parametrize(("response", "expected"), MADE)
def test_last_modified_is_made(response: str, expected: str) -> None:
    kept = stored_response(exchange("GET /", response), KEY, MAKING)
    assert text_of(kept.response.headers) == text_of(exchange(response=f"200 | {expected}").response.headers)


def test_what_can_be_validated_by_that_is_kept() -> None:
    came = exchange("GET /", "200 | cc: max-age=0")
    assert first_forbidding(came, MAKING) is None
    assert first_forbidding(came, RFC) is R.NO_LIFETIME


def test_what_is_kept_of_the_whole() -> None:
    came = exchange("GET / | a: 1 | b: 2", "200 | cc: max-age=60 | vary: b, A", at=NOW + 5, took=1)
    kept = stored_response(came, KEY, RFC)
    assert (kept.key, kept.stored_at, kept.control) == (KEY, NOW + 5, came.control)
    assert kept.selecting == (("a", "1"), ("b", "2"))
    assert (kept.first_byte, kept.complete_length, kept.requested_range) == (None, None, None)
    assert (kept.freshness.age(NOW + 5), kept.freshness.lifetime) == (1, 60)
    assert kept.variant == (kept.selecting, None, None)


@pytest.mark.parametrize("rule", [SetCookie.STRIP, SetCookie.STRIP_STORED])
def test_cookies_that_are_stripped_are_not_kept(rule: SetCookie) -> None:
    rules = Rules(set_cookie=rule)
    came = exchange("GET /", f"{OK} | set-cookie: a=1 | a: 1", rules)
    assert first_forbidding(came, rules) is None
    headers = stored_response(came, KEY, rules).response.headers
    assert ("set-cookie" in headers, headers.get("a")) == (False, "1")


def test_the_tags_of_a_route_are_kept_beside_its_own() -> None:
    rules = Rules(tags=(TagField("cache-tag"),), of_route=RouteRules(tags=("b", "c")))
    assert stored("200 | cache-tag: a, b", rules=rules).tags == ("a", "b", "c")


def test_what_is_kept_of_a_part() -> None:
    kept = stored("206 | cc: max-age=60 | cr: bytes 5-14/100", "GET / | range: bytes=5-14")
    assert (kept.first_byte, kept.complete_length, kept.requested_range) == (5, 100, "bytes=5-14")
    assert kept.variant == ((), "bytes=5-14", None)


def test_a_content_range_of_what_is_no_part_means_nothing() -> None:
    kept = stored("200 | cc: max-age=60 | cr: bytes 5-14/100", "GET / | range: bytes=5-14")
    assert (kept.first_byte, kept.requested_range) == (None, None)


def test_an_exchange_knows_what_it_was_fetched_under() -> None:
    came = exchange("GET /", OK)
    later = Exchange(came.request, came.response, came.control, NOW, NOW, fetched_under=7)
    assert stored_response(later, KEY, RFC).fetched_under == 7
