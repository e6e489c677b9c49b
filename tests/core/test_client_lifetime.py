"""For how long clients may keep what is stored here too (RFC 9111 §5.2.2.1, §5.3)."""

from __future__ import annotations

import pytest

from app.core.client_lifetime import ClientLifetime, lifetime_lines, with_max_age
from app.core.directives import Directives
from app.core.speech import LATE
from tests.core.build import head, row

RAISED = ClientLifetime(least=100)
LOWERED = ClientLifetime(remaining=True, expires=True)
BOTH = ClientLifetime(least=50, remaining=True)
NONE = ClientLifetime()
SAID = Directives()
TOLD = Directives(downstream=300)
TOLD_NOTHING = Directives(downstream=0)

LINES = [
    #   rule      headers                                     governing  ttl  expected: max-age and Expires
    row("raised, where there is none",
        RAISED,   "",                                         SAID,  9,   ["max-age=100"]),
    row("raised, where it is less",
        RAISED,   "cc: public, max-age=60, must-revalidate",  SAID,  9,   ["public, max-age=100, must-revalidate"]),
    row("not where it is as much",
        RAISED,   "cc: max-age=100",                          SAID,  9,   []),
    row("nor where it is more",
        RAISED,   "cc: max-age=101, immutable",               SAID,  9,   []),
    row("no-cache is less, whatever stands beside it",
        RAISED,   "cc: no-cache, max-age=600",                SAID,  9,   ["max-age=100"]),
    row("Expires is a lifetime too",
        RAISED,   "date: @+0 | expires: @+200",               SAID,  9,   []),
    row("and is raised with it",
        RAISED,   "date: @+0 | expires: @+20",                SAID,  9,   ["max-age=100", "+100"]),
    row("one that cannot be read is in the past",
        RAISED,   "date: @+0 | expires: 0",                   SAID,  9,   ["max-age=100", "+100"]),
    row("one beside an unreadable Date too",
        RAISED,   "date: x | expires: @+200",                 SAID,  9,   ["max-age=100", "+100"]),
    row("max-age comes before it",
        RAISED,   "cc: max-age=5 | date: @+0 | expires: @+200", SAID, 9,  ["max-age=100", "+100"]),
    row("nobody is to keep it",
        RAISED,   "cc: no-store",                             SAID,  9,   []),
    row("it is one client's",
        RAISED,   "cc: private, max-age=5",                   SAID,  9,   []),
    row("lowered to what is left",
        LOWERED,  "cc: max-age=60",                           SAID,  9,   ["max-age=9", "+9"]),
    row("not raised to it, but Expires is said",
        LOWERED,  "cc: max-age=5",                            SAID,  9,   ["max-age=5", "+5"]),
    row("given, where there is none",
        LOWERED,  "",                                         SAID,  9,   ["max-age=9", "+9"]),
    row("nothing is left of what is stale",
        LOWERED,  "cc: max-age=60",                           SAID, -9,   ["max-age=0", "+0"]),
    row("no-cache stays beside nought",
        LOWERED,  "cc: no-cache",                             SAID,  9,   ["no-cache, max-age=0", "+0"]),
    row("lowered, and raised to the least",
        BOTH,     "cc: max-age=60",                           SAID,  9,   ["max-age=50"]),
    row("what is told for clients alone",
        NONE,     "cc: max-age=60",                           TOLD,  9,   ["max-age=300"]),
    row("also where nobody else is to keep it",
        NONE,     "cc: no-store, private",                    TOLD,  9,   ["max-age=300, private"]),
    row("also nought",
        RAISED,   "cc: max-age=60",                           TOLD_NOTHING,  9,  ["max-age=0"]),
    row("no rule",
        NONE,     "cc: max-age=60",                           SAID,  9,   []),
    row("no rule, and nothing given",
        NONE,     "",                                         SAID,  9,   []),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "headers", "governing", "ttl", "expected"), LINES)
def test_lifetime_lines(
    rule: ClientLifetime, headers: str, governing: Directives, ttl: int, expected: list[str]
) -> None:
    fields = head(headers)
    lines = lifetime_lines(rule, fields.get("cache-control") or "", fields, governing, ttl)
    slots = [("expires", f"{LATE['date']:{value[1:]}}") for value in expected[1:]]
    assert lines == [("cache-control", value) for value in expected[:1]] + slots


WRITTEN = [
    row("alone",                        "",                              9, "max-age=9"),
    row("at the end",                   "public",                        9, "public, max-age=9"),
    row("in its old place",             "public, Max-Age=1, immutable",  9, "public, max-age=9, immutable"),
    row("once",                         "max-age=1, public, max-age=2",  9, "max-age=9, public"),
    row("in the place of no-cache",     "public, no-cache, immutable",   9, "public, max-age=9, immutable"),
    row("without no-cache before it",   "no-cache, max-age=0, public",   9, "max-age=9, public"),
    row("without no-store behind it",   "max-age=0, no-store",           9, "max-age=9"),
    row("no-cache for a field stays",   'no-cache="x", public',          9, 'no-cache="x", public, max-age=9'),
    row("nought contradicts nothing",   "no-cache, public",              0, "no-cache, public, max-age=0"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "seconds", "expected"), WRITTEN)
def test_with_max_age(value: str, seconds: int, expected: str) -> None:
    assert with_max_age(value, seconds) == expected
