"""On what occasions dialects speak: tried out, so that what is told of their causes is what their rules do."""

from __future__ import annotations

import pytest

from app.core.decisions import Result
from app.core.reasons import MEANINGS, Phase, Reason
from app.dialects import dialect_names, load_dialect
from app.glossary.occasions import occasions

# What takes more than one visitor's request and one answer: a stored part, a changed origin, what is refused before any
# rule is asked, an operator's routes, and what goes wrong elsewhere.
NEVER_TRIED = {
    Reason.PARTIAL_MISS, Reason.STORED_NO_CACHE, Reason.DYNAMIC_ROUTE, Reason.UPGRADE, Reason.PURGE,
    Reason.NOT_MODIFIED,
    *(reason for reason in Reason if MEANINGS[reason].phase is Phase.ERROR),
}  # fmt: skip


def reasons(name: str) -> set[Reason]:
    return {one.reason for one in occasions(load_dialect(name))}


def test_every_reason_of_a_cache_is_brought_about_somewhere() -> None:
    found = set[Reason]().union(*map(reasons, dialect_names()))
    extensions = {one.reason for one in occasions(load_dialect("nginx", {"extensions": ["css"]}))}
    assert set(Reason) - NEVER_TRIED <= found | extensions


@pytest.mark.parametrize(("name", "rules", "reason", "there"), [
    ("standard", {}, Reason.SET_COOKIE, True),
    ("standard", {"set_cookie": "store"}, Reason.SET_COOKIE, False),
    ("standard", {"request_directives": "ignore"}, Reason.REQUEST_NO_CACHE, False),
    ("standard", {"bypass_cookies": ["draft"]}, Reason.REQUEST_COOKIE, True),
    ("standard", {}, Reason.REQUEST_COOKIE, False),
    ("standard", {"extensions": ["css"]}, Reason.REQUEST_EXTENSION, True),
    ("standard", {"extensions": ["css"]}, Reason.FRESH, True),
    ("vercel", {}, Reason.WRONG_VARIANT, True),
    ("vercel", {}, Reason.REQUEST_FIELD, True),
])  # fmt: skip
def test_the_rules_decide(name: str, rules: dict[str, object], reason: Reason, there: bool) -> None:
    found = {one.reason for one in occasions(load_dialect(name, rules))}
    assert (reason in found) is there


@pytest.mark.parametrize("name", dialect_names())
def test_every_dialect_hits_misses_fails_and_stores_nothing_private(name: str) -> None:
    found = {(one.result, one.reason) for one in occasions(load_dialect(name))}
    assert {
        (Result.HIT, Reason.FRESH), (Result.MISS, Reason.URI_MISS), (Result.NOSTORE, Reason.PRIVATE),
        (Result.ERROR, Reason.ORIGIN_UNREACHABLE), (Result.PASS, Reason.METHOD),
    } <= found  # fmt: skip
