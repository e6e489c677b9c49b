"""Four requests, played through the path's own rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.decisions import Result
from app.core.dialect import Dialect
from app.core.reasons import Reason
from app.core.rules import LifetimeSource, RequestDirectives, Rules, SetCookie
from app.core.trial import Seen, Trial, trial
from tests.core.build import NOW, RFC, req, res, row

PLAIN = Dialect("plain", "2026-11")


def tried(response: str, request: str = "GET /", rules: Rules = RFC, dialect: Dialect = PLAIN) -> Trial:
    return trial(replace(dialect, rules=rules), Seen(req(request), res(response), NOW))


def story(found: Trial) -> str:
    """What each of the four got; a dash where nothing is stored that could go stale."""
    turns = (found.first, found.second, found.stale, found.down)
    return " ".join("-" if turn is None else turn.verdict.result for turn in turns)


STORIES = [
    # what it is the response the four answers
    row("fresh, then fetched anew", "200 | cc: s-maxage=60", "miss hit expired error"),
    row("fresh, then asked whether it has changed", '200 | cc: s-maxage=60 | etag: "1"', "miss hit revalidated error"),
    row("by its date of change too", "200 | cc: s-maxage=60 | lm: @-600", "miss hit revalidated error"),
    row("the shortest window is open", "200 | cc: s-maxage=60, stale-while-revalidate=1", "miss hit stale stale"),
    row("an origin that is down", "200 | cc: s-maxage=60, stale-if-error=60", "miss hit expired stale"),
    row("validated at each use", '200 | cc: no-cache | etag: "1"', "miss revalidated revalidated error"),
    row("stale from the start", "200 | cc: s-maxage=0, stale-while-revalidate=9", "miss stale stale stale"),
    row("an age that has used it up", "200 | cc: s-maxage=60 | age: 61", "miss expired expired error"),
    row("never stored", "200 | cc: private", "nostore nostore - error"),
    row("an error that says how long", "503 | cc: s-maxage=60", "miss hit expired error"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "answers"), STORIES)
def test_a_story(response: str, answers: str) -> None:
    assert story(tried(response)) == answers


ASKED = [
    row("a method that is passed", "POST /", "pass pass - error"),
    row("who wants no stored response", "GET / | cc: no-cache", "miss revalidated revalidated error"),
    row("who wants a stored one only", "GET / | cc: only-if-cached", "error error - error"),
    row("who has it already", 'GET / | inm: "1"', "miss hit revalidated error"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "answers"), ASKED)
def test_what_is_asked_counts(request_: str, answers: str) -> None:
    assert story(tried('200 | cc: s-maxage=60 | etag: "1"', request_)) == answers


def test_who_has_it_already_gets_a_304() -> None:
    found = tried('200 | cc: s-maxage=60 | etag: "1"', 'GET / | inm: "1"')
    assert [found.first.response.status, found.second.response.status] == [304, 304]


def test_the_origins_dates_move_with_it() -> None:
    found = tried("200 | date: @+0 | expires: @+60")
    assert story(found) == "miss hit expired error"
    assert found.stale is not None
    # A second answer, 60.5 s later, lives for 60 s like the first.
    assert found.stale.verdict.ttl == 60


def test_hits_are_counted_up_to_each_request() -> None:
    found = tried("200 | cc: s-maxage=60, stale-while-revalidate=60")
    assert found.stale is not None
    assert [turn.hits for turn in found.turns] == [0, 1, 2, 2]
    assert [turn.number for turn in found.turns] == [1, 2, 3, 3]
    assert found.second.verdict.number == 1_000


def test_what_a_dialect_lets_no_client_say_is_gone() -> None:
    strict = replace(PLAIN, stripped_from_requests=frozenset({"x-control"}), confined=(("x-data", "/data/"),))
    asked = tried("200", "GET / | x-control: 1 | x-data: 1 | accept: */*", dialect=strict).first.asked
    assert "x-control" not in asked.headers
    assert "x-data" not in asked.headers
    assert "accept" in asked.headers


def test_a_cookie_that_is_stripped_reaches_nobody() -> None:
    found = tried("200 | cc: s-maxage=60 | set-cookie: a=b", rules=replace(RFC, set_cookie=SetCookie.STRIP))
    assert all("set-cookie" not in turn.response.headers for turn in found.turns)
    kept = tried("200 | cc: private | set-cookie: a=b", rules=replace(RFC, set_cookie=SetCookie.STRIP))
    assert "set-cookie" in kept.first.response.headers


def test_the_rules_are_those_of_the_dialect() -> None:
    browsers = replace(RFC, lifetime_from=(LifetimeSource.S_MAXAGE,), store_for_validation=False)
    found = tried("200 | cc: max-age=60", rules=browsers)
    assert found.first.verdict.reason is Reason.NO_LIFETIME
    deaf = replace(RFC, request_directives=RequestDirectives.IGNORE)
    assert tried("200 | cc: max-age=60", "GET / | cc: no-cache", deaf).second.verdict.result is Result.HIT
