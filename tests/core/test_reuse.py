"""May what is stored answer this request? (RFC 9111 §4, §5.2.1; RFC 5861 §3; RFC 8246)"""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.decisions import Forward, Hit, Lookup, Refuse, StoredResponse
from app.core.preview import Preview
from app.core.reasons import Reason
from app.core.reasons import Reason as R
from app.core.reuse import decide, select
from app.core.rules import Head, RequestDirectives, Rules, SoftPurge
from tests.core.build import DELETED, INVALIDATED, NOW, RFC, SPOILED, req, row, stored

IGNORING = Rules(request_directives=RequestDirectives.IGNORE)
DEAF = Rules(ignored_request_directives=frozenset({"no-cache"}))
PRAGMATIC = Rules(request_directives=RequestDirectives.IGNORE, pragma_validates_stale=True)
CONVERTING = Rules(head=Head.CONVERT)
SOFT = Rules(soft_purge=SoftPurge.EXPIRE)
MINUTE = "200 | cc: max-age=60"
TAGGED = '200 | cc: max-age=60 | etag: "a"'
SWR = "200 | cc: max-age=10, stale-while-revalidate=20"
FOREVER = "200 | cc: max-age=60, immutable"
PART = '206 | cc: max-age=60 | cr: bytes 0-9/100 | etag: "a"'
FIRST_TEN = "GET / | range: bytes=0-9"


def shape(lookup: Lookup) -> tuple[str, Reason]:
    """`hit`, `hit, refresh`, `forward stale, validates, shared` or `refuse 504`, and why."""
    match lookup:
        case Hit(reason, _, fetch):
            return ("hit" if fetch is None else "hit, refresh"), reason
        case Refuse(reason, status):
            return f"refuse {status}", reason
        case Forward(reason, fwd, _, old, shared, background):
            assert not background
            return f"forward {fwd}" + (", validates" if old else "") + (", shared" if shared else ""), reason


