"""Properties that hold for generated input: explain."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.concluding import conclude
from app.core.decisions import Forward, Hit, Refuse, Save, StoredResponse
from app.core.explain import Known, explain
from app.core.last_answer import asked_with
from app.core.reasons import Reason
from app.core.refusing import REFUSED, refusal
from app.core.reuse import INELIGIBLE, decide, select
from app.core.routing import Ruling
from app.core.rules import Authorization, Head, Ranges, RequestDirectives, Rules
from app.core.storing import first_forbidding
from tests.core.build import KEY, NOW, RFC, SPOILED, exchange, req, stored

NODE = "n0de1"


IGNORING = Rules(request_directives=RequestDirectives.IGNORE)


BYPASSING = Rules(authorization=Authorization.BYPASS, ranges=Ranges.BYPASS, head=Head.CONVERT)


PRAGMATIC = Rules(request_directives=RequestDirectives.IGNORE, pragma_validates_stale=True)


def refused(checks: Any) -> list[Reason]:
    return [check.reason for check in checks if not check.ok]


REQUEST_FIELDS = (
    "cc: no-cache",
    "cc: no-store",
    "cc: max-age=5",
    "cc: max-age=0",
    "cc: min-fresh=100",
    "cc: max-stale",
    "pragma: no-cache",
    "cc: only-if-cached",
    "cc: max-stale=5, max-age=200",
    "authorization: Bearer x",
    "range: bytes=0-4",
    "cl: 5",
    "accept: a",
    "accept: b",
    "cookie: s=1",
    "rsc: 1",
    "cdn-loop: swerve; node=n0de1",
)


RESPONSE_FIELDS = (
    "cc: max-age=60",
    "cc: s-maxage=60, stale-while-revalidate=30",
    "cc: max-age=60, stale-if-error=60",
    "cc: private",
    "cc: no-store",
    "cc: no-cache",
    "cc: public, must-understand",
    "cc: immutable, max-age=5",
    "cdn: max-age=10",
    "vary: accept",
    "vary: *",
    "vary: cookie",
    "set-cookie: a=1",
    'etag: "1"',
    "lm: @-1000",
    "expires: @+60",
    "cr: bytes 0-4/10",
    "ct: text/event-stream",
    "cl: 99999999999",
    "age: 10",
    "cc: must-revalidate, max-age=1",
)


RULES = (RFC, IGNORING, BYPASSING, PRAGMATIC, Rules(store_for_validation=False, vary_denied=frozenset({"cookie"})))


def heads(start: str, choice: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(choice), max_size=3).map(lambda lines: " | ".join([start, *lines]))


requests = st.sampled_from(["GET /", "HEAD /", "POST /"]).flatmap(lambda start: heads(start, REQUEST_FIELDS))


responses = st.sampled_from(["200", "206", "304", "404", "503"]).flatmap(lambda start: heads(start, RESPONSE_FIELDS))


variants = st.lists(st.tuples(heads("200", RESPONSE_FIELDS), heads("GET /", REQUEST_FIELDS), st.booleans()), max_size=3)


def kept(rows: list[tuple[str, str, bool]], rules: Rules) -> list[StoredResponse]:
    return [stored(response, to, rules, purge=SPOILED if spoiled else None) for response, to, spoiled in rows]


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(st.tuples(requests, responses), variants, st.sampled_from(RULES), st.integers(-5, 200), st.booleans())
def test_it_agrees_with_the_path(
    messages: tuple[str, str], rows: list[tuple[str, str, bool]], rules: Rules, later: int, uncacheable: bool
) -> None:
    asked, answer = messages
    request, there, came, now = req(asked), kept(rows, rules), exchange(asked, answer, rules, at=NOW - 7), NOW + later
    found = explain(request, Known(there, NODE, came, uncacheable, [KEY]), Ruling(rules), now)
    lookup = refusal(request, NODE) or decide(request, there, rules, now, uncacheable=uncacheable)
    assert found.answer.judgement.reason is lookup.reason
    assert found.answer.kind == {Hit: "hit", Forward: "forward", Refuse: "refuse"}[type(lookup)]
    if isinstance(lookup, Forward):
        assert (found.answer.fwd, found.answer.waits) == (lookup.fwd, lookup.shareable)
    chosen = select(request, there)
    assert [one.selected for one in found.variants] == [one is chosen for one in there]
    assert found.last_answer is not None
    assert next(iter(refused(found.last_answer.checks)), None) is first_forbidding(came, rules)
    if lookup.reason in {reason for reason, *_ in (*REFUSED, *INELIGIBLE)} | {Reason.REQUEST_NO_STORE}:
        assert refused(found.checks)[0] is lookup.reason
    json.dumps(asdict(found), allow_nan=False)


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(requests, responses, st.sampled_from(RULES))
def test_the_last_answer_is_concluded_as_it_was(asked: str, answer: str, rules: Rules) -> None:
    """For an answer to a request that found nothing stored."""
    request, came = req(asked), exchange(asked, answer, rules)
    lookup = decide(request, [], rules, NOW)
    if isinstance(lookup, Forward):
        outcome = conclude(lookup, replace(came, request=lookup.request), KEY, rules)
        there = [outcome.stored] if isinstance(outcome, Save) else []
        sent = replace(came, request=lookup.request)
        again = conclude(asked_with(sent, there, rules), sent, KEY, rules)
        assert type(again) is type(outcome)
        assert getattr(again, "reason", None) is getattr(outcome, "reason", None)
