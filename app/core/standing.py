"""How long a decision stands: until when decide() gives the same hit to the same request, if nothing else happens."""

from __future__ import annotations

from math import inf

from app.core.decisions import Hit
from app.core.directives import Directives
from app.core.messages import Request
from app.core.reasons import Reason
from app.core.reuse import request_directives
from app.core.rules import Rules

# Sums of floats are not exact, to some 1e-6 s in our time: that near to either end decide() must be asked.
MARGIN = 1e-5

Span = tuple[float, float]


def standing(hit: Hit, request: Request, rules: Rules) -> Span | None:
    """From when until when on the HTTP clock, without the end; None where there is no telling.

    What a client asks of caches (RFC 9111 §5.2.1) moves the bounds for it alone; that and stored parts are left to
    decide().
    """
    if hit.stored.first_byte is not None or request_directives(request, rules) != Directives():
        return None
    fresh, held_until = hit.stored.freshness, hit.stored.held_until
    stale_from = fresh.born + fresh.lifetime
    match hit.reason:
        case Reason.FRESH:
            return -inf, stale_from - MARGIN
        case Reason.STALE_WHILE_REVALIDATE:
            return max(stale_from, held_until) + MARGIN, stale_from + fresh.stale_while_revalidate - MARGIN
        case Reason.STALE_ERROR:
            window = max(fresh.stale_while_revalidate, fresh.stale_if_error)
            return stale_from + MARGIN, min(held_until, stale_from + window) - MARGIN
        case _:
            return None
