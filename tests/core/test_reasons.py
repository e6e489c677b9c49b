"""Every reason is explained, is a token, and is produced: by a row of these tables, or by what ELSEWHERE says."""

from __future__ import annotations

import re
from types import ModuleType
from typing import get_args

import pytest

from app.core.decisions import (
    Forward,
    Freshen,
    Fwd,
    Hit,
    Lookup,
    Outcome,
    Pass,
    Refuse,
    Result,
    Reuse,
    Save,
    ServeStale,
)
from app.core.reasons import MEANINGS, Meaning, Phase, Reason
from tests.core import (
    test_concluding,
    test_ineligible,
    test_refusing,
    test_reuse,
    test_routing,
    test_storing,
    test_verdicts,
)

# Decided before the core is asked (the edge), or after it has answered (the engine).
ELSEWHERE = {
    Reason.UPGRADE, Reason.CLIENT_GONE, Reason.REQUEST_TIMEOUT, Reason.INTERNAL, Reason.STOPPING, Reason.PURGE,
    Reason.PURGE_REFUSED,
}  # fmt: skip


TABLES = (test_concluding, test_ineligible, test_refusing, test_reuse, test_routing, test_storing, test_verdicts)


def produced(module: ModuleType) -> set[Reason]:
    """The reasons in the rows of a module's tables, without those that are known to be wrong."""
    tables = [table for table in vars(module).values() if isinstance(table, list)]
    cases = [case for table in tables for case in table if hasattr(case, "marks") and not case.marks]
    return {value for case in cases for value in case.values if isinstance(value, Reason)}


def test_every_reason_is_produced() -> None:
    here = set[Reason]().union(*map(produced, TABLES))
    assert here | ELSEWHERE == set(Reason)
    assert not here & ELSEWHERE


def test_every_reason_has_a_meaning() -> None:
    assert list(MEANINGS) == list(Reason)


@pytest.mark.parametrize(("reason", "meaning"), MEANINGS.items(), ids=str)
def test_a_meaning_is_a_phrase_with_a_section(reason: Reason, meaning: Meaning) -> None:
    assert meaning.meaning
    assert not meaning.meaning.endswith(".")
    assert re.fullmatch(r"(RFC \d{4} §[\d., §]+|RFC 8586|HTML Standard §[\d.]+|dialect|purge|route)", meaning.section)
    assert meaning.phase in Phase


@pytest.mark.parametrize("value", [*Reason, *Fwd, *Result], ids=str)
def test_values_are_tokens(value: str) -> None:
    """RFC 9211 §2.8: detail is a String or a Token; RFC 9651 §3.3.4 has the grammar of the latter."""
    assert re.fullmatch(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*", value)


def test_fwd_speaks_in_the_words_of_the_registry() -> None:
    registry = {"bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"}  # RFC 9211 §2.2
    assert {fwd.value for fwd in Fwd} <= registry


def test_the_unions_are_closed() -> None:
    assert set(get_args(Lookup)) == {Hit, Forward, Refuse}
    assert set(get_args(Outcome)) == {Save, Freshen, Reuse, Pass, ServeStale}
