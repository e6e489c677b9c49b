"""What the origin is asked, on whose behalf, and whether others may wait for it (RFC 9111 §4.3.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.decisions import Forward, Fwd, Hit, StoredResponse
from app.core.messages import Request
from app.core.preview import Preview
from app.core.reasons import Reason as R
from app.core.reuse import decide, refresh
from app.core.rules import Authorization, Head, Ranges, RouteRules, Rules
from tests.core.build import NOW, RFC, head, req, row, stored

ANONYMOUS = Rules(of_route=RouteRules(anonymous=True))
MINUTE = "200 | cc: max-age=60"
VARIANT = stored("200 | cc: max-age=60 | vary: accept-language", "GET / | lang: en")
PART_0_9 = stored('206 | cc: max-age=60 | cr: bytes 0-9/100 | etag: "a"', "GET / | range: bytes=0-9")
TOKEN = Rules(preview=Preview("b", "x-renew", "x-renew-stored", "s3cret"))

PERSONAL = 'cookie: a | authorization: b | inm: "z" | ims: @-1 | if-match: "y" | if-unmodified-since: @-1'
VALIDATORS = '200 | cc: max-age=10 | etag: "a" | lm: @-99'
OURS = 'if-none-match: "a" | if-modified-since: @-99'

SENT = [
    #   request_                      kept                  after sent
    row("a miss is asked without the client's conditions",
        f"GET / | {PERSONAL}",        [],                   0,  "GET / | cookie: a | authorization: b"),
    row("a miss for a Range keeps If-Range",
        'GET / | range: bytes=0-9 | if-range: "a"',  [],    0,  'GET / | range: bytes=0-9 | if-range: "a"'),
    row("who shows the token is answered in full, and the origin sees it",
        'GET / | x-renew: s3cret | inm: "z"', [stored(VALIDATORS)],
                                                            0,  "GET / | x-renew: s3cret"),
    row("and not who shows it, for the answer is everybody's",
        "GET / | x-renew: s3cret | cookie: a | authorization: b | x-forwarded-for: c", [],
                                                            0,  "GET / | x-renew: s3cret"),
    row("a HEAD that goes as GET",
        "HEAD / | inm: *",            [],                   0,  "GET /"),
    row("validation: by both validators, the client's gone",
        f"GET / | {PERSONAL}",        [stored(VALIDATORS)], 10, f"GET / | cookie: a | authorization: b | {OURS}"),
    row("validation of the whole, though a Range is asked for",
        'GET / | range: bytes=0-9 | if-range: "a"',
                                      [stored(VALIDATORS)], 10, f"GET / | {OURS}"),
    row("validation by an entity-tag only",
        "GET /",                      [stored('200 | etag: W/"a"')],
                                                            0,  'GET / | inm: W/"a"'),
    row("validation by a date only",
        "GET /",                      [stored("200 | lm: @-99 | cc: max-age=0")],
                                                            0,  "GET / | ims: @-99"),
    row("nothing to validate by",
        f"GET / | {PERSONAL}",        [stored(MINUTE)],     60, "GET / | cookie: a | authorization: b"),
    row("a part that is stale: as it was asked",
        'GET / | range: bytes=0-9 | inm: "z"',  [PART_0_9], 60, 'GET / | range: bytes=0-9 | inm: "z"'),
    row("a Range that is not held",
        "GET / | range: bytes=50-59", [PART_0_9],           0,  "GET / | range: bytes=50-59"),
]  # fmt: skip


ASKED_WHOLE = [
    #   request_                                                 kept                  after sent
    row("a miss for a Range",
        'GET / | range: bytes=0-9 | if-range: "a" | cookie: a',  [],                   0,  "GET / | cookie: a"),
    row("for a HEAD with one too",
        "HEAD / | range: bytes=0-9",                             [],                   0,  "GET /"),
    row("validation",
        "GET / | range: bytes=0-9",                              [stored(VALIDATORS)], 10, f"GET / | {OURS}"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "kept", "after", "sent"), ASKED_WHOLE)
def test_the_whole_is_asked_for_and_for_all(request_: str, kept: list[StoredResponse], after: float, sent: str) -> None:
    lookup = decide(req(request_), kept, Rules(head=Head.CONVERT, ranges=Ranges.WHOLE), NOW + after)
    assert isinstance(lookup, Forward)
    assert lookup.request == req(sent)
    assert lookup.shareable


UNAUTHORIZED = Rules(authorization=Authorization.REMOVE)


@pytest.mark.parametrize(
    ("request_", "kept", "sent"),
    [
        row("a miss",             "GET / | authorization: x | a: 1", [],                   "GET / | a: 1"),
        row("validation",         "GET / | authorization: x",        [stored(VALIDATORS)], f"GET / | {OURS}"),
        row("an unsafe request",  "PUT / | authorization: x",        [],                   "PUT / | authorization: x"),
    ],
)  # fmt: skip
def test_authorization_is_taken_off_what_meets_the_cache(request_: str, kept: list[StoredResponse], sent: str) -> None:
    lookup = decide(req(request_), kept, UNAUTHORIZED, NOW + 10)
    assert isinstance(lookup, Forward)
    assert lookup.request == req(sent)


@pytest.mark.parametrize(("request_", "kept", "after", "sent"), SENT)
def test_what_the_origin_is_asked(request_: str, kept: list[StoredResponse], after: float, sent: str) -> None:
    lookup = decide(req(request_), kept, replace(TOKEN, head=Head.CONVERT), NOW + after)
    assert isinstance(lookup, Forward)
    assert lookup.request == req(sent)


@pytest.mark.parametrize(
    ("kept", "fwd"),
    [row("an uncacheable miss", [], Fwd.URI_MISS), row("an uncacheable variant", [VARIANT], Fwd.VARY_MISS)],
)
def test_what_cannot_be_stored_goes_on_as_it_came_and_alone(kept: list[StoredResponse], fwd: Fwd) -> None:
    asked = req('GET / | inm: "a" | cookie: b')
    assert decide(asked, kept, RFC, NOW, uncacheable=True) == Forward(R(fwd.value), fwd, asked)


def test_who_asks_as_nobody_is_answered_as_nobody() -> None:
    """Vary on what is not sent tells nobody apart."""
    kept = stored("200 | cc: max-age=60 | vary: cookie", "GET / | cookie: a", RFC)
    there = replace(kept, selecting=(("cookie", None),))
    assert isinstance(decide(req("GET / | cookie: b"), [there], ANONYMOUS, NOW), Hit)
    assert isinstance(decide(req("GET / | cookie: b"), [there], RFC, NOW), Forward)
    lookup = decide(req("GET /?c | cookie: b | authorization: d"), [], ANONYMOUS, NOW)
    assert isinstance(lookup, Forward)
    assert lookup.request == req("GET /?c")


def test_nobody_waits_for_another_where_requests_are_not_collapsed() -> None:
    for kept in ([], [stored("200 | cc: max-age=0")]):
        lookup = decide(req(), kept, Rules(collapse=False), NOW)
        assert isinstance(lookup, Forward)
        assert not lookup.shareable


def test_a_cache_that_does_not_validate_asks_for_another() -> None:
    lookup = decide(req("GET / | inm: x"), [stored('200 | cc: max-age=0 | etag: "a"')], Rules(validates=False), NOW)
    assert isinstance(lookup, Forward)
    assert lookup.stored is not None, "it stands in for an origin that fails"
    assert lookup.request == req()


def test_a_refresh_is_on_behalf_of_nobody_in_particular() -> None:
    theirs = f"{PERSONAL} | range: bytes=0-1 | cc: max-age=1 | pragma: x | x-forwarded-for: 1"
    asked = req(f"HEAD /a | {theirs} | accept: b", client="1.2.3.4")
    old = stored(VALIDATORS)
    fetch = refresh(asked, old, RFC)
    assert fetch.request == Request("GET", "http", "example.com", "/a", head(f"accept: b | {OURS}"))
    assert (fetch.stored, fetch.shareable, fetch.background) == (old, True, True)


def test_a_refresh_keeps_what_the_variant_was_selected_by() -> None:
    old = stored("200 | cc: max-age=60 | vary: cookie", "GET / | cookie: a")
    assert refresh(req("GET / | cookie: a | authorization: b"), old, RFC).request == req("GET / | cookie: a")