ONE = [
    #   request_                    response after rules decision                           why
    # RFC 9111 §4.2: fresh or stale
    row("fresh: it answers",
        "GET /",                    MINUTE,  59, RFC, "hit",                                R.FRESH),
    row("it answers HEAD too",
        "HEAD /",                   MINUTE,  59, RFC, "hit",                                R.FRESH),
    row("its lifetime is over",
        "GET /",                    MINUTE,  60, RFC, "forward stale, validates, shared",   R.EXPIRED),
    row("over, for HEAD: nobody else waits for that",
        "HEAD /",                   MINUTE,  60, RFC, "forward stale, validates",           R.EXPIRED),
    row("over, for HEAD that goes as GET",
        "HEAD /",                   MINUTE,  60, CONVERTING,
                                                      "forward stale, validates, shared",   R.EXPIRED),
    row("a clock that went back",
        "GET /",                    MINUTE,  -999,
                                                 RFC, "hit",                                R.FRESH),
    row("the client's condition does not matter",
        'GET / | inm: "a"',         TAGGED,  59, RFC, "hit",                                R.FRESH),
    row("nor does its Authorization, once it is stored",
        "GET / | authorization: x", MINUTE,  59, RFC, "hit",                                R.FRESH),
    # RFC 9111 §5.2.2.4
    row("stored with no-cache: always validated",
        "GET /",                    "200 | cc: max-age=60, no-cache",
                                             0,  RFC, "forward stale, validates, shared",   R.STORED_NO_CACHE),
    row("max-stale does not help against no-cache",
        "GET / | cc: max-stale",    "200 | cc: max-age=60, no-cache",
                                             99, RFC, "forward stale, validates, shared",   R.STORED_NO_CACHE),
    row("no-cache for a field is not for the response",
        "GET /",                    '200 | cc: max-age=60, no-cache="x"',
                                             0,  RFC, "hit",                                R.FRESH),
    # RFC 9111 §5.2.1: what clients ask for
    row("request no-store goes by",
        "GET / | cc: no-store",     MINUTE,  0,  RFC, "forward request",                    R.REQUEST_NO_STORE),
    row("request no-cache validates",
        "GET / | cc: no-cache",     TAGGED,  0,  RFC, "forward request, validates, shared", R.REQUEST_NO_CACHE),
    row("unless it is one that the dialect does not obey",
        "GET / | cc: no-cache",     TAGGED,  0,  DEAF, "hit",                               R.FRESH),
    row("nor as Pragma",
        "GET / | pragma: no-cache", TAGGED,  0,  DEAF, "hit",                               R.FRESH),
    row("which obeys the others",
        "GET / | cc: min-fresh=61", TAGGED,  0,  DEAF, "forward request, validates, shared", R.REQUEST_MIN_FRESH),
    row("Pragma means the same",
        "GET / | pragma: no-cache", MINUTE,  0,  RFC, "forward request, validates, shared", R.REQUEST_NO_CACHE),
    row("but not beside Cache-Control",
        "GET / | pragma: no-cache | cc: max-age=60",
                                    MINUTE,  0,  RFC, "hit",                                R.FRESH),
    row("another Pragma means nothing",
        "GET / | pragma: x",        MINUTE,  0,  RFC, "hit",                                R.FRESH),
    row("max-age=0 validates at once",
        "GET / | cc: max-age=0",    MINUTE,  0,  RFC, "forward request, validates, shared", R.REQUEST_MAX_AGE),
    row("as old as max-age is young enough",
        "GET / | cc: max-age=30",   MINUTE,  30, RFC, "hit",                                R.FRESH),
    row("older than max-age",
        "GET / | cc: max-age=30",   MINUTE,  31, RFC, "forward request, validates, shared", R.REQUEST_MAX_AGE),
    row("immutable: a reload gets it",
        "GET / | cc: max-age=0",    FOREVER, 5,  RFC, "hit",                                R.FRESH),
    row("immutable: a forced reload does not",
        "GET / | cc: no-cache",     FOREVER, 5,  RFC, "forward request, validates, shared", R.REQUEST_NO_CACHE),
    row("immutable ends with freshness",
        "GET / | cc: max-age=0",    f"{FOREVER}, stale-while-revalidate=9",
                                             65, RFC, "forward request, validates, shared", R.REQUEST_MAX_AGE),
    row("fresh for as long as min-fresh wants",
        "GET / | cc: min-fresh=30", MINUTE,  30, RFC, "hit",                                R.FRESH),
    row("not fresh for as long as min-fresh wants",
        "GET / | cc: min-fresh=30", MINUTE,  31, RFC, "forward request, validates, shared", R.REQUEST_MIN_FRESH),
    row("stale, and max-stale allows any",
        "GET / | cc: max-stale",    MINUTE,  999,
                                                 RFC, "hit",                                R.REQUEST_MAX_STALE),
    row("stale, within max-stale",
        "GET / | cc: max-stale=30", MINUTE,  89, RFC, "hit",                                R.REQUEST_MAX_STALE),
    row("stale by no more than max-stale",
        "GET / | cc: max-stale=30", MINUTE,  90, RFC, "hit",                                R.REQUEST_MAX_STALE),
    row("stale for longer than max-stale",
        "GET / | cc: max-stale=30", MINUTE,  91, RFC, "forward stale, validates, shared",   R.EXPIRED),
    row("max-stale is nothing against s-maxage",
        "GET / | cc: max-stale",    "200 | cc: s-maxage=60",
                                             61, RFC, "forward stale, validates, shared",   R.EXPIRED),
    row("nor against must-revalidate",
        "GET / | cc: max-stale",    "200 | cc: max-age=60, must-revalidate",
                                             61, RFC, "forward stale, validates, shared",   R.EXPIRED),
    row("nor against proxy-revalidate",
        "GET / | cc: max-stale",    "200 | cc: max-age=60, proxy-revalidate",
                                             61, RFC, "forward stale, validates, shared",   R.EXPIRED),
    row("max-stale and max-age: too old all the same",
        "GET / | cc: max-stale, max-age=60",
                                    MINUTE,  61, RFC, "forward request, validates, shared", R.REQUEST_MAX_AGE),
    row("max-age without max-stale wants nothing stale",
        "GET / | cc: max-age=60",   SWR,     15, RFC, "forward request, validates, shared", R.REQUEST_MAX_AGE),
    row("clients are not asked",
        "GET / | cc: no-cache, no-store, max-age=0 | pragma: no-cache",
                                    MINUTE,  5,  IGNORING,  "hit",                          R.FRESH),
    row("clients are not asked for what is stale either",
        "GET / | cc: max-stale",    MINUTE,  61, IGNORING,
                                                      "forward stale, validates, shared",   R.EXPIRED),
    # RFC 9111 §5.2.1.7
    row("only-if-cached, and it may be used",
        "GET / | cc: only-if-cached",
                                    MINUTE,  0,  RFC, "hit",                                R.FRESH),
    row("only-if-cached, and it is stale",
        "GET / | cc: only-if-cached",
                                    MINUTE,  61, RFC, "refuse 504",                         R.ONLY_IF_CACHED),
    row("only-if-cached, inside the stale window",
        "GET / | cc: only-if-cached",  SWR,  15, RFC, "hit, refresh",                       R.STALE_WHILE_REVALIDATE),
    row("only-if-cached and no-store: still nobody is asked",
        "GET / | cc: only-if-cached, no-store",
                                    MINUTE,  0,  RFC, "refuse 504",                         R.ONLY_IF_CACHED),
    row("only-if-cached, and clients are not asked",
        "GET / | cc: only-if-cached",
                                    MINUTE,  61, IGNORING,
                                                      "forward stale, validates, shared",   R.EXPIRED),
    # RFC 5861 §3
    row("stale, inside stale-while-revalidate",
        "GET /",                    SWR,     10, RFC, "hit, refresh",                       R.STALE_WHILE_REVALIDATE),
    row("the last second of it",
        "GET /",                    SWR,     29, RFC, "hit, refresh",                       R.STALE_WHILE_REVALIDATE),
    row("after it",
        "GET /",                    SWR,     30, RFC, "forward stale, validates, shared",   R.EXPIRED),
    row("said by name beside s-maxage",
        "GET /",                    "200 | cc: s-maxage=10, stale-while-revalidate=20",
                                             15, RFC, "hit, refresh",                       R.STALE_WHILE_REVALIDATE),
    row("forbidden by must-revalidate",
        "GET /",                    f"{SWR}, must-revalidate",
                                             15, RFC, "forward stale, validates, shared",   R.EXPIRED),
    row("stale-if-error alone does not answer",
        "GET /",                    "200 | cc: max-age=10, stale-if-error=20",
                                             15, RFC, "forward stale, validates, shared",   R.EXPIRED),
    row("a forced reload of what is stale, where clients are not asked",
        "GET / | pragma: no-cache", SWR,     15, PRAGMATIC,
                                                      "forward request, validates, shared", R.REQUEST_PRAGMA),
    row("of what is fresh",
        "GET / | pragma: no-cache", SWR,     5,  PRAGMATIC,  "hit",                         R.FRESH),
    row("no forced reload",
        "GET / | pragma: x",        SWR,     15, PRAGMATIC,  "hit, refresh",                R.STALE_WHILE_REVALIDATE),
    # RFC 9111 §3.3, RFC 9110 §14: parts
    row("a Range of what is whole",
        FIRST_TEN,                  MINUTE,  0,  RFC, "hit",                                R.FRESH),
    row("a Range of what is whole and stale",
        FIRST_TEN,                  MINUTE,  61, RFC, "forward stale, validates, shared",   R.EXPIRED),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "response", "after", "rules", "decision", "why"), ONE)
