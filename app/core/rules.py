"""Rules: what the dialect and the operator chose. Closed sets and numbers, each read in one place of the core."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.directives import Directives, Governing, Syntax, governing_directives
from app.core.messages import Headers
from app.core.tags import TagField


class LifetimeSource(StrEnum):
    """Where a freshness lifetime may come from, in the order in which a dialect asks (RFC 9111 §4.2.1)."""

    S_MAXAGE = "s-maxage"
    MAX_AGE = "max-age"
    EXPIRES = "expires"
    HEURISTIC = "heuristic"


class SetCookie(StrEnum):
    """What becomes of a response with Set-Cookie."""

    REFUSE = "refuse"  # never stored: nobody gets another's cookie
    STORE = "store"  # as RFC 9111 §7.3 leaves it: stored like any field


class RequestDirectives(StrEnum):
    """Whether a client's Cache-Control (and Pragma) decides (RFC 9111 §5.2.1)."""

    OBEY = "obey"
    IGNORE = "ignore"


class Authorization(StrEnum):
    """Whether a request with Authorization may meet the cache (RFC 9111 §3.5)."""

    RFC = "rfc"  # stored when public, s-maxage or must-revalidate allows it
    BYPASS = "bypass"  # never


class Ranges(StrEnum):
    """What a Range request meets (RFC 9110 §14, RFC 9111 §3.3)."""

    SERVE = "serve"  # answered from what is stored, partial responses are stored too
    BYPASS = "bypass"  # sent to the origin as it is


class Head(StrEnum):
    """How a HEAD that finds nothing stored goes to the origin."""

    CONVERT = "convert"  # as a GET, whose response is stored: `curl -I` fills the cache like any visitor
    FORWARD = "forward"  # as HEAD, which freshens or spoils what is stored (RFC 9111 §4.3.5)


@dataclass(frozen=True, slots=True)
class AskedType:
    """A media type that only requests with this field are answered with: elsewhere it is somebody else's variant."""

    media_type: str
    field: str


@dataclass(frozen=True, slots=True)
class StaleMark:
    """A response field by which an origin that is a cache itself says that what it answers is stale."""

    field: str
    value: str


# RFC 9110 §15.1: final statuses that may be cached by a heuristic.
HEURISTIC_STATUSES = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
# The statuses whose caching requirements this code implements (RFC 9111 §3: "understands").
UNDERSTOOD_STATUSES = HEURISTIC_STATUSES | {302, 303, 307, 400, 403, 416, 500, 502, 503, 504}
# RFC 5861 §4: what counts as an error for stale-if-error.
ERROR_STATUSES = frozenset({500, 502, 503, 504})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class Rules:
    """The defaults are the plain RFC cache. Durations in seconds, sizes in bytes; None: no limit, or any."""

    governing: tuple[Governing, ...] = (Governing("cdn-cache-control", Syntax.STRUCTURED),)
    lifetime_from: tuple[LifetimeSource, ...] = tuple(LifetimeSource)
    statuses: frozenset[int] | None = None
    key_headers: tuple[str, ...] = ("rsc",)
    vary_denied: frozenset[str] = frozenset()
    set_cookie: SetCookie = SetCookie.REFUSE
    authorization: Authorization = Authorization.RFC
    request_directives: RequestDirectives = RequestDirectives.OBEY
    pragma_validates_stale: bool = False
    ranges: Ranges = Ranges.SERVE
    head: Head = Head.FORWARD
    store_post: bool = False
    heuristic_fraction: float = 0.1
    heuristic_max: int = 86_400
    max_lifetime: int | None = None
    valueless_window: int = 60
    default_stale_while_revalidate: int = 0
    default_stale_if_error: int = 0
    stale_if_error_honoured: bool = True
    store_for_validation: bool = True
    uncacheable_memory: int = 120
    max_body: int = 10 * 2**20
    bypass_cookies: frozenset[str] = frozenset()
    bypass_fields: tuple[str, ...] = ()
    asked_types: tuple[AskedType, ...] = ()
    stale_marks: tuple[StaleMark, ...] = ()
    redirects_need_location: bool = False
    tags: tuple[TagField, ...] = ()
    outlives_deployments: tuple[str, ...] = ()
    device: str = "swerve"

    def directives(self, headers: Headers) -> Directives:
        """The directives that govern this cache in a response (RFC 9213 §2.2)."""
        return governing_directives(headers, self.governing, self.device)
