"""What the answer to one request means for others of the same key: whether they wait for it, and may have it."""

from __future__ import annotations

from app.core.concluding import failed
from app.core.decisions import Exchange, Freshen, Hit, Outcome, Pass, Reuse, Save, ServeStale, StoredResponse
from app.core.impersonal import as_anybody
from app.core.messages import Request
from app.core.reasons import Reason
from app.core.reuse import decide, is_variant_for
from app.core.rules import Rules


def speaks_of_the_key(outcome: Pass, exchange: Exchange, rules: Rules) -> bool:
    """Whether a response that may not be shared says so of its key, so that nobody should wait for the next one: not
    when the origin failed, or when only this request was in the way."""
    return not failed(exchange, rules) and outcome.reason not in (Reason.AUTHORIZATION, Reason.REQUEST_NO_STORE)


def reusable(stored: StoredResponse, now: float) -> bool:
    """Whether a response that has just come may answer others without asking the origin again."""
    fresh = stored.freshness
    return not stored.control.no_cache and (fresh.is_fresh(now) or fresh.within(fresh.stale_while_revalidate, now))


def shareable_with(outcome: Outcome, exchange: Exchange, request: Request, rules: Rules, now: float) -> bool:
    """Whether the answer to another request may serve this one too: only what would answer it if it were stored already
    (RFC 9111 §4), or was allowed to be stale; nothing that was for one client. That the origin failed is the same for
    all, unless it was the other's request that was at fault."""
    match outcome:
        case Save(stored) | Freshen(stored):
            return isinstance(decide(request, [stored], rules, now), Hit)
        case ServeStale(reason, stored):
            return reason is Reason.STALE_IF_ERROR and is_variant_for(as_anybody(request, rules), stored)
        case Reuse():
            return False
        case Pass(reason, _, _):
            return exchange.proxy_error is not None and reason is not Reason.BAD_REQUEST
