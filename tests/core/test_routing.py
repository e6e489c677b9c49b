"""Which rules hold for which paths (app/core/routing.py)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.key import cache_key
from app.core.reasons import Reason
from app.core.routing import Route, Ruling
from app.core.rules import RouteRules, Rules
from tests.core.build import RFC, req, row

ONE, TWO = Rules(max_body=1, bypass_cookies=frozenset({"a"})), Rules(max_body=2)

FITS = [
    #                                    pattern      host             target           fits
    row("itself",                        "/a",        None,            "/a",            True),
    row("whatever the query",            "/a",        None,            "/a?b",          True),
    row("not what begins with it",       "/a",        None,            "/ab",           False),
    row("a star for anything",           "/a/*",      None,            "/a/b/c",        True),
    row("a star for nothing",            "/a/*",      None,            "/a/",           True),
    row("but not for the rest of it",    "/a/*",      None,            "/a",            False),
    row("a star in between",             "/*/b",      None,            "/x/y/b",        True),
    row("two stars",                     "/*/b/*/c",  None,            "/x/b/y/b/c",    True),
    row("two stars in another order",    "/*/b/*/c",  None,            "/x/c/b",        False),
    row("what is between is not there",  "/a*b*c",    None,            "/axc",          False),
    row("no part is counted twice",      "/aa*aa",    None,            "/aaa",          False),
    row("a dot is a dot",                "/a.c",      None,            "/abc",          False),
    row("a needless encoding",           "/a-b/*",    None,            "/%61%2Db/%20",  True),
    row("one in the pattern",            "/%61/b",    None,            "/a/b",          True),
    row("an encoding that is needed",    "/a/b",      None,            "/a%2Fb",        False),
    row("no encoding at all",            "/a%zz",     None,            "/a%zz",         True),
    row("its host",                      "/a",        "example.com",   "/a",            True),
    row("another host",                  "/a",        "example.org",   "/a",            False),
    row("everything",                    "*",         None,            "/a",            True),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "host", "target", "fits"), FITS)
def test_patterns(pattern: str, host: str | None, target: str, fits: bool) -> None:
    ruling = Ruling(RFC, [Route(pattern, ONE, host)])
    asked = req(f"GET {target}")
    assert ruling.of(asked) is (ONE if fits else RFC)
    assert ruling.of_key(cache_key(asked, RFC)) is (ONE if fits else RFC)


ELSEWHERE = [
    #                                        target                       may be another path
    row("a path",                            "/a/b",                      False),
    row("names with dots",                   "/a/.b/..c/d../...",         False),
    row("dots in the query",                 "/a/b?/../",                 False),
    row("one up",                            "/a/../account",             True),
    row("at the end",                        "/a/b/..",                   True),
    row("this one",                          "/a/./account",              True),
    row("a slash that is encoded",           "/a/..%2Faccount",           True),
    row("dots that are encoded",             "/a/.%2e/account",           True),
    row("all of it",                         "/a/%2e%2E%2faccount",       True),
    row("encoded twice",                     "/a/%252e%252e%252faccount", True),
    row("a backslash",                       "/a/b\\..\\account",         True),
    row("one that is encoded",               "/a/b%5C..%5caccount",       True),
    row("with parameters of the segment",    "/a/..;x=1/account",         True),
]  # fmt: skip


@pytest.mark.parametrize(("target", "elsewhere"), ELSEWHERE)
def test_what_the_origin_may_take_for_another_path_is_never_stored(target: str, elsewhere: bool) -> None:
    """Or a route that has its paths stored would have what is for one client stored, if asked for by way of them."""
    rules = Ruling(RFC, [Route("/a/*", ONE)]).of(req(f"GET {target}"))
    assert rules == replace(ONE, of_route=RouteRules(dynamic=elsewhere))


def test_the_first_route_that_fits_counts() -> None:
    ruling = Ruling(RFC, [Route("/a", ONE), Route("*", TWO)])
    assert [ruling.of(req(f"GET {path}")) for path in ("/a", "/b")] == [ONE, TWO]
    assert ruling.bypass_cookies == {"a"}


def test_without_routes_the_same_rules_hold_everywhere() -> None:
    ruling = Ruling(RFC)
    assert (ruling.of(req()), ruling.of_key("GET http example.com /"), ruling.route_of(req())) == (RFC, RFC, None)


REFUSED = [
    #                                                    request_             reason
    row("one that exists",                               "GET /blog/a?x",     None),
    row("needlessly encoded",                            "GET /blog/%61",     None),
    row("by a pattern",                                  "GET /blog/2026/11", None),
    row("where all exist",                               "GET /c",            None),
    row("one that does not",                             "GET /blog/b",       Reason.UNKNOWN_PATH),
    row("what is wrong with the request is said first",  "TRACE /blog/b",     Reason.METHOD_REFUSED),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "reason"), REFUSED)
def test_paths_that_do_not_exist_are_refused(request_: str, reason: Reason | None) -> None:
    found = Ruling(RFC, [Route("/blog/*", ONE, only=("/blog/a", "/blog/2026/*"))]).refusal(req(request_), "n")
    assert (found.reason if found else None) is reason
    assert found is None or found.status in (404, 405)