def test_one_stored_response(
    *, request_: str, response: str, after: float, rules: Rules, decision: str, why: Reason
) -> None:
    assert shape(decide(req(request_), [stored(response, rules=rules)], rules, NOW + after)) == (decision, why)


def held(response: str, after: float) -> StoredResponse:
    return stored(response, failures=1, held_until=NOW + after)


def softly(one: StoredResponse, at: float = 4) -> StoredResponse:
    """Purged so many seconds after it came."""
    return one.purged(replace(INVALIDATED, at=NOW + at))


VARIANT = stored("200 | cc: max-age=60 | vary: accept-language", "GET / | lang: en")
PART_0_9 = stored(PART, FIRST_TEN)
SIE = "200 | cc: max-age=10, stale-if-error=20"
BOTH = "200 | cc: max-age=10, stale-while-revalidate=5, stale-if-error=20"

WARMED = stored(MINUTE, prerendered=True)
TOKEN = Rules(preview=Preview("b", "x-renew", "x-renew-stored", "s3cret"))
IF_STORED = "x-renew: s3cret | x-renew-stored: 1"

SEVERAL = [
    #   request_                    kept                after rules decision                  why
    row("nothing is stored",
        "GET /",                    [],                 0,  RFC, "forward uri-miss, shared",  R.URI_MISS),
    row("nothing is stored, for HEAD",
        "HEAD /",                   [],                 0,  RFC, "forward uri-miss",          R.URI_MISS),
    row("nothing is stored, for HEAD that goes as GET",
        "HEAD /",                   [],                 0,  CONVERTING,
                                                                 "forward uri-miss, shared",  R.URI_MISS),
    row("nothing is stored, for a Range",
        FIRST_TEN,                  [],                 0,  RFC, "forward uri-miss",          R.URI_MISS),
    row("nothing is stored, and only-if-cached",
        "GET / | cc: only-if-cached",  [],              0,  RFC, "refuse 504",                R.ONLY_IF_CACHED),
    row("another variant is stored",
        "GET / | lang: de",         [VARIANT],          0,  RFC, "forward vary-miss, shared", R.VARY_MISS),
    row("this variant is stored",
        "GET / | lang: en",         [VARIANT],          0,  RFC, "hit",                       R.FRESH),
    row("a part for the Range that it answered",
        FIRST_TEN,                  [PART_0_9],         0,  RFC, "hit",                       R.FRESH),
    row("a part for a Range within it",
        "GET / | range: bytes=2-3", [PART_0_9],         0,  RFC, "hit",                       R.FRESH),
    row("a part for a Range beyond it",
        "GET / | range: bytes=5-15",  [PART_0_9],       0,  RFC, "forward partial",           R.PARTIAL_MISS),
    row("a part for the whole",
        "GET /",                    [PART_0_9],         0,  RFC, "forward partial, shared",   R.PARTIAL_MISS),
    row("a part that is stale is fetched anew",
        FIRST_TEN,                  [PART_0_9],         60, RFC, "forward stale",             R.EXPIRED),
    row("a part for HEAD, which knows no Range",
        "HEAD / | range: bytes=0-9",  [PART_0_9],       0,  RFC, "forward partial",           R.PARTIAL_MISS),
    row("a part that nobody asked for is not the whole",
        "GET /",                    [stored(PART, "GET /")],
                                                        0,  RFC, "forward partial, shared",   R.PARTIAL_MISS),
    row("spoiled by an unsafe request",
        "GET /",                    [stored(MINUTE).purged(SPOILED)],
                                                        0,  RFC, "forward stale, validates, shared",  R.INVALIDATED),
    row("spoiled: max-stale does not help",
        "GET / | cc: max-stale",    [stored(MINUTE).purged(SPOILED)],
                                                        0,  RFC, "forward stale, validates, shared",  R.INVALIDATED),
    row("spoiled: no stale window is open",
        "GET /",                    [stored(SWR).purged(SPOILED)],
                                                        15, RFC, "forward stale, validates, shared",  R.INVALIDATED),
    row("purged softly",
        "GET /",                    [stored(MINUTE).purged(INVALIDATED)],
                                                        0,  RFC, "hit, refresh",              R.STALE_PURGED),
    row("purged softly, and the refresh has just failed",
        "GET /",                    [held(MINUTE, 9).purged(INVALIDATED)],
                                                        0,  RFC, "hit",                       R.STALE_PURGED),
    row("purged softly, when it was stale already",
        "GET /",                    [stored(MINUTE).purged(INVALIDATED)],
                                                        61, RFC, "forward stale, validates, shared",  R.EXPIRED),
    row("purged softly, and says that it must not be served stale",
        "GET /",                    [stored("200 | cc: max-age=60, must-revalidate").purged(INVALIDATED)],
                                                        0,  RFC, "forward stale, validates, shared",  R.INVALIDATED),
    row("purged softly, a part: it is not refreshed",
        FIRST_TEN,                  [PART_0_9.purged(INVALIDATED)],
                                                        0,  RFC, "forward stale",             R.INVALIDATED),
    row("expired by a purge: no stale window",
        "GET /",                    [softly(stored(MINUTE))],
                                                        5,  SOFT, "forward stale, validates, shared",  R.INVALIDATED),
    row("expired by a purge: its window opens with the purge",
        "GET /",                    [softly(stored(SWR))],
                                                        5,  SOFT, "hit, refresh",         R.STALE_PURGED),
    row("expired by a purge: the last moment of its window",
        "GET /",                    [softly(stored(SWR))],
                                                        23, SOFT, "hit, refresh",         R.STALE_PURGED),
    row("expired by a purge: its window has closed",
        "GET /",                    [softly(stored(SWR))],
                                                        24, SOFT, "forward stale, validates, shared",  R.INVALIDATED),
    row("expired by time, and purged later: its window has been open since then",
        "GET /",                    [softly(stored(SWR), at=25)],
                                                        30, SOFT, "forward stale, validates, shared",  R.INVALIDATED),
    row("expired by a purge that was made while it was fetched",
        "GET /",                    [softly(stored(SWR), at=-2)],
                                                        18, SOFT, "forward stale, validates, shared",  R.INVALIDATED),
    row("expired by a purge, and the clock has gone back behind it",
        "GET /",                    [softly(stored(SWR), at=9)],
                                                        1,  SOFT, "hit, refresh",         R.STALE_PURGED),
    row("expired by a purge, and the refresh has just failed",
        "GET /",                    [softly(held(SWR, 9))],
                                                        5,  SOFT, "hit",                  R.STALE_ERROR),
    row("expired by a purge, and says that it must not be served stale",
        "GET /",                    [softly(stored(f"{SWR}, must-revalidate"))],
                                                        5,  SOFT, "forward stale, validates, shared",  R.INVALIDATED),
    row("expired by a purge: the client takes what has expired",
        "GET / | cc: max-stale",    [softly(stored(MINUTE))],
                                                        5,  SOFT, "hit",                  R.REQUEST_MAX_STALE),
    row("expired by a purge, at its deadline",
        "GET /",                    [stored(SWR).purged(replace(INVALIDATED, deadline=NOW + 5))],
                                                        5,  SOFT, "forward uri-miss, shared",  R.DELETED),
    row("deleted, where soft purges expire",
        "GET /",                    [stored(SWR).purged(DELETED)],
                                                        0,  SOFT, "forward uri-miss, shared",  R.DELETED),
    row("spoiled, where soft purges expire",
        "GET /",                    [stored(SWR).purged(SPOILED)],
                                                        0,  SOFT, "forward stale, validates, shared",  R.INVALIDATED),
    row("purged softly, before its deadline",
        "GET /",                    [stored(MINUTE).purged(replace(INVALIDATED, deadline=NOW + 5))],
                                                        4,  RFC, "hit, refresh",              R.STALE_PURGED),
    row("purged softly, at its deadline",
        "GET /",                    [stored(MINUTE).purged(replace(INVALIDATED, deadline=NOW + 5))],
                                                        5,  RFC, "forward uri-miss, shared",  R.DELETED),
    row("deleted",
        "GET /",                    [stored(MINUTE).purged(DELETED)],
                                                        0,  RFC, "forward uri-miss, shared",  R.DELETED),
    row("deleted, as another variant is not",
        "GET /",                    [stored(MINUTE).purged(DELETED), VARIANT],
                                                        0,  RFC, "forward vary-miss, shared",  R.DELETED),
    row("another variant is deleted",
        "GET /",                    [VARIANT.purged(DELETED)],
                                                        0,  RFC, "forward uri-miss, shared",  R.URI_MISS),
    row("a refresh has just failed, inside stale-while-revalidate",
        "GET /",                    [held(SWR, 16)],    15, RFC, "hit",                       R.STALE_ERROR),
    row("a refresh failed a while ago",
        "GET /",                    [held(SWR, 15)],    15, RFC, "hit, refresh",              R.STALE_WHILE_REVALIDATE),
    row("a fetch has just failed, inside stale-if-error",
        "GET /",                    [held(SIE, 16)],    15, RFC, "hit",                       R.STALE_ERROR),
    row("inside stale-if-error only",
        "GET /",                    [held(BOTH, 21)],   20, RFC, "hit",                       R.STALE_ERROR),
    row("a fetch has just failed, outside of every window",
        "GET /",                    [held(MINUTE, 99)], 61, RFC, "forward stale, validates, shared",  R.EXPIRED),
    row("a failure does not matter to what is fresh",
        "GET /",                    [held(MINUTE, 99)], 59, RFC, "hit",                       R.FRESH),
    row("warmed, and not yet visited",
        "GET /",                    [WARMED],           59, RFC, "hit",                       R.PRERENDERED),
    row("warmed, and stale before anybody came",
        "GET /",                    [WARMED],           60, RFC, "forward stale, validates, shared", R.EXPIRED),
    row("who shows the token has it made anew",
        "GET / | x-renew: s3cret",  [stored(MINUTE)],   0,  TOKEN, "forward request",         R.REQUEST_RENEWAL),
    row("also for HEAD, and where there was nothing",
        "HEAD / | x-renew: s3cret", [],                 0,  TOKEN, "forward request",         R.REQUEST_RENEWAL),
    row("who shows another is answered like all",
        "GET / | x-renew: other",   [stored(MINUTE)],   0,  TOKEN, "hit",                     R.FRESH),
    row("only what is stored: it is",
        f"GET / | {IF_STORED}",     [stored(MINUTE)],   0,  TOKEN, "forward request",         R.REQUEST_RENEWAL),
    row("only what is stored: nothing is",
        f"GET / | {IF_STORED}",     [],                 0,  TOKEN, "forward bypass",          R.REQUEST_RENEWAL),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "kept", "after", "rules", "decision", "why"), SEVERAL)
