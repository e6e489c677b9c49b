"""`swerve why` says what the path does: the same verdicts, the same rows, and what made them so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.core.checks import EVIDENCE
from app.core.explain import Known, explain
from app.core.reasons import Reason
from app.core.refusing import REFUSED
from app.core.reuse import INELIGIBLE
from app.core.routing import Ruling
from app.core.rules import Rules, SoftPurge
from app.core.storing import FORBIDDEN
from tests.core.build import INVALIDATED, NOW, RFC, exchange, req, stored

NODE = "n0de1"


def refused(checks: Any) -> list[Reason]:
    return [check.reason for check in checks if not check.ok]


def test_every_rule_is_shown() -> None:
    found = explain(req(), Known([], NODE, exchange()), Ruling(RFC), NOW)
    assert found.last_answer is not None
    assert [check.reason for check in found.checks[: len(REFUSED)]] == [reason for reason, *_ in REFUSED]
    unknown, *rest = [check.reason for check in found.checks[len(REFUSED) :]]
    assert unknown is Reason.UNKNOWN_PATH
    assert rest[: len(INELIGIBLE)] == [reason for reason, *_ in INELIGIBLE]
    assert [check.reason for check in found.last_answer.checks] == [reason for reason, _ in FORBIDDEN] == list(EVIDENCE)


def test_a_stale_page_in_full() -> None:
    old = stored('200 | cc: s-maxage=60, stale-while-revalidate=300 | etag: "1"')
    found = explain(req(), Known([old], NODE, exchange("GET /", "200 | cc: s-maxage=60")), Ruling(RFC), NOW + 137)
    answer = found.answer
    assert (answer.kind, answer.result, answer.refreshes) == ("hit", "stale", True)
    assert answer.judgement.section == "RFC 5861 §3"
    assert refused(found.checks) == []


def test_what_a_purge_has_expired_is_shown_so() -> None:
    old = stored("200 | cc: max-age=60, stale-while-revalidate=20").purged(replace(INVALIDATED, at=NOW + 4))
    found = explain(req(), Known([old], NODE), Ruling(Rules(soft_purge=SoftPurge.EXPIRE)), NOW + 9)
    assert (found.answer.result, found.answer.judgement.reason) == ("stale", Reason.STALE_PURGED)
    assert found.because.endswith("invalidate all, 5 s ago")
    (shown,) = found.variants
    assert shown.selected
    life = shown.timeline
    assert life.stale_while_revalidate_until is not None
    assert (life.fresh_until.at, life.stale_while_revalidate_until.at) == (NOW + 4, NOW + 24)


def test_whether_the_origin_is_asked_for_changes() -> None:
    asked = [
        explain(req(), Known([stored(f"200 | cc: max-age=60 | {field}")], NODE), Ruling(RFC), NOW + 61).answer.validates
        for field in ('etag: "1"', "lm: @-9", "x: y")
    ]
    assert asked == [True, True, False]
    assert not explain(req(), Known([], NODE), Ruling(RFC), NOW).answer.validates
