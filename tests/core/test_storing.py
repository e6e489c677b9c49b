"""What becomes of the origin's answer? (RFC 9111 §3, §4.3.3–§4.3.5; RFC 5861 §4)"""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.decisions import Exchange, Freshen, Fwd, Hit, Outcome, Pass, Reuse, Save, ServeStale, StoredResponse
from app.core.reasons import Reason
from app.core.reasons import Reason as R
from app.core.reuse import as_purged, decide
from app.core.rules import AskedType, Authorization, Ranges, RequestDirectives, RouteRules, Rules, SetCookie, SoftPurge
from app.core.storing import (
    ERROR_REASONS,
    FORBIDDEN,
    conclude,
    first_forbidding,
    hold,
    reusable,
    shareable_with,
    speaks_of_the_key,
    stored_response,
)
from app.core.tags import TagField
from tests.core.build import INVALIDATED, KEY, NOW, RFC, SPOILED, exchange, forward, req, row, stored, text_of

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
ANSWERED = Rules(error_statuses=frozenset())
NO_WINDOWS = Rules(store_for_windows=False, default_stale_while_revalidate=9)
ON_ERROR = Rules(default_stale_if_error=10)
LAX = Rules(authorization=Authorization.IGNORE, vary_star=False, ignored_directives=frozenset({"no-store"}))
EXPIRING = Rules(soft_purge=SoftPurge.EXPIRE)
WHOLE = Rules(qualified_as_whole=True)
GUARDED = Rules(asked_types=(AskedType("text/x-data", "rsc"),), redirects_need_location=True)
STATIC = RouteRules(must_be_static=True)
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


NOT_STATIC = [
    #                          request_     response                                             reason
    row("private",             "GET /",     "200 | cc: private",                                 R.NOT_STATIC),
    row("a cookie",            "GET /",     "200 | cc: max-age=60 | set-cookie: a",              R.NOT_STATIC),
    row("nothing",             "GET /",     "200",                                               R.NOT_STATIC),
    row("an error",            "GET /",     "404 | cc: private",                                 R.PRIVATE),
    row("an answer to HEAD",   "HEAD /",    "200 | cc: private",                                 R.HEAD),
    row("an answer to POST",   "POST /",    "200 | cc: private",                                 R.METHOD),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "response", "reason"), NOT_STATIC)
def test_what_must_be_the_same_for_everybody(request_: str, response: str, reason: Reason) -> None:
    outcome = conclude(forward(request_), exchange(request_, response), KEY, Rules(of_route=STATIC))
    assert isinstance(outcome, Pass)
    assert outcome.reason is reason


def test_what_must_be_the_same_for_everybody_and_was() -> None:
    rules, kept = Rules(of_route=STATIC), stored('200 | cc: max-age=60 | etag: "1"')
    assert isinstance(conclude(forward(), exchange("GET /", OK), KEY, rules), Save)
    asked = 'GET / | inm: "1"'
    outcome = conclude(forward(asked, kept), exchange(asked, "304 | cc: private"), KEY, rules)
    assert isinstance(outcome, Reuse)
    assert (outcome.reason, outcome.forget) == (R.NOT_STATIC, kept)


def test_the_first_row_that_fires_is_the_reason() -> None:
    rows = [reason for reason, _ in FORBIDDEN]
    came = exchange("POST / | authorization: x", "200 | cc: no-store, private | vary: * | set-cookie: a")
    fired = [reason for reason, predicate in FORBIDDEN if predicate(came, RFC)]
    assert fired == sorted(fired, key=rows.index)
    assert len(fired) > 4
    assert first_forbidding(came, RFC) is fired[0] is R.METHOD


