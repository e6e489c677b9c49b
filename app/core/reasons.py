"""The closed set of reasons: one a request, the same value in the header, the log, the counter and `swerve why`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """When a reason arises."""

    REQUEST = "request"  # the request was not eligible, or asked for something else
    LOOKUP = "lookup"  # what is stored decided
    RESPONSE = "response"  # the origin's response decided
    ERROR = "error"  # nobody could answer


class Reason(StrEnum):
    """Why a request was answered as it was. The values are public: tests of other people depend on them."""

    METHOD = "method"
    REQUEST_AUTHORIZATION = "request-authorization"
    REQUEST_RANGE = "request-range"
    REQUEST_BODY = "request-body"
    REQUEST_COOKIE = "request-cookie"
    REQUEST_FIELD = "request-field"
    REQUEST_EXTENSION = "request-extension"
    DYNAMIC_ROUTE = "dynamic-route"
    REQUEST_NO_STORE = "request-no-store"
    REQUEST_NO_CACHE = "request-no-cache"
    REQUEST_PRAGMA = "request-pragma"
    REQUEST_MAX_AGE = "request-max-age"
    REQUEST_MIN_FRESH = "request-min-fresh"
    REQUEST_MAX_STALE = "request-max-stale"
    REQUEST_RENEWAL = "request-renewal"
    ONLY_IF_CACHED = "only-if-cached"
    UPGRADE = "upgrade"
    PURGE = "purge"

    FRESH = "fresh"
    PRERENDERED = "prerendered"
    URI_MISS = "uri-miss"
    VARY_MISS = "vary-miss"
    PARTIAL_MISS = "partial-miss"
    COLLAPSED = "collapsed"
    EXPIRED = "expired"
    STORED_NO_CACHE = "stored-no-cache"
    INVALIDATED = "invalidated"
    DELETED = "deleted"
    STALE_PURGED = "stale-purged"
    STALE_WHILE_REVALIDATE = "stale-while-revalidate"
    STALE_IF_ERROR = "stale-if-error"
    STALE_ERROR = "stale-error"
    VALIDATED = "validated"

    HEAD = "head"
    NO_STORE = "no-store"
    NO_CACHE = "no-cache"
    PRIVATE = "private"
    AUTHORIZATION = "authorization"
    SET_COOKIE = "set-cookie"
    VARY_STAR = "vary-star"
    VARY_DENIED = "vary-denied"
    STATUS = "status"
    MUST_UNDERSTAND = "must-understand"
    PARTIAL_CONTENT = "partial-content"
    NOT_MODIFIED = "not-modified"
    EVENT_STREAM = "event-stream"
    WRONG_VARIANT = "wrong-variant"
    NO_LOCATION = "no-location"
    TOO_LARGE = "too-large"
    NO_LIFETIME = "no-lifetime"

    ORIGIN_UNREACHABLE = "origin-unreachable"
    ORIGIN_TIMEOUT = "origin-timeout"
    ORIGIN_PROTOCOL = "origin-protocol"
    ORIGIN_INCOMPLETE = "origin-incomplete"
    REQUEST_TIMEOUT = "request-timeout"
    INTERNAL = "internal"
    BAD_REQUEST = "bad-request"
    STOPPING = "stopping"
    CLIENT_GONE = "client-gone"
    BAD_HOST = "bad-host"
    TARGET_TOO_LONG = "target-too-long"
    HEAD_TOO_LARGE = "head-too-large"
    METHOD_REFUSED = "method-refused"
    BAD_TARGET = "bad-target"
    MAX_FORWARDS = "max-forwards"
    LOOP = "loop"
    UNKNOWN_PATH = "unknown-path"
    NOT_STATIC = "not-static"
    PURGE_REFUSED = "purge-refused"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason means to a person: when it arises, what happened, where it is written, what to do about it."""

    phase: Phase
    meaning: str
    section: str
    advice: str = ""


