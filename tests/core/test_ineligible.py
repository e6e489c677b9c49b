"""Which requests never meet the cache, and which are refused with their body."""

from __future__ import annotations

import pytest

from app.core.decisions import Forward, Refuse
from app.core.preview import Preview
from app.core.reasons import Reason
from app.core.reasons import Reason as R
from app.core.reuse import INELIGIBLE, decide
from app.core.rules import Authorization, Cookies, Head, Ranges, RouteRules, Rules
from tests.core.build import NOW, RFC, req, row, stored

NO_AUTHORIZATION = Rules(authorization=Authorization.BYPASS)
NO_RANGES = Rules(ranges=Ranges.BYPASS)
BYPASSING = Rules(bypass_cookies=frozenset({"b"}), bypass_fields=("x-b",))
DRAFTING = Rules(bypass_cookies=frozenset({"b"}), preview=Preview("b", "x-renew", "x-renew-stored", "s3cret"))
NO_COOKIES = Rules(cookies=Cookies.BYPASS)
EXTENSIONS = Rules(extensions=frozenset({"css", "js", "robots.txt"}))
DYNAMIC = Rules(of_route=RouteRules(dynamic=True))
ONLY_GET = Rules(head=Head.BYPASS)

FIRES = [
    #                                reason                   request_                    rules             expected
    row("POST",                      R.METHOD,                "POST /",                   RFC,              True),
    row("a method in small letters", R.METHOD,                "get /",                    RFC,              True),
    row("GET",                       R.METHOD,                "GET /",                    RFC,              False),
    row("HEAD",                      R.METHOD,                "HEAD /",                   RFC,              False),
    row("HEAD, where GET alone will do", R.METHOD,            "HEAD /",                   ONLY_GET,         True),
    row("GET, where it does",        R.METHOD,                "GET /",                    ONLY_GET,         False),
    row("Authorization, refused",    R.REQUEST_AUTHORIZATION, "GET / | authorization: x", NO_AUTHORIZATION, True),
    row("Authorization, allowed",    R.REQUEST_AUTHORIZATION, "GET / | authorization: x", RFC,              False),
    row("no Authorization",          R.REQUEST_AUTHORIZATION, "GET /",                    NO_AUTHORIZATION, False),
    row("Range, refused",            R.REQUEST_RANGE,         "GET / | range: bytes=0-1", NO_RANGES,        True),
    row("Range, served",             R.REQUEST_RANGE,         "GET / | range: bytes=0-1", RFC,              False),
    row("no Range",                  R.REQUEST_RANGE,         "GET /",                    NO_RANGES,        False),
    row("a body",                    R.REQUEST_BODY,          "GET / | cl: 5",            RFC,              True),
    row("no body",                   R.REQUEST_BODY,          "GET / | cl: 0",            RFC,              False),
    row("a cookie that bypasses",    R.REQUEST_COOKIE,        "GET / | cookie: a=1; b=2", BYPASSING,        True),
    row("one on another line",       R.REQUEST_COOKIE,        "GET / | cookie: a | cookie: B", BYPASSING,   True),
    row("one of several of its name", R.REQUEST_COOKIE,       "GET / | cookie: b=1; a=1; b", BYPASSING,     True),
    row("another cookie",            R.REQUEST_COOKIE,        "GET / | cookie: a=b; bb=", BYPASSING,        False),
    row("a cookie where none does",  R.REQUEST_COOKIE,        "GET / | cookie: b=2",      RFC,              False),
    row("any cookie",                R.REQUEST_COOKIE,        "GET / | cookie: c=1",      NO_COOKIES,       True),
    row("no cookie",                 R.REQUEST_COOKIE,        "GET /",                    NO_COOKIES,       False),
    row("a name that is eligible",           R.REQUEST_EXTENSION, "GET /ROBOTS.txt",          EXTENSIONS,       False),
    row("another of that extension",         R.REQUEST_EXTENSION, "GET /humans.txt",          EXTENSIONS,       True),
    row("an extension that is eligible",     R.REQUEST_EXTENSION, "GET /a/b.CSS?x=.html", EXTENSIONS,       False),
    row("one that is not",           R.REQUEST_EXTENSION,     "GET /a.css/b.html",        EXTENSIONS,       True),
    row("none",                      R.REQUEST_EXTENSION,     "GET /a.css/b",             EXTENSIONS,       True),
    row("none, where any will do",   R.REQUEST_EXTENSION,     "GET /a",                   RFC,              False),
    row("a draft, with the token",   R.REQUEST_COOKIE,        "GET / | cookie: b=s3cret", DRAFTING,         True),
    row("a draft, the second of two", R.REQUEST_COOKIE,       "GET / | cookie: b=2; b=s3cret", DRAFTING,    True),
    row("a draft, on another line",  R.REQUEST_COOKIE,        "GET / | cookie: b=2 | cookie: B=s3cret", DRAFTING, True),
    row("a draft, without it",       R.REQUEST_COOKIE,        "GET / | cookie: b=2",      DRAFTING,         False),
    row("a field that bypasses, of a POST", R.REQUEST_FIELD,  "POST / | x-b: 1",          BYPASSING,        True),
    row("a dynamic route",           R.DYNAMIC_ROUTE,         "GET /a",                   DYNAMIC,          True),
    row("a route that is not",       R.DYNAMIC_ROUTE,         "GET /a",                   RFC,              False),
    row("a field that bypasses",     R.REQUEST_FIELD,         "GET / | x-b: 1",           BYPASSING,        True),
    row("another field",             R.REQUEST_FIELD,         "GET / | x-c: 1",           BYPASSING,        False),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "request_", "rules", "expected"), FIRES)
def test_ineligible_requests(reason: Reason, request_: str, rules: Rules, expected: bool) -> None:
    ((fwd, fires),) = [(fwd, fires) for name, fwd, fires in INELIGIBLE if name is reason]
    assert fires(req(request_), rules) is expected
    if expected:
        assert decide(req(request_), [stored()], rules, NOW) == Forward(reason, fwd, req(request_))


def test_every_ineligible_row_fires_and_does_not() -> None:
    seen = {(case.values[0], case.values[3]) for case in FIRES}
    assert seen == {(reason, fired) for reason, *_ in INELIGIBLE for fired in (True, False)}


REFUSING = Rules(refuses_bodies=True)


@pytest.mark.parametrize(
    ("request_", "refused"),
    [
        row("a GET with a body",  "GET / | cl: 5",  True),
        row("a GET without one",  "GET / | cl: 0",  False),
        row("a POST with a body", "POST / | cl: 5", False),
    ],
)  # fmt: skip
def test_bodies_that_are_refused(request_: str, refused: bool) -> None:
    assert (decide(req(request_), [], REFUSING, NOW) == Refuse(R.REQUEST_BODY, 403)) is refused