TAGGED = '200 | cc: max-age=10 | etag: "a"'
OLD = stored(TAGGED)
FAILED = stored("503 | cc: max-age=10, stale-if-error=20")
SIE = stored('200 | cc: max-age=10, stale-if-error=20 | etag: "a"')
EXPIRED = as_purged(
    stored("200 | cc: max-age=60, stale-if-error=20").purged(replace(INVALIDATED, at=NOW + 5)), EXPIRING, NOW + 6
)
NO_CACHE = stored('200 | cc: max-age=60, no-cache | etag: "a"')
REVALIDATE = stored('200 | cc: max-age=10, must-revalidate, stale-if-error=20 | etag: "a"')
ASKED = 'GET / | inm: "a"'


def shape(outcome: Outcome) -> tuple[str, Reason | None]:
    match outcome:
        case Save():
            return "save", None
        case Freshen():
            return "freshen", None
        case Reuse(reason, _, forget):
            return ("reuse" if forget is None else "reuse, forget"), reason
        case ServeStale(reason, _):
            return "serve stale", reason
        case Pass(reason, _, forget):
            return ("pass" if forget is None else "pass, forget"), reason


OUTCOMES = [
    #   old         sent      came                   after error                  expected        why
    row("nothing stored, a good answer",
        None,       "GET /",  OK,                    0,  None,                    "save",         None),
    row("nothing stored, an answer for one",
        None,       "GET /",  "200 | cc: private",   0,  None,                    "pass",         R.PRIVATE),
    row("nothing stored, a client's own 304",
        None,       ASKED,    "304",                 0,  None,                    "pass",         R.NOT_MODIFIED),
    row("nothing stored, an error that may be stored",
        None,       "GET /",  "503 | cc: max-age=5", 0,  None,                    "save",         None),
    row("nothing stored, an error without a word",
        None,       "GET /",  "500",                 0,  None,                    "pass",         R.NO_LIFETIME),
    row("confirmed by 304",
        OLD,        ASKED,    "304",                 10, None,                    "freshen",      None),
    row("a new response",
        OLD,        ASKED,    OK,                    10, None,                    "save",         None),
    row("a new response for one",
        OLD,        ASKED,    "200 | cc: private",   10, None,                    "pass",         R.PRIVATE),
    row("a page that is gone",
        OLD,        ASKED,    "404 | cc: max-age=5", 10, None,                    "save",         None),
    row("confirmed by HEAD",
        OLD,        "HEAD /", '200 | etag: "a"',     10, None,                    "freshen",      None),
    row("contradicted by HEAD",
        OLD,        "HEAD /", '200 | etag: "b"',     10, None,                    "pass, forget", R.HEAD),
    row("HEAD of a page that is gone",
        OLD,        "HEAD /", "404",                 10, None,                    "pass, forget", R.HEAD),
    row("a 304 to a GET without a condition is not about HEAD",
        OLD,        "GET /",  "304",                 10, None,                    "pass",         R.NOT_MODIFIED),
    row("an error inside stale-if-error",
        SIE,        ASKED,    "503",                 29, None,                    "serve stale",  R.STALE_IF_ERROR),
    row("an error that is stored is no better than another",
        FAILED,     ASKED,    "502",                 15, None,                    "pass",         R.NO_LIFETIME),
    row("an error after it",
        SIE,        ASKED,    "503",                 30, None,                    "pass",         R.NO_LIFETIME),
    row("an error without stale-if-error",
        OLD,        ASKED,    "503",                 10, None,                    "pass",         R.NO_LIFETIME),
    row("a bare error does not replace what is stored",
        OLD,        ASKED,    "502",                 10, None,                    "pass",         R.NO_LIFETIME),
    row("an error with an entity-tag does not replace it either",
        OLD,        ASKED,    '500 | etag: "e"',     10, None,                    "pass",         R.NO_LIFETIME),
    row("an error that is none for RFC 5861",
        SIE,        ASKED,    "501",                 15, None,                    "pass",         R.NO_LIFETIME),
    row("must-revalidate forbids stale-if-error",
        REVALIDATE, ASKED,    "503",                 15, None,                    "pass",         R.NO_LIFETIME),
    row("an error, and what is stored was spoiled",
        SIE.purged(SPOILED),
                    ASKED,    "503",                 15, None,                    "pass",         R.NO_LIFETIME),
    row("an error, and what is stored was made stale by a purge",
        OLD.purged(INVALIDATED),
                    ASKED,    "503",                 5,  None,                    "serve stale",  R.STALE_IF_ERROR),
    row("an error inside stale-if-error, which a purge has opened",
        EXPIRED,    ASKED,    "503",                 24, None,                    "serve stale",  R.STALE_IF_ERROR),
    row("an error after it has closed",
        EXPIRED,    ASKED,    "503",                 25, None,                    "pass",         R.NO_LIFETIME),
    row("an error, and what a purge made stale must not be served stale",
        REVALIDATE.purged(INVALIDATED),
                    ASKED,    "503",                 5,  None,                    "pass",         R.NO_LIFETIME),
    row("an error, and what is stored is fresh but must be validated",
        NO_CACHE,   ASKED,    "503",                 5,  None,                    "pass",         R.NO_LIFETIME),
    row("no answer, and what is stored is fresh but must be validated",
        NO_CACHE,   ASKED,    "504",                 5,  "connection_timeout",    "pass",         R.ORIGIN_TIMEOUT),
    row("no answer inside stale-if-error",
        SIE,        ASKED,    "502",                 15, "connection_refused",    "serve stale",  R.STALE_IF_ERROR),
    row("no answer, too late",
        SIE,        ASKED,    "502",                 99, "connection_refused",    "pass",         R.ORIGIN_UNREACHABLE),
    row("no answer, nothing stored",
        None,       "GET /",  "502",                 0,  "connection_refused",    "pass",         R.ORIGIN_UNREACHABLE),
    row("no answer in time",
        None,       "GET /",  "504",                 0,  "http_response_timeout", "pass",         R.ORIGIN_TIMEOUT),
    row("no HTTP",
        None,       "GET /",  "502",                 0,  "http_protocol_error",   "pass",         R.ORIGIN_PROTOCOL),
    row("a request that cannot be sent on",
        None,       "GET /",  "400",                 0,  "http_request_error",    "pass",         R.BAD_REQUEST),
    row("half an answer",
        None,       "GET /",  "502",                 0,  "http_response_incomplete",  "pass",     R.ORIGIN_INCOMPLETE),
]  # fmt: skip


