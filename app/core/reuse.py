"""May what is stored answer this request? (RFC 9111 §4)"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from app.core.decisions import Forward, Fwd, Hit, Lookup, Refuse, StoredResponse
from app.core.directives import Directives, parse_cache_control
from app.core.fields import parse_date
from app.core.impersonal import as_anybody, as_nobody, impersonal
from app.core.key import selects
from app.core.messages import Request, has_body
from app.core.preview import Preview
from app.core.purging import Mode, Purge
from app.core.ranges import held_spans
from app.core.reasons import Reason
from app.core.rules import Authorization, Cookies, Head, Ranges, RequestDirectives, Rules, SoftPurge
from app.core.validation import conditional, unconditional

RequestRule = tuple[Reason, Fwd, Callable[[Request, Rules], bool]]

# Requests that never meet the cache. The path stops at the first row that fires; `swerve why` prints every row.
INELIGIBLE: tuple[RequestRule, ...] = (
    # First, for it says more of a request than that it is a POST.
    (Reason.REQUEST_FIELD, Fwd.BYPASS,
     lambda request, rules: any(name in request.headers for name in rules.bypass_fields)),
    (Reason.METHOD, Fwd.METHOD,
     lambda request, rules: request.method not in (("GET",) if rules.head is Head.BYPASS else ("GET", "HEAD"))),
    (Reason.REQUEST_AUTHORIZATION, Fwd.BYPASS,
     lambda request, rules: rules.authorization is Authorization.BYPASS and "authorization" in request.headers),
    (Reason.REQUEST_RANGE, Fwd.BYPASS,
     lambda request, rules: rules.ranges is Ranges.BYPASS and "range" in request.headers),
    (Reason.REQUEST_BODY, Fwd.BYPASS, lambda request, _: has_body(request.headers)),
    (Reason.REQUEST_COOKIE, Fwd.BYPASS,
     lambda request, rules: any(bypassing_cookies(request, rules))
     or (rules.cookies is Cookies.BYPASS and "cookie" in request.headers)),
    (Reason.DYNAMIC_ROUTE, Fwd.BYPASS, lambda _, rules: rules.of_route.dynamic),
    (Reason.REQUEST_EXTENSION, Fwd.BYPASS,
     lambda request, rules: rules.extensions is not None and rules.extensions.isdisjoint(endings_of(request.path))),
)  # fmt: skip


def bypassing_cookies(request: Request, rules: Rules) -> Iterator[str]:
    """The names of the request's cookies for which it does not meet the cache."""
    headers, preview = request.headers, rules.preview
    for name in rules.bypass_cookies:
        if headers.has_cookie(name) and (preview is None or preview.takes_cookie(headers, name)):
            yield name


def endings_of(path: str) -> tuple[str, str]:
    """The last segment in lower case, as a whole and what follows its last dot; "" where there is none."""
    name = path.rpartition("/")[2].lower()
    return name, name.rpartition(".")[2] if "." in name else ""


REFUSED_403 = Refuse(Reason.REQUEST_BODY, 403)
REFUSED_504 = Refuse(Reason.ONLY_IF_CACHED, 504)


def decide(
    request: Request, stored: Sequence[StoredResponse], rules: Rules, now: float, *, uncacheable: bool = False
) -> Lookup:
    """The lookup: answer from the store, forward, or refuse. `stored` are all responses under the request's key.

    `uncacheable`: the key has just shown that its responses cannot be stored, so nobody should wait for another's.
    """
    for reason, fwd, fires in INELIGIBLE:
        if fires(request, rules):
            refused = reason is Reason.REQUEST_BODY and rules.refuses_bodies
            return REFUSED_403 if refused else Forward(reason, fwd, request)
    directives = request_directives(request, rules)
    if directives.no_store:
        only_stored = directives.only_if_cached
        return REFUSED_504 if only_stored else Forward(Reason.REQUEST_NO_STORE, Fwd.REQUEST, request)
    request = as_anybody(request, rules)
    there = present(stored, rules, now)
    chosen = select(request, there)
    asked = for_all(request, rules)
    if rules.preview is not None and rules.preview.asks_to_renew(request.headers):
        return _renew(as_nobody(asked, rules), chosen, rules.preview)
    if chosen is not None:
        lookup = _judge(asked, directives, chosen, rules, now)
    else:
        deleted = len(there) < len(stored) and select(request, stored) is not None
        lookup = _missing(asked, there, uncacheable, deleted=deleted)
    if isinstance(lookup, Forward) and (uncacheable or not rules.collapse):
        lookup = replace(lookup, shareable=False)
    if directives.only_if_cached and isinstance(lookup, Forward):
        return REFUSED_504
    return lookup


