"""What becomes of the origin's answer? (RFC 9111 §3, §4.3.3, RFC 5861 §4)"""

from __future__ import annotations

from dataclasses import replace

from app.core.decisions import Exchange, Forward, Freshen, Fwd, Outcome, Pass, Reuse, Save, ServeStale, StoredResponse
from app.core.messages import packed
from app.core.purging import Mode
from app.core.reasons import Reason
from app.core.rules import Rules
from app.core.storing import forbidden, stored_response
from app.core.validation import confirms, merged

# After a refresh that failed the next one waits: 1 s, 2 s, 4 s … at most half a minute, where the rules say no number.
LONGEST_HOLD = 30

ERROR_REASONS = {
    "dns_timeout": Reason.ORIGIN_TIMEOUT,
    "connection_timeout": Reason.ORIGIN_TIMEOUT,
    "connection_read_timeout": Reason.ORIGIN_TIMEOUT,
    "connection_write_timeout": Reason.ORIGIN_TIMEOUT,
    "http_response_timeout": Reason.ORIGIN_TIMEOUT,
    "http_protocol_error": Reason.ORIGIN_PROTOCOL,
    "http_request_error": Reason.BAD_REQUEST,
    "http_response_incomplete": Reason.ORIGIN_INCOMPLETE,
}


def conclude(forward: Forward, exchange: Exchange, key: str, rules: Rules) -> Outcome:
    """What the origin's answer means for the store and for who asked."""
    status, stored = exchange.response.status, forward.stored
    if failed(exchange, rules):
        return _conclude_error(forward, exchange, key, rules)
    if stored is not None and (status == 304 or exchange.request.method == "HEAD"):
        if confirms(exchange, stored):
            return _conclude_confirmed(stored, merged(exchange, stored, rules), key, rules)
        # A HEAD that differs says that the stored GET is no longer what the origin would send (RFC 9111 §4.3.5).
        unasked = status == 304
        return Pass(Reason.NOT_MODIFIED if unasked else Reason.HEAD, exchange.response, None if unasked else stored)
    return _save_or_pass(forward, exchange, key, rules)


def failed(exchange: Exchange, rules: Rules) -> bool:
    """Whether there was no answer, or one that says no more than that there is none to be had (RFC 5861 §4)."""
    return exchange.proxy_error is not None or exchange.response.status in rules.error_statuses


def _conclude_confirmed(stored: StoredResponse, exchange: Exchange, key: str, rules: Rules) -> Outcome:
    """The stored response was confirmed, and is kept if a response with its new fields may be."""
    renewed = replace(stored_response(exchange, key, rules), body=stored.body, size=stored.size)
    reason = forbidden(exchange, rules)
    if reason is None:
        return Freshen(renewed)
    own = replace(renewed, head=packed(exchange.response.headers.without({"age"})))
    # Where only the request was in the way, what is stored is as good as before.
    return Reuse(reason, own, None if reason in (Reason.AUTHORIZATION, Reason.REQUEST_NO_STORE) else stored)


def _conclude_error(forward: Forward, exchange: Exchange, key: str, rules: Rules) -> Outcome:
    stored = forward.stored
    now = exchange.response_time
    if stored is not None and (stored.purge is not None or not stored.freshness.is_fresh(now)):
        held = hold(stored, now, rules)
        if _better_than_an_error(stored, rules, now):
            return ServeStale(Reason.STALE_IF_ERROR, held)
        if forward.background:
            return ServeStale(Reason.STALE_ERROR, held)
    if exchange.proxy_error is not None:
        return Pass(ERROR_REASONS.get(exchange.proxy_error, Reason.ORIGIN_UNREACHABLE), exchange.response)
    return _save_or_pass(forward, exchange, key, rules)


def _better_than_an_error(stored: StoredResponse, rules: Rules, now: float) -> bool:
    """Whether a stale response may stand in for an origin that fails (RFC 5861 §4); an error that is stored is none."""
    purged, control = stored.purged_as(now), stored.control
    usable = not control.no_cache and (purged is None or (purged is Mode.SOFT and not control.forbids_stale))
    within = stored.freshness.within(stored.freshness.stale_if_error, now)
    return usable and within and stored.status not in rules.error_statuses


def hold(stored: StoredResponse, now: float, rules: Rules) -> StoredResponse:
    """The stored response after a failed attempt to renew it: kept, and left alone for a while."""
    wait = rules.retry_after_failure
    if wait is None:
        wait = min(2**stored.failures, LONGEST_HOLD)
    return replace(stored, failures=min(stored.failures + 1, 10), held_until=now + wait)


def _save_or_pass(forward: Forward, exchange: Exchange, key: str, rules: Rules) -> Outcome:
    reason = forward.reason if forward.fwd is Fwd.BYPASS else forbidden(exchange, rules)
    if reason is None:
        return Save(stored_response(exchange, key, rules))
    # A refresh speaks for everybody: when its answer may not be shared, what was shared until now is over.
    return Pass(reason, exchange.response, forget=forward.stored if forward.background else None)