@pytest.mark.parametrize(("old", "sent", "came", "after", "error", "expected", "why"), OUTCOMES)
def test_outcomes(
    *, old: StoredResponse | None, sent: str, came: str, after: float, error: str | None, expected: str,
    why: Reason | None,
) -> None:  # fmt: skip
    answer = exchange(sent, came, at=NOW + after, proxy_error=error)
    outcome = conclude(forward("GET /", old), answer, KEY, RFC)
    assert shape(outcome) == (expected, why)
    if isinstance(outcome, Pass):
        assert outcome.response == answer.response


BACKGROUND = [
    #   came                   after error               expected        why
    row("a new response",
        OK,                    11, None,                 "save",         None),
    row("confirmed",
        "304",                 11, None,                 "freshen",      None),
    row("what may not be shared any more",
        "200 | cc: private",   11, None,                 "pass, forget", R.PRIVATE),
    row("an error inside stale-if-error",
        "503",                 11, None,                 "serve stale",  R.STALE_IF_ERROR),
    row("an error after it",
        "503",                 31, None,                 "serve stale",  R.STALE_ERROR),
    row("an error that could be stored",
        "503 | cc: max-age=9", 31, None,                 "serve stale",  R.STALE_ERROR),
    row("no answer",
        "502",                 31, "connection_refused", "serve stale",  R.STALE_ERROR),
]  # fmt: skip


