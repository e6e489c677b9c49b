"""Events in words."""

from dataclasses import replace

import pytest

from app.core.decisions import Result, Verdict
from app.core.reasons import Reason
from app.wording import cause, elapsed, span, visible
from tests.edge.events import HIT, KEY, MISS, event


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (MISS, "first time; stored 60 s fresh + 300 s stale-while-revalidate"),
        (replace(MISS, stale_for=0), "first time; stored 60 s fresh"),
        (replace(MISS, ttl=31_536_000, stale_for=0), "first time; stored 365 d fresh"),
        (replace(MISS, ttl=0, stale_for=0), "first time; stored, to be validated at each use"),
        (replace(MISS, ttl=0), "first time; stored 0 s fresh + 300 s stale-while-revalidate"),
        (replace(MISS, stored=False), "first time; not stored"),
        (replace(MISS, reason=Reason.COLLAPSED), "waited for the fetch that another request began; stored 60 s fresh"),
        (replace(MISS, reason=Reason.VARY_MISS), "first time for these values of the fields in Vary; stored"),
        (replace(MISS, reason=Reason.PARTIAL_MISS), "only another part of it is stored; stored"),
        (HIT, "age 2 s, fresh for 58 s more"),
        (replace(HIT, ttl=7200), "age 2 s, fresh for 2 h more"),
        (Verdict(Result.STALE, Reason.STALE_WHILE_REVALIDATE, KEY, ttl=-12, age=72, stale_for=300),
            "age 72 s, stale for 12 s; refreshed in the background, 288 s of stale-while-revalidate left"),
        (Verdict(Result.STALE, Reason.STALE_IF_ERROR, KEY, ttl=-12, age=72),
            "age 72 s, stale for 12 s; stale-if-error allows it, and the origin failed"),
        (Verdict(Result.STALE, Reason.STALE_ERROR, KEY, ttl=-12, age=72), "the last refresh failed"),
        (Verdict(Result.STALE, Reason.REQUEST_MAX_STALE, KEY, ttl=-1, age=2), "max-stale"),
        (Verdict(Result.EXPIRED, Reason.EXPIRED, KEY, stored=True, ttl=60, age=0),
            "stored, but its freshness ended and no stale-while-revalidate window is open; stored 60 s fresh"),
        (Verdict(Result.REVALIDATED, Reason.VALIDATED, KEY, stored=True, ttl=60, age=0), "fresh for 60 s more"),
        (Verdict(Result.REVALIDATED, Reason.VALIDATED, KEY, stored=True, ttl=0, age=0), "validated at each use"),
        (Verdict(Result.NOSTORE, Reason.PRIVATE, KEY), "response refused: the response says private"),
        (Verdict(Result.NOSTORE, Reason.REQUEST_NO_STORE, KEY), "not stored: the client sent Cache-Control: no-store"),
        (Verdict(Result.PASS, Reason.METHOD, KEY), "only GET and HEAD are answered from the store"),
        (Verdict(Result.ERROR, Reason.LOOP, KEY), "the origin points back at it"),
    ],
)  # fmt: skip
def test_the_cause_in_words(verdict: Verdict, words: str) -> None:
    assert words in cause(event(verdict))


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("result", Result)
def test_there_are_words_for_everything(result: Result, reason: Reason) -> None:
    said = cause(event(Verdict(result, reason, KEY)))
    assert said
    assert "None" not in said


def test_the_cause_of_an_error_is_what_the_connection_said() -> None:
    failed = event(Verdict(Result.ERROR, Reason.ORIGIN_UNREACHABLE, KEY), proxy_detail="refused: \x1b[31m")
    assert cause(failed) == "refused: \\x1b[31m"


def test_a_broken_transfer_is_said() -> None:
    assert cause(event(broken="the client left")).endswith("; the client left")
    broken = event(replace(MISS, stored=True), broken="the origin broke off: too soon")
    assert cause(broken) == "not stored: the origin broke off: too soon"
    assert not broken.stored


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.6, "60 s"), (599, "599 s"), (600, "10 min"), (7199, "120 min"), (7200, "2 h"), (172_800, "2 d")],
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0003, "0.3 ms"), (0.001, "1 ms"), (0.212, "212 ms"), (2.0449, "2.04 s")]
)
def test_elapsed(seconds: float, words: str) -> None:
    assert elapsed(seconds) == words


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("/blog?a=b@c&d", "/blog?a=b@c&d"),
        ("/a\r\nHTTP/1.1 200", "/a\\r\\nHTTP/1.1 200"),
        ("/\x1b]0;x\x07", "/\\x1b]0;x\\x07"),
        ("/\x9b31m", "/\\x9b31m"),
        ("/caf\xe9", "/caf\\xe9"),
        ("http://user:secret@host/a", "http://host/a"),
        ("user:secret@host", "host"),
        ("GET http user:secret@host /a@b", "GET http host /a@b"),
    ],
)
def test_what_is_printed_cannot_forge_or_tell_secrets(text: str, safe: str) -> None:
    assert visible(text) == safe
