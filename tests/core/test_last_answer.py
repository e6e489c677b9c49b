"""What became of the origin's last answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.decisions import StoredResponse
from app.core.last_answer import last_answer
from app.core.reasons import Reason
from app.core.rules import Rules
from tests.core.build import KEY, NOW, RFC, exchange, row, stored

OLD = stored('200 | cc: max-age=60, stale-if-error=60 | etag: "1"')
RENEWED = stored('200 | cc: max-age=60 | etag: "1"', stored_at=NOW + 70)
BARE = stored()
HELD = replace(OLD, failures=1, held_until=NOW + 71)
HELD_BARE = replace(BARE, failures=1, held_until=NOW + 71)
LATER = replace(BARE, stored_at=NOW + 71)


@pytest.mark.parametrize(("asked", "answer", "there", "outcome", "reason"), [
    row("stored", "GET /", "200 | cc: max-age=60", [], "save", None),
    row("refused", "GET /", "200 | cc: private", [], "pass", Reason.PRIVATE),
    row("bypassed", "GET / | cl: 5", "200 | cc: max-age=60", [], "pass", Reason.REQUEST_BODY),
    row("a 304 that confirmed", 'GET / | inm: "1"', "304", [RENEWED], "freshen", None),
    row("a 304 that was refused", 'GET / | cc: no-store | inm: "1"', "304", [OLD], "reuse", Reason.REQUEST_NO_STORE),
    row("a 304 for the client", 'GET / | inm: "2"', "304", [OLD], "pass", Reason.NOT_MODIFIED),
    row("a 304 and a later one", "GET /", "304", [LATER], "pass", Reason.NOT_MODIFIED),
    row("a HEAD that confirmed", "HEAD /", "200", [BARE], "freshen", None),
    row("a HEAD for nothing stored", "HEAD /", "200", [], "pass", Reason.HEAD),
    row("an error, stale allowed", "GET /", "503", [HELD], "serve-stale", Reason.STALE_IF_ERROR),
    row("an error, held back", "GET /", "503", [HELD_BARE], "serve-stale", Reason.STALE_ERROR),
    row("an error, not held", "GET /", "503 | cc: max-age=9", [BARE], "save", None),
])  # fmt: skip
def test_what_became_of_it(
    asked: str, answer: str, there: list[StoredResponse], outcome: str, reason: Reason | None
) -> None:
    found = last_answer(exchange(asked, answer, at=NOW + 70), there, KEY, RFC, NOW + 72)
    assert (found.outcome, found.judgement and found.judgement.reason) == (outcome, reason)
    assert (found.ago, found.kept) == (2, there == [RENEWED])


def test_a_confirmed_response_is_judged_as_a_whole() -> None:
    """The 304 itself has no lifetime and would be refused."""
    found = last_answer(exchange('GET / | inm: "1"', "304", at=NOW + 70), [RENEWED], KEY, RFC, NOW + 70)
    assert (found.status, found.lifetime, found.governance.value) == (304, 60, "max-age=60")
    assert all(check.ok for check in found.checks)


def test_the_dialect_decides() -> None:
    rules = Rules(statuses=frozenset({200}))
    found = last_answer(exchange("GET /", "404 | cc: max-age=60", rules), [], KEY, rules, NOW)
    assert found.judgement is not None
    assert found.judgement.reason is Reason.STATUS


def test_no_answer_at_all() -> None:
    came = exchange("GET /", "502 | cc: no-store", proxy_error="connection_refused")
    found = last_answer(came, [], KEY, RFC, NOW)
    assert found.judgement is not None
    assert (found.outcome, found.judgement.reason, found.checks) == ("pass", Reason.ORIGIN_UNREACHABLE, ())
