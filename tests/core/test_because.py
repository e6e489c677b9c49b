"""The reason in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.because import because, lifetime_words, span
from app.core.decisions import Fwd, Hit, StoredResponse
from app.core.last_answer import last_answer
from app.core.reasons import MEANINGS, Reason
from app.core.rules import RouteRules, Rules
from tests.core.build import INVALIDATED, KEY, NOW, RFC, exchange, forward, row, stored


@pytest.mark.parametrize(
    ("reason", "old", "later", "sentence"),
    [
        row("fresh", Reason.FRESH, stored("200 | cc: s-maxage=60"), 12, "s-maxage=60 keeps it fresh for 48 s more"),
        row(
            "refreshed",
            Reason.STALE_WHILE_REVALIDATE,
            stored("200 | cc: s-maxage=60, stale-while-revalidate=300"),
            137,
            "s-maxage=60 ended 1m17s ago, and stale-while-revalidate=300 allows stale for 3m43s more",
        ),
        row(
            "held",
            Reason.STALE_ERROR,
            stored("200 | cc: max-age=60, stale-if-error=600", held_until=NOW + 70.0),
            65,
            "max-age=60 ended 5 s ago; the last refresh failed, and the next one waits 5 s more",
        ),
        row("expired", Reason.EXPIRED, stored("200 | expires: @+60"), 7261, "Expires ended 2h00m ago"),
        row(
            "by a route",
            Reason.FRESH,
            stored("200", rules=Rules(of_route=RouteRules(lifetime=60))),
            12,
            "the route's lifetime of 1m00s keeps it fresh for 48 s more",
        ),
        row(
            "window over",
            Reason.EXPIRED,
            stored("200 | cc: max-age=60, stale-while-revalidate=30"),
            91,
            "max-age=60 ended 31 s ago, and stale-while-revalidate=30 ended 1 s ago",
        ),
        row(
            "one for errors",
            Reason.EXPIRED,
            stored("200 | cc: max-age=60, stale-if-error=600"),
            65,
            "max-age=60 ended 5 s ago; should the origin fail, stale-if-error=600 still allows stale",
        ),
        row(
            "a guess",
            Reason.EXPIRED,
            stored("200 | lm: @-864000 | date: @+0"),
            2 * 86_400,
            "a guess of 1d00h from Last-Modified ended 1d00h ago",
        ),
        row(
            "expired, with windows of years",
            Reason.EXPIRED,
            stored("200 | cc: max-age=31536000, stale-while-revalidate=10000000, stale-if-error=31536001"),
            41_536_005,
            "max-age=31536000 ended 115d17h ago, and stale-while-revalidate=10000000 ended 5 s ago; should the origin"
            " fail, stale-if-error=31536001 still allows stale",
        ),
        row(
            "stale for a year",
            Reason.STALE_WHILE_REVALIDATE,
            stored("200 | cc: max-age=60, stale-while-revalidate=31536000"),
            65,
            "max-age=60 ended 5 s ago, and stale-while-revalidate=31536000 allows stale for 364d23h more",
        ),
        row("no lifetime", Reason.EXPIRED, stored('200 | etag: "1"'), 3, "its lifetime of 0 s ended 3 s ago"),
        row(
            "stale by a purge",
            Reason.STALE_PURGED,
            stored().purged(INVALIDATED),
            7,
            f"{MEANINGS[Reason.STALE_PURGED].meaning}: invalidate all, 12 s ago",
        ),
        row("another reason", Reason.INVALIDATED, stored(), 3, MEANINGS[Reason.INVALIDATED].meaning),
    ],
)
def test_because(reason: Reason, old: StoredResponse, later: int, sentence: str) -> None:
    assert because(Hit(reason, old), old, None, NOW + later) == sentence
    assert lifetime_words(old) in sentence or reason in (Reason.INVALIDATED, Reason.STALE_PURGED)


MISSED = "nothing is stored under this key; the origin's last answer, 9 s ago, "


@pytest.mark.parametrize(
    ("answer", "there", "sentence"),
    [
        row(
            "refused",
            exchange("GET /", "200 | cc: private"),
            [],
            f"{MISSED}was not stored: the response says private (Cache-Control: private)",
        ),
        row(
            "failed",
            exchange("GET /", "502", proxy_error="dns_error"),
            [],
            f"{MISSED}was not stored: the origin could not be reached",
        ),
        row("gone", exchange("GET /", "200 | cc: max-age=60"), [], f"{MISSED}is no longer stored"),
        row("another's", exchange("GET /", "200 | cc: max-age=60"), [stored()], f"{MISSED}is stored for others"),
    ],
)
def test_because_of_the_last_answer(answer: Any, there: list[StoredResponse], sentence: str) -> None:
    last = last_answer(answer, there, KEY, RFC, NOW + 9)
    assert because(forward(), None, last, NOW + 9) == sentence
    assert (
        because(forward(reason=Reason.METHOD, fwd=Fwd.METHOD), None, last, NOW + 9) == MEANINGS[Reason.METHOD].meaning
    )


@pytest.mark.parametrize(("seconds", "words"), [
    (0.4, "0 s"), (-59.9, "59 s"), (60, "1m00s"), (3599, "59m59s"), (3600, "1h00m"), (90_000, "1d01h"),
])  # fmt: skip
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words