@pytest.mark.parametrize(("came", "after", "error", "expected", "why"), BACKGROUND)
def test_outcomes_of_a_refresh(came: str, after: float, error: str | None, expected: str, why: Reason | None) -> None:
    going = forward("GET /", SIE, reason=R.STALE_WHILE_REVALIDATE, fwd=Fwd.STALE, background=True)
    outcome = conclude(going, exchange(ASKED, came, at=NOW + after, proxy_error=error), KEY, RFC)
    assert shape(outcome) == (expected, why)
    if isinstance(outcome, ServeStale):
        assert outcome.stored == hold(SIE, NOW + after, RFC)


def test_what_goes_by_is_never_stored() -> None:
    going = forward("GET / | range: bytes=0-1", reason=R.REQUEST_RANGE, fwd=Fwd.BYPASS)
    assert shape(conclude(going, exchange("GET /", OK), KEY, RFC)) == ("pass", R.REQUEST_RANGE)


def test_every_error_has_its_reason() -> None:
    assert set(ERROR_REASONS.values()) == {
        R.ORIGIN_TIMEOUT, R.ORIGIN_PROTOCOL, R.ORIGIN_INCOMPLETE, R.BAD_REQUEST,
    }  # fmt: skip


def test_a_failure_is_remembered_for_longer_each_time_but_half_a_minute_at_most() -> None:
    waits = []
    kept = OLD
    for _ in range(12):
        kept = hold(kept, NOW, RFC)
        waits.append(kept.held_until - NOW)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30]
    assert kept.failures == 10


def test_or_for_as_long_as_the_rules_say() -> None:
    steady = Rules(retry_after_failure=10)
    assert hold(OLD, NOW, steady).held_until == NOW + 10
    assert hold(hold(OLD, NOW, steady), NOW, steady).held_until == NOW + 10


OPENED = Rules(forbidden_lifetimes={"200": 1}, default_stale_if_error=60)


@pytest.mark.parametrize("said", ["no-store", "private", "no-cache", "private, no-cache, no-store, max-age=60"])
def test_what_says_that_it_may_not_be_reused_is_stored_where_the_rules_give_it_a_lifetime(said: str) -> None:
    outcome = conclude(forward(), exchange("GET /", f"200 | cc: {said}", rules=OPENED), KEY, OPENED)
    assert isinstance(outcome, Save)
    kept = outcome.stored
    assert kept.response.headers.get("cache-control") == said
    assert (kept.freshness.lifetime, kept.freshness.stale_if_error) == (1, 60)
    assert decide(req(), [kept], OPENED, NOW) == Hit(R.FRESH, kept)
    assert shape(conclude(forward(), exchange("GET /", f"404 | cc: {said}", rules=OPENED), KEY, OPENED))[0] == "pass"


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


VARIANT = stored("200 | cc: max-age=60 | vary: a", "GET / | a: 1")
UNSURE = stored('200 | etag: "a"')
CAREFUL = stored('200 | cc: max-age=60, no-cache | etag: "a"')

SHARED = [
    #                                        outcome                                 request_                  expected
    row("what was stored, for the same variant", Save(VARIANT), "GET / | a: 1",           True),
    row("for another variant",                   Save(VARIANT), "GET / | a: 2",           False),
    row("what has no lifetime",                  Save(UNSURE), "GET /",                  False),
    row("what must be validated each time",      Save(CAREFUL), "GET /",                  False),
    row("for who wants it newer",                Save(VARIANT), "GET / | cc: max-age=0",  False),
    row("what was confirmed",                    Freshen(VARIANT), "GET / | a: 1",           True),
    row("what was confirmed for one use",        Freshen(CAREFUL), "GET /",                  False),
    row("what is stale inside its window",       ServeStale(R.STALE_IF_ERROR, VARIANT), "GET / | a: 1",           True),
    row("stale, for another variant",            ServeStale(R.STALE_IF_ERROR, VARIANT), "GET /",                 False),
    row("stale beyond every window",             ServeStale(R.STALE_ERROR, VARIANT), "GET / | a: 1",           False),
    row("what was confirmed for one alone",      Reuse(R.SET_COOKIE, VARIANT), "GET / | a: 1",           False),
    row("what was for one is for one",           Pass(R.PRIVATE, VARIANT.response), "GET / | a: 1",           False),
]  # fmt: skip


