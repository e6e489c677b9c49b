"""What becomes of the origin's answer? (RFC 9111 §3, §4.3.3–§4.3.5; RFC 5861 §4)"""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.concluding import ERROR_REASONS, conclude, hold
from app.core.decisions import Freshen, Fwd, Hit, Outcome, Pass, Reuse, Save, ServeStale, StoredResponse
from app.core.reasons import Reason
from app.core.reasons import Reason as R
from app.core.reuse import as_purged, decide
from app.core.rules import RouteRules, Rules, SoftPurge
from tests.core.build import INVALIDATED, KEY, NOW, RFC, SPOILED, exchange, forward, req, row, stored

ANSWERED = Rules(error_statuses=frozenset())
EXPIRING = Rules(soft_purge=SoftPurge.EXPIRE)
STATIC = RouteRules(must_be_static=True)
OK = "200 | cc: max-age=60"

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


def test_an_error_ends_what_is_stale_where_it_is_an_answer_like_any_other() -> None:
    going = forward("GET /", SIE, reason=R.STALE_WHILE_REVALIDATE, fwd=Fwd.STALE, background=True)
    came = exchange(ASKED, "503", at=NOW + 15)
    assert conclude(going, came, KEY, ANSWERED) == Pass(R.NO_LIFETIME, came.response, SIE)
    gone = exchange(ASKED, "502", at=NOW + 15, proxy_error="connection_refused")
    assert isinstance(conclude(going, gone, KEY, ANSWERED), ServeStale)
