"""What may be stored, and as what? (RFC 9111 §3)"""

from __future__ import annotations

from collections.abc import Callable

from app.core.decisions import Exchange, StoredResponse
from app.core.fields import format_date, parse_length
from app.core.freshness import Freshness, freshness, lifetime_of, stale_windows
from app.core.invalidation import same_origin_target
from app.core.key import selecting_fields, vary_names
from app.core.messages import Headers, Response, is_event_stream, media_type, packed
from app.core.ranges import ContentRange
from app.core.reasons import Reason
from app.core.reuse import request_directives
from app.core.rules import HEURISTIC_STATUSES, UNDERSTOOD_STATUSES, Authorization, Ranges, Rules, SetCookie
from app.core.tags import tags_of
from app.core.validation import has_validator, with_validator

WINDOWS = ("stale-while-revalidate", "stale-if-error")

ResponseRule = tuple[Reason, Callable[[Exchange, Rules], bool]]


def _method_unfit(exchange: Exchange, rules: Rules) -> bool:
    """POST may be stored for later GETs of the same URL when it says so itself (RFC 9110 §9.3.3)."""
    request, response = exchange.request, exchange.response
    if request.method in ("GET", "HEAD"):
        return False
    location = response.headers.get("content-location")
    explicit = exchange.control.s_maxage or exchange.control.max_age or "expires" in response.headers
    same = location is not None and same_origin_target(request, location) == request.target
    return not (rules.store_post and request.method == "POST" and response.status == 200 and same and explicit)


def _part_unfit(exchange: Exchange, rules: Rules) -> bool:
    if exchange.response.status != 206:
        return False
    unreadable = ContentRange.parse(exchange.response.headers.get("content-range")) is None
    return unreadable or rules.ranges is not Ranges.SERVE or "range" not in exchange.request.headers


def _no_store(exchange: Exchange, _rules: Rules) -> bool:
    """must-understand overrules no-store for a status that is understood (RFC 9111 §5.2.2.3)."""
    understood = exchange.control.must_understand and exchange.response.status in UNDERSTOOD_STATUSES
    return exchange.control.no_store and not understood


def _vary_denied(exchange: Exchange, rules: Rules) -> bool:
    names = vary_names(exchange.response.headers, rules)
    allowed = rules.vary_allowed is None or rules.vary_allowed.issuperset(names)
    return not (allowed and rules.vary_denied.isdisjoint(names))


def _authorization_unfit(exchange: Exchange, rules: Rules) -> bool:
    control = exchange.control
    if rules.authorization is Authorization.IGNORE:
        return False
    allowed = control.public or control.must_revalidate or control.s_maxage is not None
    return "authorization" in exchange.request.headers and not allowed


def _no_lifetime(exchange: Exchange, rules: Rules) -> bool:
    """Nothing says how long it may be used, and there is nothing by which to validate it either; or nothing at all
    allows a cache to keep it (RFC 9111 §3)."""
    lifetime, source = lifetime_of(exchange.response, exchange.control, rules, exchange.response_time)
    allowed = source or exchange.control.public or exchange.response.status in HEURISTIC_STATUSES
    if not allowed or (rules.needs_lifetime and source is None):
        return True
    # A window that nobody has spoken of follows a lifetime, and stands for none.
    said = source is not None or any(map(exchange.control.says, WINDOWS))
    if rules.store_for_windows and (lifetime > 0 or (said and any(stale_windows(exchange.control, rules)))):
        return False
    if freshness_of(exchange, rules).is_fresh(exchange.response_time):
        return False
    kept = with_validator(exchange.response.headers, exchange.response_time, rules)
    return not (rules.store_for_validation and has_validator(kept))


def _set_cookie_unfit(exchange: Exchange, rules: Rules) -> bool:
    """One that is not kept is nobody else's: private="set-cookie" says so by itself (RFC 9111 §5.2.2.7)."""
    if rules.set_cookie is not SetCookie.REFUSE or "set-cookie" not in exchange.response.headers:
        return False
    return "set-cookie" not in exchange.control.private_fields | exchange.control.no_cache_fields


def _wrong_variant(exchange: Exchange, rules: Rules) -> bool:
    """A page's data under the page's own key would be the page for everybody (CVE-2026-44576)."""
    of_response = media_type(exchange.response.headers)
    return any(one.media_type == of_response and one.field not in exchange.request.headers for one in rules.asked_types)


def _no_location(exchange: Exchange, rules: Rules) -> bool:
    redirects = exchange.response.status in (301, 302, 303, 307, 308)
    return rules.redirects_need_location and redirects and "location" not in exchange.response.headers


