"""What the answer to one request means for others of the same key."""

from __future__ import annotations

import pytest

from app.core.decisions import Freshen, Outcome, Pass, Reuse, Save, ServeStale
from app.core.reasons import Reason
from app.core.reasons import Reason as R
from app.core.rules import Rules
from app.core.sharing import reusable, shareable_with, speaks_of_the_key
from tests.core.build import NOW, RFC, exchange, req, row, stored

ANSWERED = Rules(error_statuses=frozenset())
OK = "200 | cc: max-age=60"

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


def test_an_error_speaks_of_the_key_where_it_is_an_answer_like_any_other() -> None:
    came = exchange("GET /", "503")
    assert speaks_of_the_key(Pass(R.STATUS, came.response), came, ANSWERED)