def test_what_is_stored(
    *, request_: str, kept: list[StoredResponse], after: float, rules: Rules, decision: str, why: Reason
) -> None:
    assert shape(decide(req(request_), kept, rules, NOW + after)) == (decision, why)


OLD, NEW = stored("200 | cc: max-age=60 | date: @-9"), stored("200 | cc: max-age=60 | date: @-5")
LATER = stored("200 | cc: max-age=60 | date: @-9", stored_at=NOW + 1.0)
UNDATED = stored("200 | cc: max-age=60 | date: x", stored_at=NOW - 7)

CHOICES = [
    #                                                request_   kept                 expected
    row("the newest by Date",                        "GET /",   [OLD, NEW, LATER],   NEW),
    row("in whatever order",                         "GET /",   [NEW, LATER, OLD],   NEW),
    row("among equals the one that came last",       "GET /",   [OLD, LATER],        LATER),
    row("without Date, by when it came",             "GET /",   [OLD, UNDATED],      UNDATED),
    row("the whole before a part",                   FIRST_TEN, [PART_0_9, OLD],     OLD),
    row("the part, if the whole is another variant", FIRST_TEN, [PART_0_9, VARIANT], PART_0_9),
    row("none that fits",                            "GET /",   [VARIANT, PART_0_9], None),
    row("none at all",                               "GET /",   [],                  None),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "kept", "expected"), CHOICES)
def test_select(request_: str, kept: list[StoredResponse], expected: StoredResponse | None) -> None:
    assert select(req(request_), kept) is expected