def _too_large(exchange: Exchange, rules: Rules) -> bool:
    return (parse_length(exchange.response.headers.get("content-length")) or 0) > rules.max_body


# Why a response is stored for nobody. The path stops at the first row that fires; `swerve why` prints every row.
FORBIDDEN: tuple[ResponseRule, ...] = (
    (Reason.METHOD, _method_unfit),
    (Reason.HEAD, lambda exchange, _: exchange.request.method == "HEAD"),
    (Reason.NOT_MODIFIED, lambda exchange, _: exchange.response.status == 304),
    (Reason.REQUEST_NO_STORE, lambda exchange, rules: request_directives(exchange.request, rules).no_store),
    (Reason.NO_STORE, _no_store),
    (Reason.PRIVATE, lambda exchange, _: exchange.control.private),
    (Reason.NO_CACHE, lambda exchange, rules: exchange.control.no_cache and not rules.store_for_validation),
    (Reason.SET_COOKIE, _set_cookie_unfit),
    (Reason.AUTHORIZATION, _authorization_unfit),
    (Reason.VARY_STAR, lambda exchange, rules: "*" in vary_names(exchange.response.headers, rules)),
    (Reason.VARY_DENIED, _vary_denied),
    (Reason.MUST_UNDERSTAND,
     lambda exchange, _: exchange.control.must_understand and exchange.response.status not in UNDERSTOOD_STATUSES),
    (Reason.STATUS,
     lambda exchange, rules: rules.statuses is not None and exchange.response.status not in rules.statuses),
    (Reason.PARTIAL_CONTENT, _part_unfit),
    (Reason.EVENT_STREAM, lambda exchange, _: is_event_stream(exchange.response.headers)),
    (Reason.WRONG_VARIANT, _wrong_variant),
    (Reason.NO_LOCATION, _no_location),
    (Reason.NO_LIFETIME, _no_lifetime),
    (Reason.TOO_LARGE, _too_large),
)  # fmt: skip

# By which of them a response says that it is not the same for everybody, or not for long enough to be kept.
NOT_STATIC = frozenset(
    {
        Reason.NO_STORE, Reason.PRIVATE, Reason.NO_CACHE, Reason.SET_COOKIE, Reason.VARY_STAR, Reason.VARY_DENIED,
        Reason.NO_LIFETIME,
    }
)  # fmt: skip


def forbidden(exchange: Exchange, rules: Rules) -> Reason | None:
    """Why it may not be stored; that this is an error, where a route says of what is there that it must be."""
    reason = first_forbidding(exchange, rules)
    wrong = rules.of_route.must_be_static and reason in NOT_STATIC and exchange.response.status < 400
    return Reason.NOT_STATIC if wrong else reason


def first_forbidding(exchange: Exchange, rules: Rules) -> Reason | None:
    for reason, fires in FORBIDDEN:
        if fires(exchange, rules):
            return reason
    return None


def freshness_of(exchange: Exchange, rules: Rules) -> Freshness:
    return freshness(exchange.response, exchange.control, rules, exchange.request_time, exchange.response_time)


def stored_response(exchange: Exchange, key: str, rules: Rules) -> StoredResponse:
    """The response as it is kept: without fields that may not be stored, its lifetime in numbers (RFC 9111 §3.1)."""
    response, control = exchange.response, exchange.control
    part = ContentRange.parse(response.headers.get("content-range")) if response.status == 206 else None
    headers = response.headers.without({"age"} | control.no_cache_fields | control.private_fields)
    if rules.set_cookie in (SetCookie.STRIP, SetCookie.STRIP_STORED):
        headers = headers.without({"set-cookie"})
    return StoredResponse(
        key=key,
        selecting=selecting_fields(exchange.request, vary_names(response.headers, rules)),
        status=response.status,
        head=packed(with_validator(dated(headers, exchange.response_time), exchange.response_time, rules)),
        control=control,
        freshness=freshness_of(exchange, rules),
        first_byte=part.first if part else None,
        complete_length=part.complete if part else None,
        requested_range=exchange.request.headers.get("range") if part else None,
        fetched_under=exchange.fetched_under,
        number=exchange.number,
        stored_at=exchange.response_time,
        tags=tuple(dict.fromkeys((*tags_of(response.headers, rules.tags), *rules.of_route.tags))),
        deployment=None if _outlives_deployments(response, rules) else exchange.deployment,
    )


def _outlives_deployments(response: Response, rules: Rules) -> bool:
    return any(name in response.headers for name in rules.outlives_deployments)


def dated(headers: Headers, now: float) -> Headers:
    """With a Date: a recipient with a clock adds the one that is missing (RFC 9110 §6.6.1)."""
    return headers if "date" in headers else headers.adding(("date", format_date(now)))
