"""How long a hit stands (app/core/standing.py): between its bounds decide() says the same."""

from __future__ import annotations

from math import inf

import pytest

from app.core.decisions import Hit
from app.core.reasons import Reason as R
from app.core.reuse import decide
from app.core.rules import RequestDirectives, Rules
from app.core.standing import MARGIN, Span, standing
from tests.core.build import NOW, RFC, req, row, stored

IGNORING = Rules(request_directives=RequestDirectives.IGNORE)
MINUTE = "200 | cc: max-age=60"
SWR = "200 | cc: max-age=10, stale-while-revalidate=20"
SIE = "200 | cc: max-age=10, stale-if-error=40"
PART = "206 | cc: max-age=60 | cr: bytes 0-9/100"
STALE = R.STALE_WHILE_REVALIDATE

HELD = R.STALE_ERROR
ENDS = (-inf, 60)

ROWS = [
    #                         request                     response  at  held  rules     reason               bounds
    row("fresh",              "GET /",                    MINUTE,   0,  0,    RFC,      R.FRESH,             ENDS),
    row("HEAD, fresh",        "HEAD /",                   MINUTE,   59, 0,    RFC,      R.FRESH,             ENDS),
    row("stale, refreshing",  "GET /",                    SWR,      15, 0,    RFC,      STALE,               (10, 30)),
    row("held back before",   "GET /",                    SWR,      15, 12,   RFC,      STALE,               (12, 30)),
    row("held back",          "GET /",                    SWR,      15, 18,   RFC,      HELD,                (10, 18)),
    row("held back for long", "GET /",                    SIE,      15, 90,   RFC,      HELD,                (10, 50)),
    row("max-stale",          "GET / | cc: max-stale=9",  MINUTE,   65, 0,    RFC,      R.REQUEST_MAX_STALE, None),
    row("a client's limit",   "GET / | cc: min-fresh=5",  MINUTE,   0,  0,    RFC,      R.FRESH,             None),
    row("a limit ignored",    "GET / | cc: min-fresh=5",  MINUTE,   0,  0,    IGNORING, R.FRESH,             ENDS),
    row("Pragma, ignored",    "GET / | pragma: no-cache", MINUTE,   0,  0,    IGNORING, R.FRESH,             ENDS),
    row("a part",             "GET / | range: bytes=0-9", PART,     0,  0,    RFC,      R.FRESH,             None),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "response", "at", "held", "rules", "reason", "bounds"), ROWS)
def test_bounds(
    *, request_: str, response: str, at: float, held: float, rules: Rules, reason: R, bounds: Span | None
) -> None:
    one = stored(response, "GET / | range: bytes=0-9" if response == PART else "GET /", rules, held_until=NOW + held)
    hit = decide(req(request_), [one], rules, NOW + at)
    assert isinstance(hit, Hit)
    assert hit.reason is reason
    wanted = None if bounds is None else (NOW + bounds[0] + MARGIN, NOW + bounds[1] - MARGIN)
    assert standing(hit, req(request_), rules) == wanted


def test_a_hit_for_a_reason_without_bounds_does_not_stand() -> None:
    assert standing(Hit(R.REQUEST_MAX_STALE, stored(MINUTE)), req(), RFC) is None
