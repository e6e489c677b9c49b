"""The origin's last answer under a key: every rule at response time, and what became of it (RFC 9111 §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.checks import Check, Judgement, response_checks
from app.core.concluding import conclude, failed
from app.core.decisions import (
    Exchange,
    Forward,
    Freshen,
    Fwd,
    Outcome,
    Pass,
    Reuse,
    Save,
    ServeStale,
    StoredResponse,
)  # fmt: skip
from app.core.key import selects
from app.core.reasons import Reason
from app.core.reuse import INELIGIBLE
from app.core.rules import LifetimeSource, Rules
from app.core.storing import freshness_of
from app.core.timeline import Governance, governance
from app.core.validation import conditional, merged


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """`outcome`: save, freshen, reuse, serve-stale or pass; `judgement` says why, for the last three.

    `kept`: it is what is stored now. `checks` is empty where the origin gave no answer (`proxy_error`). Durations in
    seconds.
    """

    method: str
    status: int
    at: float
    ago: float
    proxy_error: str | None
    outcome: str
    kept: bool
    judgement: Judgement | None
    governance: Governance
    lifetime: float
    lifetime_from: LifetimeSource | None
    stale_while_revalidate: float
    stale_if_error: float
    checks: tuple[Check, ...]


def last_answer(exchange: Exchange, stored: Sequence[StoredResponse], key: str, rules: Rules, now: float) -> LastAnswer:
    """`stored` is what is stored under the key now."""
    forward = asked_with(exchange, stored, rules)
    outcome = conclude(forward, exchange, key, rules)
    # What confirmed a stored response was judged together with it.
    confirmed = forward.stored is not None and isinstance(outcome, Freshen | Reuse)
    judged = merged(exchange, forward.stored, rules) if forward.stored is not None and confirmed else exchange
    found = freshness_of(judged, rules)
    return LastAnswer(
        method=exchange.request.method,
        status=exchange.response.status,
        at=round(exchange.response_time, 3),
        ago=round(now - exchange.response_time, 3),
        proxy_error=exchange.proxy_error,
        outcome=_NAMES[type(outcome)],
        kept=any(one.stored_at == exchange.response_time for one in stored),
        judgement=Judgement.of(outcome.reason) if isinstance(outcome, Pass | ServeStale | Reuse) else None,
        governance=governance(judged.response.headers, judged.control, rules),
        lifetime=found.lifetime,
        lifetime_from=found.source,
        stale_while_revalidate=found.stale_while_revalidate,
        stale_if_error=found.stale_if_error,
        checks=() if exchange.proxy_error else response_checks(judged, rules),
    )


_NAMES: dict[type[Outcome], str] = {
    Save: "save", Freshen: "freshen", Reuse: "reuse", ServeStale: "serve-stale", Pass: "pass",
}  # fmt: skip


def asked_with(exchange: Exchange, stored: Sequence[StoredResponse], rules: Rules) -> Forward:
    """What the exchange must have been for, as far as that still shows: so `conclude` says again what it said."""
    for reason, fwd, fires in INELIGIBLE:
        if fires(exchange.request, rules):
            return Forward(reason, fwd, exchange.request)
    renewed = next((one for one in stored if _was_for(exchange, one, rules)), None)
    return Forward(Reason.URI_MISS, Fwd.URI_MISS, exchange.request, renewed, background=renewed is not None)


def _was_for(exchange: Exchange, stored: StoredResponse, rules: Rules) -> bool:
    """Whether the exchange renewed, or failed to renew, this stored response."""
    if exchange.response_time < stored.stored_at:
        return False
    if failed(exchange, rules):
        return exchange.response_time < stored.held_until
    if exchange.response.status != 304 and exchange.request.method != "HEAD":
        return False
    request = exchange.request
    return conditional(request, stored, rules).headers == request.headers and selects(stored.selecting, request, None)