def for_all(request: Request, rules: Rules) -> Request:
    """The request as the origin is asked, where what it answers shall serve others too: for the body, and the whole."""
    if request.method == "HEAD" and rules.head is Head.CONVERT:
        request = replace(request, method="GET")
    if rules.ranges is Ranges.WHOLE and "range" in request.headers:
        request = request.with_headers(request.headers.without({"range", "if-range"}))
    if rules.authorization is Authorization.REMOVE:
        request = request.with_headers(request.headers.without({"authorization"}))
    return request


def present(stored: Sequence[StoredResponse], rules: Rules, now: float) -> Sequence[StoredResponse]:
    """Those that no purge has deleted, as purges have left them."""
    return [as_purged(one, rules, now) for one in stored if one.purged_as(now) is not Mode.HARD]


def as_purged(stored: StoredResponse, rules: Rules, now: float) -> StoredResponse:
    """A stored response as a soft purge has left it: where the rules say that it has expired by that, its lifetime and
    its stale windows are those of any other that has."""
    if stored.purge is None or not expires_by(stored.purge, rules):
        return stored
    ended = stored.freshness.ended(stored.purge.at, now)
    return stored if ended is stored.freshness else replace(stored, freshness=ended)


def expires_by(purge: Purge, rules: Rules) -> bool:
    """Whether what a purge names has expired, and is otherwise as it was."""
    return purge.mode is Mode.SOFT and rules.soft_purge is SoftPurge.EXPIRE


NOTHING_ASKED = Directives()


def request_directives(request: Request, rules: Rules) -> Directives:
    """What the client asks of caches, or nothing where the rules say that clients are not asked."""
    if rules.request_directives is RequestDirectives.IGNORE:
        return NOTHING_ASKED
    lines = request.headers.lines("cache-control")
    if not lines and _pragma_no_cache(request):
        lines = ["no-cache"]  # RFC 9111 §5.4
    asked = parse_cache_control(lines)
    return asked.without(rules.ignored_request_directives) if rules.ignored_request_directives else asked


def _pragma_no_cache(request: Request) -> bool:
    return "no-cache" in (request.headers.get("pragma") or "").lower()


def select(request: Request, stored: Iterable[StoredResponse]) -> StoredResponse | None:
    """The newest stored response that the request selects; complete ones before parts (RFC 9111 §4.1)."""
    fitting = [
        one for one in stored if is_variant_for(request, one) and (one.first_byte is None or held_spans(request, one))
    ]
    return max(fitting, key=_newness) if len(fitting) > 1 else next(iter(fitting), None)


def is_variant_for(request: Request, stored: StoredResponse) -> bool:
    """Whether the stored response is the variant that the request selects (RFC 9111 §4.1)."""
    by_language = any(name == "accept-language" for name, _ in stored.selecting)
    language = stored.response.headers.get("content-language") if by_language else None
    return selects(stored.selecting, request, language)


def _newness(stored: StoredResponse) -> tuple[bool, float, float]:
    date = parse_date(stored.response.headers.get("date"))
    return stored.first_byte is None, stored.stored_at if date is None else date, stored.stored_at


def _missing(request: Request, stored: Sequence[StoredResponse], uncacheable: bool, *, deleted: bool) -> Forward:
    alike = [one for one in stored if selects(one.selecting, request, None)]
    if alike:
        return Forward(
            Reason.PARTIAL_MISS, Fwd.PARTIAL, unconditional_but_range(request), shareable=_shareable(request)
        )
    reason, fwd = (Reason.VARY_MISS, Fwd.VARY_MISS) if stored else (Reason.URI_MISS, Fwd.URI_MISS)
    reason = Reason.DELETED if deleted else reason
    if uncacheable:
        return Forward(reason, fwd, request)
    return Forward(reason, fwd, unconditional_but_range(request), shareable=_shareable(request))


def _renew(request: Request, stored: StoredResponse | None, preview: Preview) -> Forward:
    """Who shows the token waits for a response that is made anew, in nobody's company: what others wait for may be
    older. It is made for everybody, like a refresh. Where there was none to renew, the origin's answer is for this one
    alone."""
    if stored is None and preview.if_stored_alone(request.headers):
        return Forward(Reason.REQUEST_RENEWAL, Fwd.BYPASS, request)
    return Forward(Reason.REQUEST_RENEWAL, Fwd.REQUEST, unconditional(request))


def _shareable(request: Request) -> bool:
    return request.method == "GET" and "range" not in request.headers


def unconditional_but_range(request: Request) -> Request:
    """Without conditions; but what only makes sense with Range stays with it (RFC 9110 §13.1.5)."""
    return request if "range" in request.headers else unconditional(request)


