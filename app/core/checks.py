"""Every rule of the path, ticked or crossed: the same tables as the path's, read to their end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.decisions import Exchange, Hit, StoredResponse
from app.core.directives import directive_name
from app.core.fields import spelled, split_list
from app.core.messages import Headers, Request
from app.core.reasons import MEANINGS, Phase, Reason
from app.core.refusing import REFUSED
from app.core.reuse import INELIGIBLE, bypassing_cookies, decide
from app.core.routing import Ruling
from app.core.rules import RequestDirectives, Rules
from app.core.storing import FORBIDDEN


@dataclass(frozen=True, slots=True)
class Judgement:
    """A reason in full."""

    reason: Reason
    phase: Phase
    meaning: str
    section: str
    advice: str

    @classmethod
    def of(cls, reason: Reason) -> Judgement:
        known = MEANINGS[reason]
        return cls(reason, known.phase, known.meaning, known.section, known.advice)


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: `ok` when it stands in nobody's way; `found` is what it looked at, in words."""

    reason: Reason
    ok: bool
    meaning: str
    section: str
    found: str

    @classmethod
    def of(cls, reason: Reason, ok: bool, found: str) -> Check:
        return cls(reason, ok, MEANINGS[reason].meaning, MEANINGS[reason].section, found)


# What a client may ask of caches: the reasons that speak of it, and the directive (or the field Pragma) it is asked by.
DIRECTIVES: tuple[tuple[tuple[Reason, ...], str], ...] = (
    ((Reason.REQUEST_NO_STORE,), "no-store"),
    ((Reason.REQUEST_NO_CACHE,), "no-cache"),
    ((Reason.REQUEST_MAX_AGE,), "max-age"),
    ((Reason.REQUEST_MIN_FRESH,), "min-fresh"),
    ((Reason.REQUEST_MAX_STALE,), "max-stale"),
    ((Reason.ONLY_IF_CACHED,), "only-if-cached"),
    ((Reason.REQUEST_PRAGMA, Reason.REQUEST_NO_CACHE), "pragma"),
)


def refusal_checks(request: Request, node: str, ruling: Ruling) -> tuple[Check, ...]:
    """What no origin is asked for: every row of REFUSED, and paths that a route says are none."""
    found = {
        Reason.BAD_HOST: request.authority,
        Reason.TARGET_TOO_LONG: f"{len(request.target)} bytes",
        Reason.HEAD_TOO_LARGE: f"{request.headers.size} bytes",
        Reason.METHOD_REFUSED: request.method,
        Reason.BAD_TARGET: request.target[:80],
        Reason.LOOP: described(request.headers, "cdn-loop", ""),
        Reason.MAX_FORWARDS: described(request.headers, "max-forwards", ""),
    }
    rows = [Check.of(reason, not fires(request, node), found[reason]) for reason, _, fires in REFUSED]
    return (*rows, Check.of(Reason.UNKNOWN_PATH, not ruling.is_unknown(request), request.path))


def request_checks(request: Request, stored: Sequence[StoredResponse], rules: Rules, now: float) -> tuple[Check, ...]:
    """What refuses at request time: every row of INELIGIBLE, then each directive as if it were the only one."""
    rows = [
        Check.of(reason, not fires(request, rules), _asked(reason, request, rules)) for reason, _, fires in INELIGIBLE
    ]
    for reasons, directive in DIRECTIVES:
        alone, sent = _only(request, directive)
        lookup = decide(alone, stored, rules, now)
        unasked = rules.request_directives is RequestDirectives.IGNORE or directive in rules.ignored_request_directives
        ignored = unasked and lookup.reason not in reasons
        found = f"{sent} (ignored by this dialect)" if sent and ignored else sent
        rows.append(Check.of(reasons[0], lookup.reason not in reasons or isinstance(lookup, Hit), found))
    return tuple(rows)