@pytest.mark.parametrize(("outcome", "request_", "expected"), SHARED)
def test_who_may_share(outcome: Outcome, request_: str, expected: bool) -> None:
    assert shareable_with(outcome, exchange("GET / | a: 1", OK), req(request_), RFC, NOW) is expected


REUSABLE = [
    #                                     response                                                         expected
    row("what is fresh",                  "200 | cc: max-age=60",                                          True),
    row("what may be stale for a while",  "200 | cc: max-age=0, stale-while-revalidate=9",                 True),
    row("what has no lifetime",           '200 | etag: "a"',                                               False),
    row("what must be validated",         "200 | cc: max-age=60, no-cache",                                False),
]  # fmt: skip


@pytest.mark.parametrize(("response", "expected"), REUSABLE)
def test_what_may_be_reused_at_once(response: str, expected: bool) -> None:
    assert reusable(stored(response), NOW) is expected


def test_that_the_origin_failed_is_for_all_but_not_what_was_wrong_with_one_request() -> None:
    failed = exchange("GET /", "502", proxy_error="connection_refused")
    assert shareable_with(Pass(R.ORIGIN_UNREACHABLE, failed.response), failed, req("GET /"), RFC, NOW)
    refused = exchange("GET /", "400", proxy_error="http_request_error")
    assert not shareable_with(Pass(R.BAD_REQUEST, refused.response), refused, req("GET /"), RFC, NOW)


OF_THE_KEY = [
    #                                           reason           response        error                 expected
    row("what is private",                      R.PRIVATE,       "200",          None,                 True),
    row("what has no lifetime",                 R.NO_LIFETIME,   "404",          None,                 True),
    row("an error passes",                      R.NO_LIFETIME,   "503",          None,                 False),
    row("a failure passes",                     R.ORIGIN_UNREACHABLE, "502",     "connection_refused", False),
    row("only the request's Authorization",     R.AUTHORIZATION, "200",          None,                 False),
    row("only the request's no-store",          R.REQUEST_NO_STORE, "200",       None,                 False),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "response", "error", "expected"), OF_THE_KEY)
def test_what_speaks_of_the_key(reason: Reason, response: str, error: str | None, expected: bool) -> None:
    came = exchange("GET /", response, proxy_error=error)
    assert speaks_of_the_key(Pass(reason, came.response), came, RFC) is expected


def test_an_error_ends_what_is_stale_where_it_is_an_answer_like_any_other() -> None:
    going = forward("GET /", SIE, reason=R.STALE_WHILE_REVALIDATE, fwd=Fwd.STALE, background=True)
    came = exchange(ASKED, "503", at=NOW + 15)
    assert conclude(going, came, KEY, ANSWERED) == Pass(R.NO_LIFETIME, came.response, SIE)
    gone = exchange(ASKED, "502", at=NOW + 15, proxy_error="connection_refused")
    assert isinstance(conclude(going, gone, KEY, ANSWERED), ServeStale)


def test_an_error_speaks_of_the_key_where_it_is_an_answer_like_any_other() -> None:
    came = exchange("GET /", "503")
    assert speaks_of_the_key(Pass(R.STATUS, came.response), came, ANSWERED)


def test_an_exchange_knows_what_it_was_fetched_under() -> None:
    came = exchange("GET /", OK)
    later = Exchange(came.request, came.response, came.control, NOW, NOW, fetched_under=7)
    assert stored_response(later, KEY, RFC).fetched_under == 7
