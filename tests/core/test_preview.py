"""What the operator's token opens, and what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.decisions import Hit, Result
from app.core.forwarding import Forwarding, arrived
from app.core.invalidation import perhaps_spoiled_by, spoiled_by
from app.core.preview import Preview
from app.core.purging import Kind, Mode, Purge, Selector
from app.core.reasons import Reason
from app.core.rules import Rules
from app.core.verdicts import of_hit
from tests.core.build import NOW, head, req, res, row, stored

TOKENLESS = Preview("draft", "x-renew", "x-renew-stored")
PREVIEW = Preview("draft", "x-renew", "x-renew-stored", "s3cret")
STRIPPED = frozenset({"x-renew*"})

ARRIVED = [
    #   preview    request_                                  what is left of it
    row("the token lets both fields in",
        PREVIEW,   "x-renew: s3cret | x-renew-stored: 1",    "x-renew: s3cret | x-renew-stored: 1"),
    row("and no other of their like",
        PREVIEW,   "x-renew: s3cret | x-renew-all: 1",       "x-renew: s3cret"),
    row("another does not",
        PREVIEW,   "x-renew: S3cret | x-renew-stored: 1",    ""),
    row("nor the beginning of it",
        PREVIEW,   "x-renew: s3cre",                         ""),
    row("nor one of several",
        PREVIEW,   "x-renew: s3cret | x-renew: s3cret",      ""),
    row("nor one in the wrong place",
        PREVIEW,   "x-renew-stored: s3cret",                 ""),
    row("nor one that no ASCII could be",
        PREVIEW,   "x-renew: s3cr\xe9t",                     ""),
    row("nobody shows a token that there is not",
        TOKENLESS, "x-renew: ",                              ""),
    row("nor one that is empty",
        replace(PREVIEW, token=""), "x-renew: ",             ""),
    row("nor where nothing is known of tokens",
        None,      "x-renew: s3cret",                        ""),
]  # fmt: skip


@pytest.mark.parametrize(("preview", "sent", "left"), ARRIVED)
def test_who_may_ask_for_a_renewal(preview: Preview | None, sent: str, left: str) -> None:
    came = arrived(req(f"GET / | {sent}"), Forwarding("n1", stripped=STRIPPED, preview=preview))
    kept = [pair for pair in came.headers.pairs if pair[0].startswith(b"x-renew")]
    assert kept == list(head(left).pairs)


COOKIES = [
    #                                                 preview    cookies                    counts
    row("any, where there is no token",               TOKENLESS, "draft=x",                 True),
    row("the token itself",                           PREVIEW,   "a=1; Draft=s3cret; b=2",  True),
    row("one of several",                             PREVIEW,   "draft=x; draft=s3cret",   True),
    row("another",                                    PREVIEW,   "draft=x",                 False),
    row("none at all",                                PREVIEW,   "draft",                   False),
]  # fmt: skip


@pytest.mark.parametrize(("preview", "cookies", "counts"), COOKIES)
def test_which_cookie_counts(preview: Preview, cookies: str, counts: bool) -> None:
    assert preview.takes_cookie(head(f"cookie: {cookies}"), "draft") is counts


def test_other_cookies_need_no_token() -> None:
    assert PREVIEW.takes_cookie(head("cookie: session=x"), "session")


def test_the_token_is_not_told() -> None:
    assert "s3cret" not in repr(Rules(preview=TOKENLESS).with_token("s3cret"))


GONE = [Purge(Mode.HARD, Selector(Kind.PATH, "/a", "example.com"), at=NOW)]
SPOILED = [
    #                                             request_                       status  purges
    row("a page that was made anew",              "GET /a?b | x-renew: s3cret",  "200",  GONE),
    row("one that is not there any more",         "HEAD /a | x-renew: s3cret",   "404",  GONE),
    row("one that could not be made",             "GET /a | x-renew: s3cret",    "500",  []),
    row("one that was only asked for",            "GET /a | x-renew: other",     "200",  []),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "status", "purges"), SPOILED)
def test_what_a_renewal_spoils(request_: str, status: str, purges: list[Purge]) -> None:
    assert list(spoiled_by(req(request_), res(status), Rules(preview=PREVIEW, invalidates=False), NOW)) == purges


def test_a_renewal_of_which_nobody_knows_how_it_ended_spoils_nothing() -> None:
    assert perhaps_spoiled_by(req("GET /a | x-renew: s3cret"), Rules(preview=PREVIEW), NOW) == ()


def test_the_first_visit_of_what_was_prerendered_is_a_hit() -> None:
    verdict = of_hit(Hit(Reason.PRERENDERED, stored(prerendered=True)), "k", NOW)
    assert (verdict.result, verdict.reason) == (Result.HIT, Reason.PRERENDERED)