def _judge(request: Request, wanted: Directives, stored: StoredResponse, rules: Rules, now: float) -> Lookup:
    """RFC 9111 §4, the conditions on a selected response, in order."""
    fresh, purged = stored.freshness, stored.purged_as(now)
    if purged is Mode.VALIDATE:
        return _validate(Reason.INVALIDATED, Fwd.STALE, request, stored, rules)
    if stored.control.no_cache:
        return _validate(Reason.STORED_NO_CACHE, Fwd.STALE, request, stored, rules)
    if (reason := _client_wants_newer(wanted, stored, now)) is not None:
        return _validate(reason, Fwd.REQUEST, request, stored, rules)
    if fresh.is_fresh(now):
        reason = Reason.PRERENDERED if stored.prerendered else Reason.FRESH
        return Hit(reason, stored) if purged is None else _judge_purged(request, stored, rules, now)
    lookup = _judge_stale(request, wanted, stored, rules, now)
    by_purge = stored.purge is not None and expires_by(stored.purge, rules)
    return replace(lookup, reason=_BY_PURGE.get(lookup.reason, lookup.reason)) if by_purge else lookup


# What is said of a stale response that has expired by a purge, in the place of what is said where time has made it so.
_BY_PURGE = {Reason.EXPIRED: Reason.INVALIDATED, Reason.STALE_WHILE_REVALIDATE: Reason.STALE_PURGED}


def _client_wants_newer(wanted: Directives, stored: StoredResponse, now: float) -> Reason | None:
    if wanted.no_cache:
        return Reason.REQUEST_NO_CACHE
    # A reload says max-age=0 and means «ask», even for what has just been stored.
    too_old = wanted.max_age is not None and (wanted.max_age == 0 or int(stored.freshness.age(now)) > wanted.max_age)
    immutable = stored.control.immutable and stored.freshness.is_fresh(now)  # RFC 8246 §2
    if too_old and not immutable:
        return Reason.REQUEST_MAX_AGE
    if wanted.min_fresh is not None and stored.freshness.ttl(now) < wanted.min_fresh:
        return Reason.REQUEST_MIN_FRESH
    return None


def _judge_stale(request: Request, wanted: Directives, stored: StoredResponse, rules: Rules, now: float) -> Lookup:
    fresh, control = stored.freshness, stored.control
    may_be_stale = not (control.forbids_stale or control.s_maxage is not None)  # RFC 9111 §5.2.2.10
    if wanted.max_stale is not None and may_be_stale and -fresh.ttl(now) <= wanted.max_stale:
        return Hit(Reason.REQUEST_MAX_STALE, stored)
    if wanted.max_age is not None:  # without max-stale the client takes nothing stale (RFC 9111 §5.2.1.1)
        return _validate(Reason.REQUEST_MAX_AGE, Fwd.REQUEST, request, stored, rules)
    if rules.pragma_validates_stale and _pragma_no_cache(request):
        return _validate(Reason.REQUEST_PRAGMA, Fwd.REQUEST, request, stored, rules)
    return _serve_stale(request, stored, rules, now) or _validate(Reason.EXPIRED, Fwd.STALE, request, stored, rules)


def _judge_purged(request: Request, stored: StoredResponse, rules: Rules, now: float) -> Lookup:
    """A purge has made it stale, and its maker accepts that it is served once more: unless it said itself that it must
    not be, or is a part, which is not refreshed."""
    if stored.control.forbids_stale or stored.first_byte is not None:
        return _validate(Reason.INVALIDATED, Fwd.STALE, request, stored, rules)
    return Hit(Reason.STALE_PURGED, stored, None if now < stored.held_until else refresh(request, stored, rules))


def _serve_stale(request: Request, stored: StoredResponse, rules: Rules, now: float) -> Hit | None:
    """Inside its windows the whole is served stale, and refreshed; a part is not: to refresh it would be to fetch the
    whole for nobody. stale-while-revalidate is said by name, s-maxage forbids stale by implication: the name wins.
    """
    fresh = stored.freshness
    revalidating = fresh.within(fresh.stale_while_revalidate, now) and stored.first_byte is None
    if now < stored.held_until and (revalidating or fresh.within(fresh.stale_if_error, now)):
        return Hit(Reason.STALE_ERROR, stored)
    return Hit(Reason.STALE_WHILE_REVALIDATE, stored, refresh(request, stored, rules)) if revalidating else None


def refresh(request: Request, stored: StoredResponse, rules: Rules) -> Forward:
    """The background fetch that renews a stored response, on behalf of nobody in particular."""
    cleaned = conditional(impersonal(request, stored, rules), stored, rules)
    return Forward(Reason.STALE_WHILE_REVALIDATE, Fwd.STALE, cleaned, stored, shareable=True, background=True)


def _validate(reason: Reason, fwd: Fwd, request: Request, stored: StoredResponse, rules: Rules) -> Forward:
    """The whole is validated, also for a Range of it; a stored part is fetched anew: it is not worth a condition."""
    if stored.first_byte is not None:
        return Forward(reason, fwd, request)
    return Forward(reason, fwd, conditional(request, stored, rules), stored, shareable=request.method == "GET")