def _only(request: Request, directive: str) -> tuple[Request, str]:
    """The request with this one directive left of what it asks of caches, and how it was written; "" if it was not."""
    lines = request.headers.lines("cache-control")
    if directive == "pragma":
        kept = request.headers.without({"cache-control"})
        # Pragma says nothing beside Cache-Control (RFC 9111 §5.4): an empty one stands for it.
        headers = kept.adding(("cache-control", "")) if lines else kept
        return request.with_headers(headers), described(kept, "pragma", "")
    members = [member for member in split_list(", ".join(lines)) if directive_name(member) == directive]
    headers = request.headers.without({"cache-control", "pragma"})
    if not members:
        return request.with_headers(headers), ""
    said = ", ".join(members)
    return request.with_headers(headers.adding(("cache-control", said))), f"Cache-Control: {said}"


def _asked(reason: Reason, request: Request, rules: Rules) -> str:
    """What a row of INELIGIBLE looked at. Credentials are named, never shown."""
    if reason is Reason.METHOD:
        return request.method
    if reason is Reason.REQUEST_AUTHORIZATION:
        return "Authorization" if "authorization" in request.headers else ""
    if reason is Reason.REQUEST_COOKIE:
        named = ", ".join(sorted(bypassing_cookies(request, rules)))
        return named or ("Cookie" if "cookie" in request.headers else "")
    if reason in (Reason.REQUEST_EXTENSION, Reason.DYNAMIC_ROUTE):
        return request.path
    if reason is Reason.REQUEST_FIELD:
        return ", ".join(name for name in rules.bypass_fields if name in request.headers)
    names = ("range",) if reason is Reason.REQUEST_RANGE else ("transfer-encoding", "content-length")
    return ", ".join(described(request.headers, name) for name in names if name in request.headers)


def response_checks(exchange: Exchange, rules: Rules) -> tuple[Check, ...]:
    """What refuses at response time: every row of FORBIDDEN."""
    return tuple(
        Check.of(reason, not fires(exchange, rules), EVIDENCE[reason](exchange)) for reason, fires in FORBIDDEN
    )


def described(headers: Headers, name: str, absent: str | None = None) -> str:
    """A field as it would be written, or `absent` (or «no Name») where it is not there."""
    value = headers.get(name)
    if value is None:
        return f"no {spelled(name)}" if absent is None else absent
    return f"{spelled(name)}: {value}"


def cookie_names(headers: Headers) -> str:
    """The names of the cookies that are set; their values are nobody's business."""
    return ", ".join(line.partition(";")[0].partition("=")[0].strip() for line in headers.lines("set-cookie"))


def _governing(exchange: Exchange) -> str:
    return described(exchange.response.headers, exchange.control.source)


def _field(name: str) -> Callable[[Exchange], str]:
    return lambda exchange: described(exchange.response.headers, name, "")


def _with_authorization(exchange: Exchange) -> str:
    return f"Authorization, and {_governing(exchange)}" if "authorization" in exchange.request.headers else ""


def _set_cookie(exchange: Exchange) -> str:
    names = cookie_names(exchange.response.headers)
    return f"Set-Cookie: {names}" if names else ""


# What each row of FORBIDDEN looks at, in words.
EVIDENCE: dict[Reason, Callable[[Exchange], str]] = {
    Reason.METHOD: lambda exchange: exchange.request.method,
    Reason.HEAD: lambda exchange: exchange.request.method,
    Reason.NOT_MODIFIED: lambda exchange: f"status {exchange.response.status}",
    Reason.REQUEST_NO_STORE: lambda exchange: described(exchange.request.headers, "cache-control", ""),
    Reason.NO_STORE: _governing,
    Reason.PRIVATE: _governing,
    Reason.NO_CACHE: _governing,
    Reason.SET_COOKIE: _set_cookie,
    Reason.AUTHORIZATION: _with_authorization,
    Reason.VARY_STAR: _field("vary"),
    Reason.VARY_DENIED: _field("vary"),
    Reason.MUST_UNDERSTAND: _governing,
    Reason.STATUS: lambda exchange: f"status {exchange.response.status}",
    Reason.PARTIAL_CONTENT: _field("content-range"),
    Reason.EVENT_STREAM: _field("content-type"),
    Reason.WRONG_VARIANT: _field("content-type"),
    Reason.NO_LOCATION: lambda exchange: f"status {exchange.response.status}",
    Reason.NO_LIFETIME: _governing,
    Reason.TOO_LARGE: _field("content-length"),
}
