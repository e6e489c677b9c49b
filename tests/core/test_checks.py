"""Every rule, ticked or crossed, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.checks import cookie_names, described, refusal_checks, request_checks, response_checks
from app.core.explain import Known, explain
from app.core.fields import spelled
from app.core.reasons import Reason
from app.core.routing import Ruling
from app.core.rules import Authorization, Head, Ranges, RequestDirectives, Rules
from tests.core.build import NOW, RFC, exchange, head, req, row, stored

NODE = "n0de1"
IGNORING = Rules(request_directives=RequestDirectives.IGNORE)
DEAF = Rules(ignored_request_directives=frozenset({"no-cache"}))
BYPASSING = Rules(authorization=Authorization.BYPASS, ranges=Ranges.BYPASS, head=Head.CONVERT)
PRAGMATIC = Rules(request_directives=RequestDirectives.IGNORE, pragma_validates_stale=True)


def refused(checks: Any) -> list[Reason]:
    return [check.reason for check in checks if not check.ok]


@pytest.mark.parametrize(
    ("asked", "rules", "reasons", "found"),
    [
        row("a plain GET", "GET /", RFC, [], ""),
        row("another method", "POST /", RFC, [Reason.METHOD], "POST"),
        row("a body", "GET / | cl: 5", RFC, [Reason.REQUEST_BODY], "Content-Length: 5"),
        row(
            "a body without length",
            "GET / | transfer-encoding: chunked",
            RFC,
            [Reason.REQUEST_BODY],
            "Transfer-Encoding: chunked",
        ),
        row(
            "credentials stay hidden",
            "GET / | authorization: Bearer x",
            BYPASSING,
            [Reason.REQUEST_AUTHORIZATION],
            "Authorization",
        ),
        row("a range", "GET / | range: bytes=0-1", BYPASSING, [Reason.REQUEST_RANGE], "Range: bytes=0-1"),
        row("no-store", "GET / | cc: no-store", RFC, [Reason.REQUEST_NO_STORE], "Cache-Control: no-store"),
        row("no-cache", "GET / | cc: no-cache", RFC, [Reason.REQUEST_NO_CACHE], "Cache-Control: no-cache"),
        row("a reload", "GET / | cc: max-age=0", RFC, [Reason.REQUEST_MAX_AGE], "Cache-Control: max-age=0"),
        row("min-fresh", "GET / | cc: min-fresh=99", RFC, [Reason.REQUEST_MIN_FRESH], "Cache-Control: min-fresh=99"),
        row(
            "several, each alone",
            "GET / | cc: max-age=0, no-cache",
            RFC,
            [Reason.REQUEST_NO_CACHE, Reason.REQUEST_MAX_AGE],
            "Cache-Control: no-cache",
        ),
        row("Pragma", "GET / | pragma: no-cache", RFC, [Reason.REQUEST_PRAGMA], "Pragma: no-cache"),
        row("Pragma beside Cache-Control", "GET / | pragma: no-cache | cc: a", RFC, [], ""),
        row("a dialect that ignores it", "GET / | cc: no-cache", IGNORING, [], ""),
        row("one that ignores this one", "GET / | cc: no-cache", DEAF, [], ""),
        row("but not that one", "GET / | cc: no-store", DEAF, [Reason.REQUEST_NO_STORE], "Cache-Control: no-store"),
    ],
)
def test_what_refuses_a_request(asked: str, rules: Rules, reasons: list[Reason], found: str) -> None:
    checks = request_checks(req(asked), [stored(rules=rules)], rules, NOW + 1)
    assert refused(checks) == reasons
    assert next((check.found for check in checks if not check.ok), "") == found


def test_what_is_sent_and_ignored_is_shown() -> None:
    checks = request_checks(req("GET / | cc: no-cache | pragma: no-cache"), [stored()], IGNORING, NOW + 1)
    shown = {check.reason: check.found for check in checks}
    assert shown[Reason.REQUEST_NO_CACHE] == "Cache-Control: no-cache (ignored by this dialect)"
    assert shown[Reason.REQUEST_PRAGMA] == "Pragma: no-cache (ignored by this dialect)"


def test_pragma_may_count_for_what_is_stale_only() -> None:
    asked, there = req("GET / | pragma: no-cache"), [stored(rules=PRAGMATIC)]
    assert refused(request_checks(asked, there, PRAGMATIC, NOW + 1)) == []
    assert refused(request_checks(asked, there, PRAGMATIC, NOW + 61)) == [Reason.REQUEST_PRAGMA]


def test_a_directive_that_allows_refuses_nothing() -> None:
    checks = request_checks(req("GET / | cc: max-stale=60"), [stored()], RFC, NOW + 61)
    assert refused(checks) == []
    assert [check.found for check in checks if check.reason is Reason.REQUEST_MAX_STALE] == [
        "Cache-Control: max-stale=60"
    ]


def test_only_if_cached_refuses_when_nothing_is_stored() -> None:
    assert refused(request_checks(req("GET / | cc: only-if-cached"), [], RFC, NOW)) == [Reason.ONLY_IF_CACHED]


@pytest.mark.parametrize(("request_", "reason"), [
    row("no host",       req(authority=""),                              Reason.BAD_HOST),
    row("CONNECT",       req("CONNECT /"),                               Reason.METHOD_REFUSED),
    row("a loop",        req("GET / | cdn-loop: swerve; node=n0de1"),    Reason.LOOP),
])  # fmt: skip
def test_what_no_origin_is_asked_for(request_: Any, reason: Reason) -> None:
    assert refused(refusal_checks(request_, NODE, Ruling(RFC))) == [reason]
    found = explain(request_, Known([], NODE), Ruling(RFC), NOW)
    assert (found.answer.kind, found.answer.judgement.reason, found.answer.result) == ("refuse", reason, "error")
    assert found.answer.status in (400, 405, 508)


@pytest.mark.parametrize(
    ("asked", "answer", "reason", "found"),
    [
        row("method", "POST /", "200 | cc: max-age=60", Reason.METHOD, "POST"),
        row("HEAD", "HEAD /", "200 | cc: max-age=60", Reason.HEAD, "HEAD"),
        row("a 304", "GET /", "304 | cc: max-age=60", Reason.NOT_MODIFIED, "status 304"),
        row(
            "the client",
            "GET / | cc: no-store",
            "200 | cc: max-age=60",
            Reason.REQUEST_NO_STORE,
            "Cache-Control: no-store",
        ),
        row(
            "no-store",
            "GET /",
            "200 | cc: no-store, max-age=60",
            Reason.NO_STORE,
            "Cache-Control: no-store, max-age=60",
        ),
        row(
            "private",
            "GET /",
            "200 | cdn: private, max-age=60 | cc: a",
            Reason.PRIVATE,
            "CDN-Cache-Control: private, max-age=60",
        ),
        row(
            "cookie values stay hidden",
            "GET /",
            "200 | cc: max-age=60 | set-cookie: s=1; Path=/ | set-cookie: t=2",
            Reason.SET_COOKIE,
            "Set-Cookie: s, t",
        ),
        row(
            "credentials stay hidden",
            "GET / | authorization: Bearer x",
            "200 | cc: max-age=60",
            Reason.AUTHORIZATION,
            "Authorization, and Cache-Control: max-age=60",
        ),
        row("Vary", "GET /", "200 | cc: max-age=60 | vary: *", Reason.VARY_STAR, "Vary: *"),
        row(
            "must-understand",
            "GET /",
            "299 | cc: must-understand, max-age=60",
            Reason.MUST_UNDERSTAND,
            "Cache-Control: must-understand, max-age=60",
        ),
        row("a part", "GET /", "206 | cc: max-age=60 | cr: bytes x", Reason.PARTIAL_CONTENT, "Content-Range: bytes x"),
        row(
            "event stream",
            "GET /",
            "200 | cc: max-age=60 | ct: text/event-stream",
            Reason.EVENT_STREAM,
            "Content-Type: text/event-stream",
        ),
        row("no lifetime", "GET /", "200", Reason.NO_LIFETIME, "no Cache-Control"),
        row(
            "too large",
            "GET /",
            "200 | cc: max-age=60 | cl: 99999999999",
            Reason.TOO_LARGE,
            "Content-Length: 99999999999",
        ),
    ],
)
def test_what_refuses_a_response(asked: str, answer: str, reason: Reason, found: str) -> None:
    checks = response_checks(exchange(asked, answer), RFC)
    assert refused(checks) == [reason]
    assert next(check.found for check in checks if not check.ok) == found


def test_a_status_that_is_not_stored() -> None:
    rules = Rules(statuses=frozenset({200}), vary_denied=frozenset({"cookie"}))
    checks = response_checks(exchange("GET /", "404 | cc: max-age=60 | vary: cookie", rules), rules)
    assert [(check.reason, check.found) for check in checks if not check.ok] == [
        (Reason.VARY_DENIED, "Vary: cookie"), (Reason.STATUS, "status 404"),
    ]  # fmt: skip


def test_fields_in_words() -> None:
    headers = head("cdn: a | set-cookie: one=1; Path=/ | set-cookie: two")
    assert [described(headers, "cdn-cache-control"), described(headers, "etag")] == ["CDN-Cache-Control: a", "no ETag"]
    assert cookie_names(headers) == "one, two"
    assert spelled("x-forwarded-for") == "X-Forwarded-For"