MEANINGS: dict[Reason, Meaning] = {
    Reason.METHOD: Meaning(
        Phase.REQUEST, "only GET and HEAD are answered from the store", "RFC 9110 §9.2.3",
        "use GET for what may be cached"),
    Reason.REQUEST_AUTHORIZATION: Meaning(
        Phase.REQUEST, "requests with Authorization never meet this cache", "RFC 9111 §3.5",
        "leave Authorization away on public URLs"),
    Reason.REQUEST_RANGE: Meaning(
        Phase.REQUEST, "requests with Range never meet this cache", "RFC 9110 §14",
        "ask for the whole; the dialect standard cuts parts from it"),
    Reason.REQUEST_BODY: Meaning(
        Phase.REQUEST, "a GET with a body never meets this cache", "RFC 9110 §9.3.1",
        "put what selects the response into the URL"),
    Reason.REQUEST_COOKIE: Meaning(
        Phase.REQUEST, "the client has a cookie for which this cache is bypassed, as in draft mode", "dialect",
        "leave draft mode, or send no cookies to what may be cached"),
    Reason.REQUEST_FIELD: Meaning(
        Phase.REQUEST, "the request has a field for which the cache is bypassed", "dialect"),
    Reason.REQUEST_EXTENSION: Meaning(
        Phase.REQUEST, "the path does not end as those that this cache stores", "dialect",
        "a rule for the path (at the CDN: a cache rule) makes other paths eligible"),
    Reason.DYNAMIC_ROUTE: Meaning(
        Phase.REQUEST, "a route of yours says that this path never meets the cache, or it has dot segments", "route",
        "dynamic = \"auto\" leaves it to what the response says"),
    Reason.REQUEST_NO_STORE: Meaning(
        Phase.REQUEST, "the client sent Cache-Control: no-store", "RFC 9111 §5.2.1.5",
        "DevTools «Disable cache» sends it"),
    Reason.REQUEST_NO_CACHE: Meaning(
        Phase.REQUEST, "the client sent Cache-Control: no-cache", "RFC 9111 §5.2.1.4",
        "DevTools «Disable cache» or a forced reload; most CDNs ignore it: rules.request_directives = \"ignore\""),
    Reason.REQUEST_PRAGMA: Meaning(
        Phase.REQUEST, "the client sent Pragma: no-cache and what is stored is stale", "RFC 9111 §5.4",
        "DevTools «Disable cache» sends it"),
    Reason.REQUEST_MAX_AGE: Meaning(
        Phase.REQUEST, "the client wants a younger response than the stored one", "RFC 9111 §5.2.1.1",
        "a reload sends max-age=0; most CDNs ignore it: rules.request_directives = \"ignore\""),
    Reason.REQUEST_MIN_FRESH: Meaning(
        Phase.REQUEST, "the client wants a response that stays fresh for longer", "RFC 9111 §5.2.1.3"),
    Reason.REQUEST_MAX_STALE: Meaning(
        Phase.REQUEST, "stale, and the client said with max-stale that it may be", "RFC 9111 §5.2.1.2"),
    Reason.REQUEST_RENEWAL: Meaning(
        Phase.REQUEST, "the request shows the token for which a response is made anew at once", "dialect"),
    Reason.ONLY_IF_CACHED: Meaning(
        Phase.REQUEST, "the client wanted a stored response only, and none may be used", "RFC 9111 §5.2.1.7"),
    Reason.UPGRADE: Meaning(Phase.REQUEST, "a WebSocket is tunnelled, never cached", "RFC 9110 §7.8"),
    Reason.PURGE: Meaning(
        Phase.REQUEST, "a purge was carried out here; the origin hears nothing of it", "purge",
        "purge_method = \"off\" passes it on"),
    Reason.FRESH: Meaning(Phase.LOOKUP, "stored and fresh", "RFC 9111 §4.2"),
    Reason.PRERENDERED: Meaning(
        Phase.LOOKUP, "stored and fresh, and nobody has visited it since it was warmed", "RFC 9111 §4.2"),
    Reason.URI_MISS: Meaning(Phase.LOOKUP, "nothing is stored under this key", "RFC 9111 §4"),
    Reason.VARY_MISS: Meaning(
        Phase.LOOKUP, "stored, but for other values of the fields that Vary names", "RFC 9111 §4.1",
        "name fewer request fields in Vary"),
    Reason.PARTIAL_MISS: Meaning(
        Phase.LOOKUP, "only another part of it is stored", "RFC 9111 §3.3",
        "the whole, once fetched, answers every range"),
    Reason.COLLAPSED: Meaning(
        Phase.LOOKUP, "another request was fetching it already; this one waited and shares the answer", "RFC 9111 §4"),
    Reason.EXPIRED: Meaning(
        Phase.LOOKUP, "stored, but its freshness ended and no stale-while-revalidate window is open", "RFC 9111 §4.2.4",
        "stale-while-revalidate lets the next visitor not wait"),
    Reason.STORED_NO_CACHE: Meaning(
        Phase.LOOKUP, "stored with no-cache: every use is validated with the origin", "RFC 9111 §5.2.2.4"),
    Reason.INVALIDATED: Meaning(
        Phase.LOOKUP, "stored, but a later unsafe request or a purge spoiled it", "RFC 9111 §4.4"),
    Reason.DELETED: Meaning(
        Phase.LOOKUP, "was stored, but a purge deleted it", "purge",
        "a purge that invalidates lets the next visitor not wait"),
    Reason.STALE_PURGED: Meaning(
        Phase.LOOKUP, "a purge made it stale; it is refreshed in the background", "purge"),
    Reason.STALE_WHILE_REVALIDATE: Meaning(
        Phase.LOOKUP, "stale, inside its stale-while-revalidate window; refreshed in the background", "RFC 5861 §3"),
    Reason.STALE_IF_ERROR: Meaning(
        Phase.LOOKUP, "stale, inside its stale-if-error window, and the origin failed", "RFC 5861 §4"),
    Reason.STALE_ERROR: Meaning(
        Phase.LOOKUP, "stale; the last refresh failed, the next one waits a little", "RFC 5861 §3",
        "look at the origin: its last answer was an error"),
    Reason.VALIDATED: Meaning(
        Phase.LOOKUP, "the origin answered 304: what is stored is still right", "RFC 9111 §4.3.3"),
    Reason.HEAD: Meaning(
        Phase.RESPONSE, "the answer to HEAD has no body that could be stored", "RFC 9111 §4.3.5",
        "a GET fills the cache"),
    Reason.NO_STORE: Meaning(
        Phase.RESPONSE, "the response says no-store", "RFC 9111 §5.2.2.5",
        "where it may be shared, leave no-store away and say s-maxage=…"),
    Reason.NO_CACHE: Meaning(
        Phase.RESPONSE, "the response says no-cache", "RFC 9111 §5.2.2.4",
        "where it may be shared, leave no-cache away and say s-maxage=…"),
    Reason.PRIVATE: Meaning(
        Phase.RESPONSE, "the response says private", "RFC 9111 §5.2.2.7",
        "where it may be shared, leave private away and say s-maxage=…"),
    Reason.AUTHORIZATION: Meaning(
        Phase.RESPONSE, "the request had Authorization and the response does not allow to share it", "RFC 9111 §3.5",
        "public, s-maxage or must-revalidate would allow it"),
    Reason.SET_COOKIE: Meaning(
        Phase.RESPONSE, "the response sets a cookie: it is for one client", "RFC 9111 §7.3",
        "set cookies on another URL, or not on cacheable ones"),
    Reason.VARY_STAR: Meaning(
        Phase.RESPONSE, "Vary: * matches no other request", "RFC 9111 §4.1", "name the request fields that matter"),
    Reason.VARY_DENIED: Meaning(
        Phase.RESPONSE, "Vary names a request field that is almost different for every client", "dialect",
        "drop it from Vary, or say private"),
    Reason.STATUS: Meaning(Phase.RESPONSE, "this status is not stored by this dialect", "dialect",
        "rules.statuses lists those that are"),
    Reason.MUST_UNDERSTAND: Meaning(
        Phase.RESPONSE, "must-understand with a status whose rules this cache does not know", "RFC 9111 §5.2.2.3"),
    Reason.PARTIAL_CONTENT: Meaning(
        Phase.RESPONSE, "a part of the response that cannot be stored alone", "RFC 9111 §3.3"),
    Reason.NOT_MODIFIED: Meaning(
        Phase.RESPONSE, "a 304 answers the client's own condition; there is nothing to store", "RFC 9111 §4.3.3"),
    Reason.EVENT_STREAM: Meaning(
        Phase.RESPONSE, "an event stream never ends, so it is never stored", "HTML Standard §9.2"),
    Reason.WRONG_VARIANT: Meaning(
        Phase.RESPONSE, "the response is of a type that this request did not ask for", "dialect",
        "the origin, or a cache before it, mixes up a page and its data: see CVE-2026-44576"),
    Reason.NO_LOCATION: Meaning(
        Phase.RESPONSE, "a redirect without Location leads nowhere", "dialect",
        "see CVE-2026-44572"),
    Reason.TOO_LARGE: Meaning(
        Phase.RESPONSE, "larger than one stored response may be", "dialect", "raise max_object"),
    Reason.NO_LIFETIME: Meaning(
        Phase.RESPONSE, "nothing that this dialect reads gives it a lifetime in a shared cache", "RFC 9111 §3",
        "say Cache-Control: s-maxage=60, with a comma before whatever follows; browsers' max-age may not count here"),
    Reason.ORIGIN_UNREACHABLE: Meaning(
        Phase.ERROR, "the origin could not be reached", "RFC 9209 §2.3", "is it running, and is its address right?"),
    Reason.ORIGIN_TIMEOUT: Meaning(
        Phase.ERROR, "the origin took too long", "RFC 9209 §2.3", "raise timeout_first_byte, or make it faster"),
    Reason.ORIGIN_PROTOCOL: Meaning(
        Phase.ERROR, "the origin did not speak HTTP", "RFC 9209 §2.3", "is this the port of a web server?"),
    Reason.ORIGIN_INCOMPLETE: Meaning(
        Phase.ERROR, "the origin broke off in the middle of its response", "RFC 9112 §8"),
    Reason.REQUEST_TIMEOUT: Meaning(
        Phase.ERROR, "the client stopped in the middle of its request body", "RFC 9110 §15.5.9"),
    Reason.INTERNAL: Meaning(
        Phase.ERROR, "Swerve itself failed", "RFC 9110 §15.6.1", "its log has the cause: please report it"),
    Reason.BAD_REQUEST: Meaning(
        Phase.ERROR, "the request cannot be sent on as HTTP: its framing or a field is ambiguous", "RFC 9112 §6.3"),
    Reason.STOPPING: Meaning(
        Phase.ERROR, "Swerve was told to stop, and this took longer than that may take", "RFC 9110 §15.6.4",
        "raise drain, or make the origin faster"),
    Reason.CLIENT_GONE: Meaning(
        Phase.ERROR, "the client left before it had its answer", "RFC 9112 §9.6"),
    Reason.BAD_HOST: Meaning(
        Phase.ERROR, "the request has no Host, several, or one that is no host", "RFC 9112 §3.2"),
    Reason.TARGET_TOO_LONG: Meaning(
        Phase.ERROR, "the request's path and query are longer than 16 KiB", "RFC 9110 §15.5.15"),
    Reason.HEAD_TOO_LARGE: Meaning(
        Phase.ERROR, "the request's fields are larger than 64 KiB together", "RFC 6585 §5",
        "often cookies that have piled up"),
    Reason.METHOD_REFUSED: Meaning(
        Phase.ERROR, "CONNECT and TRACE are refused", "RFC 9110 §9.3.6, §9.3.8"),
    Reason.BAD_TARGET: Meaning(
        Phase.ERROR, "the request's target is no path", "RFC 9112 §3.2", "write a path, like /blog"),
    Reason.MAX_FORWARDS: Meaning(
        Phase.ERROR, "Max-Forwards ended the request's way here", "RFC 9110 §7.6.2"),
    Reason.LOOP: Meaning(
        Phase.ERROR, "the request has been through this Swerve before: the origin points back at it", "RFC 8586",
        "the origin's address must not be Swerve's own"),
    Reason.UNKNOWN_PATH: Meaning(
        Phase.ERROR, "a route of yours lists the paths that exist, and this is none of them", "route",
        "add it to only"),
    Reason.NOT_STATIC: Meaning(
        Phase.ERROR, "a route of yours says that this response must be the same for everybody, and it says otherwise",
        "route", "`swerve why` says which rule it breaks; dynamic = \"auto\" lets it pass"),
    Reason.PURGE_REFUSED: Meaning(
        Phase.ERROR, "a purge was not carried out", "purge", "its answer says what to send instead"),
}  # fmt: skip
