"""One response under several dialects: what each does with it, and in what they differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.decisions import Result
from app.core.dialect import Dialect, ErrorField
from app.core.reasons import Reason
from app.core.rules import Query, Rules, SetCookie, VaryRule
from app.core.speech import SpokenField, Trigger
from app.core.table import CookieFate, Treatment, compared
from app.core.trial import Seen
from tests.core.build import NOW, RFC, req, res, row

SWR = "stale-while-revalidate"
WORDS = {result: result.upper() for result in Result}
PLAIN = Dialect("plain", "2026-11", fields=(SpokenField("x-cache", words=WORDS),))


def treated(response: str, request: str = "GET /", dialect: Dialect = PLAIN) -> Treatment:
    (one,) = compared([dialect], Seen(req(request), res(response), NOW)).dialects
    return one


BY_MAX_AGE = "cache-control: max-age"
LIVES = [
    # what it is the response fresh stale on error by
    row("a lifetime", "200 | cc: s-maxage=60", 60, 0, 0, "cache-control: s-maxage"),
    row("what is left of it", "200 | cc: max-age=60 | age: 20", 40, 0, 0, BY_MAX_AGE),
    row("both windows", f"200 | cc: max-age=60, {SWR}=5, stale-if-error=9", 60, 5, 9, BY_MAX_AGE),
    row("the longer covers both", f"200 | cc: max-age=60, {SWR}=9, stale-if-error=5", 60, 9, 9, BY_MAX_AGE),
    row("forbidden", "200 | cc: max-age=60, stale-if-error=5, must-revalidate", 60, 0, 0, BY_MAX_AGE),
    row("a targeted field", "200 | cc: max-age=9 | cdn: max-age=60", 60, 0, 0, "cdn-cache-control: max-age"),
    row("a date", "200 | date: @+0 | expires: @+60", 60, 0, 0, "expires"),
    row("an age beyond it", f"200 | cc: s-maxage=60, {SWR}=50 | age: 70", 0, 50, 50, "cache-control: s-maxage"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "fresh", "stale", "on_error", "by"), LIVES)
def test_a_life_in_numbers(response: str, fresh: float, stale: float, on_error: float, by: str) -> None:
    one = treated(response)
    assert (one.fresh_for, one.stale_for, one.stale_on_error, one.lifetime_from) == (fresh, stale, on_error, by)
    assert one.stored
    assert one.refused is None


def test_what_is_validated_at_each_use_is_fresh_for_no_time() -> None:
    one = treated('200 | cc: no-cache, max-age=60, stale-if-error=60 | etag: "1"')
    assert (one.stored, one.validated, one.fresh_for, one.stale_for, one.stale_on_error) == (True, True, 0, 0, 0)


def test_what_is_not_stored_says_why() -> None:
    one = treated("200 | cc: private, max-age=60")
    assert (one.stored, one.refused, one.fresh_for, one.lifetime_from) == (False, Reason.PRIVATE, 0, None)
    assert one.told_apart_by == ()
    assert one.stale is None
    assert (one.down.status, one.down.result) == (502, Result.ERROR)


@pytest.mark.parametrize(("rule", "response", "fate"), [
    (SetCookie.REFUSE, "200 | cc: s-maxage=60 | set-cookie: a=b", CookieFate.EACH),
    (SetCookie.STORE, "200 | cc: s-maxage=60 | set-cookie: a=b", CookieFate.ALL),
    (SetCookie.STRIP_STORED, "200 | cc: s-maxage=60 | set-cookie: a=b", CookieFate.FIRST),
    (SetCookie.STRIP, "200 | cc: s-maxage=60 | set-cookie: a=b", CookieFate.NOBODY),
    (SetCookie.STORE, "200 | cc: s-maxage=60", None),
])  # fmt: skip
def test_who_gets_a_cookie(rule: SetCookie, response: str, fate: CookieFate | None) -> None:
    assert treated(response, dialect=replace(PLAIN, rules=replace(RFC, set_cookie=rule))).set_cookie is fate


@pytest.mark.parametrize(("rules", "request_", "told_apart"), [
    (RFC, "GET / | cookie: a=b", ("cookie",)),
    (RFC, "GET /?a=1", ("query", "cookie")),
    (replace(RFC, query=Query.DROP), "GET /?a=1", ("cookie",)),
    (replace(RFC, vary=VaryRule.ENCODING), "GET /", ()),
    (replace(RFC, key_headers=("rsc", "accept")), "GET / | accept: */*", ("accept", "cookie")),
    (replace(RFC, key_headers=("cookie",)), "GET / | cookie: a=b", ("cookie",)),
])  # fmt: skip
def test_what_tells_visitors_apart(rules: Rules, request_: str, told_apart: tuple[str, ...]) -> None:
    found = treated("200 | cc: s-maxage=60 | vary: cookie", request_, replace(PLAIN, rules=rules))
    assert found.told_apart_by == told_apart


def test_credentials_are_not_shown() -> None:
    keyed = replace(PLAIN, rules=replace(RFC, key_headers=("cookie",)))
    seen = Seen(req("GET / | cookie: sid=s3cret"), res("200 | set-cookie: a=s3cret; path=/"), NOW)
    found = compared([keyed], seen)
    assert "s3cret" not in repr(found)
    assert [(one.name, one.value) for one in found.fields] == [("set-cookie", "a")]


SAID = [
    row("words", SpokenField("f", words=WORDS), "MISS / HIT / STALE / STALE"),
    row("a counter of hits", SpokenField("f", "{word}: {hits}", words=WORDS), "MISS: 0 / HIT: 1 / STALE: 2 / STALE: 2"),
    row("a counter alone", SpokenField("f", "{hits}"), "0 / 1 / 2 / 2"),
    row("numbers", SpokenField("f", "{number} {filled_by}"), "1 1 / 2 1 / 3 1 / 3 1"),
    row("what nobody knows", SpokenField("f", "{word} {random:8}", words=WORDS), "MISS … / HIT … / STALE … / STALE …"),
    row("who is asked", SpokenField("f", "{hits} {node}"), "0 node1 / 1 node1 / 2 node1 / 2 node1"),
    row("only if asked", SpokenField("f", words=WORDS, asked_by=(Trigger("x", "f"),)), "MISS / HIT / STALE / STALE"),
    row("no word", SpokenField("f", words={**WORDS, Result.MISS: ""}), "- / HIT / STALE / STALE"),
    row("nothing of how", SpokenField("f", "always"), "- / - / - / -"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "said"), SAID)
def test_what_is_said(field: SpokenField, said: str) -> None:
    one = treated(f"200 | cc: s-maxage=60, {SWR}=9", dialect=replace(PLAIN, fields=(field,)))
    turns = (one.first, one.second, one.stale, one.down)
    assert " / ".join(turn.says.get("f", "-") for turn in turns if turn is not None) == said


def test_the_code_of_an_error_is_said_too() -> None:
    error = ErrorField("x-error", {"connection_refused": "E1"}, "E0")
    one = treated("200", dialect=replace(PLAIN, fields=(), error=error))
    assert one.down.says == {"x-error": "E1"}
    assert one.first.says == {}


def test_who_has_to_ask_is_told_how() -> None:
    asked = SpokenField("f", words=WORDS, asked_by=(Trigger("x-debug", "f"), Trigger("pragma")))
    found = compared([replace(PLAIN, fields=(asked,))], Seen(req(), res("200"), NOW))
    assert found.asked_for == {"plain": {"f": "x-debug: f or pragma"}}
    assert compared([PLAIN], Seen(req(), res("200"), NOW)).asked_for == {}


def test_differences_are_named_and_words_are_none() -> None:
    other = replace(PLAIN, name="other", fields=(SpokenField("y-cache", words=WORDS),))
    seen = Seen(req(), res("200 | cc: s-maxage=60 | set-cookie: a=b"), NOW)
    assert compared([PLAIN, other], seen).differs == ()
    storing = replace(other, rules=replace(RFC, set_cookie=SetCookie.STORE))
    found = compared([PLAIN, storing], seen)
    assert found.differs == (
        "stored", "refused", "fresh_for", "lifetime_from", "set_cookie", "first", "second", "stale",
    )  # fmt: skip
    assert {"set-cookie", "fresh", "uri-miss", "origin-unreachable"} < found.reasons.keys()
    assert found.reasons["set-cookie"].section == "RFC 9111 §7.3"
