"""A dialect as data, and Cache-Status (RFC 9211)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.client_lifetime import ClientLifetime
from app.core.decisions import Fwd, Result, Verdict
from app.core.dialect import (
    ClientCacheControl,
    Dialect,
    ErrorField,
    IdentityField,
    cache_status,
    client_cache_control,
    speak,
)  # fmt: skip
from app.core.reasons import Reason as R
from app.core.speech import LATE, About, SpokenField, Trigger
from tests.core.build import head, req, res, row, text_of

HIT = Verdict(Result.HIT, R.FRESH, "k", ttl=5, age=1)
MISS = Verdict(Result.MISS, R.URI_MISS, "k", fwd=Fwd.URI_MISS, fwd_status=200, stored=True, ttl=60, age=0)
ERROR = Verdict(Result.ERROR, R.ORIGIN_TIMEOUT, "k", fwd=Fwd.URI_MISS, proxy_error="http_response_timeout")
LOOP = Verdict(Result.ERROR, R.LOOP, "k")

STATUSES = [
    #   verdict status member
    row("a hit",
        HIT,  200, 'x; hit; ttl=5; key="k"; detail=fresh'),
    row("a stale hit",
        Verdict(Result.STALE, R.STALE_WHILE_REVALIDATE, "k", ttl=-5),
              200, 'x; hit; ttl=-5; key="k"; detail=stale-while-revalidate'),
    row("a miss that was stored",
        MISS, 200, 'x; fwd=uri-miss; stored; ttl=60; key="k"; detail=uri-miss'),
    row("a miss that was waited for",
        Verdict(Result.MISS, R.COLLAPSED, "k", Fwd.URI_MISS, 200, True, True),
              200, 'x; fwd=uri-miss; stored; collapsed; key="k"; detail=collapsed'),
    row("what the origin said, if it is not what the client gets",
        Verdict(Result.REVALIDATED, R.VALIDATED, "k", Fwd.STALE, 304, True, ttl=60),
              200, 'x; fwd=stale; fwd-status=304; stored; ttl=60; key="k"; detail=validated'),
    row("no answer has no status",
        Verdict(Result.STALE, R.STALE_IF_ERROR, "k", Fwd.STALE, None, ttl=-1),
              200, 'x; fwd=stale; ttl=-1; key="k"; detail=stale-if-error'),
    row("what goes by",
        Verdict(Result.PASS, R.REQUEST_RANGE, "k", Fwd.BYPASS, 206),
              206, 'x; fwd=bypass; key="k"; detail=request-range'),
    row("quotes and backslashes in a key are escaped",
        Verdict(Result.HIT, R.FRESH, 'a"b\\c'),
              200, 'x; hit; key="a\\"b\\\\c"; detail=fresh'),
    row("a key that no String can hold is left out",
        Verdict(Result.HIT, R.FRESH, "\xe9"),
              200, "x; hit; detail=fresh"),
    row("so is one with a control character",
        Verdict(Result.HIT, R.FRESH, "a\x7f"),
              200, "x; hit; detail=fresh"),
]  # fmt: skip


@pytest.mark.parametrize(("verdict", "status", "member"), STATUSES)
def test_cache_status(verdict: Verdict, status: int, member: str) -> None:
    assert cache_status("x", verdict, status) == member


NO_STATUS = Dialect("quiet", "2026-11", cache_status=None)
LOUD = Dialect(
    "loud", "2026-11", cache_status="edge", server="loud/1", via="loud", hidden=frozenset({"x-secret", "x-cache"}),
    fields=(SpokenField("x-cache", words={result: result.upper() for result in Result}),),
    identity=IdentityField("x-id", "{random}"), age_on_miss=True,
    error=ErrorField("x-error", {"http_response_timeout": "TIMEOUT", "loop": "LOOP"}, "OTHER"),
)  # fmt: skip
HIT_SAID = 'cache-status: edge; hit; ttl=5; key="k"; detail=fresh'

SPEECH = [
    #   dialect response verdict identity expected
    row("nothing but Cache-Status",
        Dialect("plain", "2026-11"),
              "200 | a: 1",
                     HIT, None,  'a: 1 | cache-status: swerve; hit; ttl=5; key="k"; detail=fresh'),
    row("not even that",
        NO_STATUS,
              "200 | a: 1 | cache-status: origin; hit",
                     HIT, "i", "a: 1 | cache-status: origin; hit"),
    row("Cache-Status stands after those of others",
        Dialect("plain", "2026-11", cache_status="edge"),
              "200 | cache-status: origin; hit",
                     HIT, None,  f"cache-status: origin; hit | {HIT_SAID}"),
    row("every field of its own, in its own words",
        LOUD, "200 | x-cache: origin | x-secret: 1 | age: 7",
                     HIT, "i", f"age: 7 | x-cache: HIT | x-id: i | server: loud/1 | via: 1.1 loud | {HIT_SAID}"),
    row("an Age of nought for what has none, and no identity",
        LOUD, "200 | server: origin | via: 1.1 origin",
                     HIT, None,
                              f"via: 1.1 origin | x-cache: HIT | server: loud/1 | age: 0 | via: 1.1 loud | {HIT_SAID}"),
    row("an error made here is no cache's answer",
        LOUD, "504 | age: 7",
                     ERROR,
                          "i", "age: 7 | x-cache: ERROR | x-id: i | server: loud/1 | x-error: TIMEOUT | via: 1.1 loud"),
    row("an error by its reason",
        LOUD, "508 | age: 7",
                     LOOP,
                          "i", "age: 7 | x-cache: ERROR | x-id: i | server: loud/1 | x-error: LOOP | via: 1.1 loud"),
    row("an error without a code",
        LOUD, "400 | age: 7",
                     Verdict(Result.ERROR, R.BAD_HOST, "k"),
                          "i", "age: 7 | x-cache: ERROR | x-id: i | server: loud/1 | x-error: OTHER | via: 1.1 loud"),
    row("no field for errors",
        NO_STATUS,
              "504", ERROR,
                          None,  ""),
    row("Set-Cookie lines stay apart",
        NO_STATUS,
              "200 | set-cookie: a | set-cookie: b",
                     MISS,
                          None,  "set-cookie: a | set-cookie: b"),
]  # fmt: skip


SECRETIVE = Dialect(
    "secretive", "2026-11", cache_status=None, hidden=frozenset({"x-secret"}),
    hidden_unless=(Trigger("x-debug"), Trigger("pragma", "x-on")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        row("nobody sees it", "GET /", False),
        row("but for who sends the field", "GET / | x-debug: 0", True),
        row("or the token", "GET / | pragma: X-On", True),
        row("not another one", "GET / | pragma: no-cache", False),
    ],
)
def test_what_is_hidden(request_: str, shown: bool) -> None:
    spoken = speak(SECRETIVE, About(req(request_), res("200 | x-secret: 1"), HIT))
    assert text_of(spoken.headers) == ("x-secret: 1" if shown else "")


@pytest.mark.parametrize(("dialect", "response", "verdict", "identity", "expected"), SPEECH)
def test_speech(dialect: Dialect, response: str, verdict: Verdict, identity: str | None, expected: str) -> None:
    spoken = speak(dialect, About(replace(req(), identity=identity or ""), res(response), verdict))
    assert text_of(spoken.headers).replace(f"{LATE['identity']}", "i") == text_of(head(expected))
    assert spoken.status == res(response).status


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        row("what clients see of it", "200 | vary: A, x, b", "vary: A, b"),
        row("nothing of it",          "200 | vary: x, *",    ""),
        row("none",                   "200 | a: 1",          "a: 1"),
    ],
)  # fmt: skip
def test_what_the_client_sees_of_vary(response: str, expected: str) -> None:
    dialect = replace(NO_STATUS, vary_shown=frozenset({"a", "b"}))
    assert text_of(speak(dialect, About(req(), res(response), HIT)).headers) == expected


STRIPPING = Dialect("stripping", "2026-11", cache_status=None, client_cache_control=ClientCacheControl.STRIP_SHARED)
DEFAULTING = Dialect(
    "defaulting", "2026-11", cache_status=None, client_cache_control=ClientCacheControl.STRIP_SHARED,
    default_cache_control="public, max-age=0",
)  # fmt: skip

CONTROL = [
    #   dialect     headers                                                 expected
    row("unchanged",
        NO_STATUS,  "cc: s-maxage=60, max-age=5",                           None),
    row("unchanged, and none said",
        NO_STATUS,  "",                                                     None),
    row("the default, where none is said",
        DEFAULTING, "",                                                     "public, max-age=0"),
    row("what is for shared caches goes",
        STRIPPING,  "cc: s-maxage=60, max-age=5, stale-while-revalidate=9", "max-age=5"),
    row("from every line",
        STRIPPING,  "cc: s-maxage=60 | cc: max-age=5 | cc: public",         "max-age=5, public"),
    row("the default, where nothing is left",
        DEFAULTING, "cc: s-maxage=60, stale-if-error=9",                    "public, max-age=0"),
    row("what is private stays as it is",
        DEFAULTING, "cc: Private, s-maxage=60",                             None),
    row("where a targeted field governs too",
        DEFAULTING, "cc: s-maxage=60 | cdn: max-age=5",                     None),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "headers", "expected"), CONTROL)
def test_client_cache_control(dialect: Dialect, headers: str, expected: str | None) -> None:
    assert client_cache_control(dialect, head(headers)) == expected


LONGER = replace(STRIPPING, client_lifetime=ClientLifetime(least=100))
LONGER_DEFAULT = replace(DEFAULTING, client_lifetime=ClientLifetime(least=100))
NOT_STORED = Verdict(Result.NOSTORE, R.NO_STORE, "k", Fwd.URI_MISS, 200)


@pytest.mark.parametrize(
    ("dialect", "headers", "verdict", "expected"),
    [
        row("of what is left",         LONGER, "cc: s-maxage=60, public", MISS, "cache-control: public, max-age=100"),
        row("where nothing is left",   LONGER, "cc: s-maxage=60",         MISS, "cache-control: max-age=100"),
        row("of the default",          LONGER_DEFAULT, "",                MISS, "cache-control: public, max-age=100"),
        row("where it is long enough", LONGER, "cc: max-age=200",         MISS, "cache-control: max-age=200"),
        row("not if it is not stored", LONGER, "cc: max-age=60",    NOT_STORED, "cache-control: max-age=60"),
        row("nor if nothing is left",  LONGER, "cc: s-maxage=60",   NOT_STORED, ""),
    ],
)  # fmt: skip
def test_for_how_long_clients_may_keep_it(dialect: Dialect, headers: str, verdict: Verdict, expected: str) -> None:
    text = f"200 | {headers}" if headers else "200"
    assert text_of(speak(dialect, About(req(), res(text), verdict)).headers) == expected


def test_a_lifetime_for_clients_is_known_when_a_response_leaves() -> None:
    assert LONGER.has_late_slots
    assert not STRIPPING.has_late_slots


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        row("what is left replaces it",           "cc: s-maxage=60, max-age=5", "cache-control: max-age=5"),
        row("nothing left and no default: none",  "cc: s-maxage=60",            ""),
    ],
)  # fmt: skip
def test_what_the_client_sees_of_cache_control(headers: str, expected: str) -> None:
    assert text_of(speak(STRIPPING, About(req(), res(f"200 | {headers}"), MISS)).headers) == expected
