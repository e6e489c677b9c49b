"""Rules: what the dialect and the operator chose. Closed sets and numbers, each read in one place of the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from app.core.directives import Directives
from app.core.governing import Governing, Syntax, governing_directives
from app.core.messages import Headers
from app.core.preview import Preview
from app.core.tags import TagField


class LifetimeSource(StrEnum):
    """Where a freshness lifetime may come from, in the order in which a dialect asks (RFC 9111 §4.2.1)."""

    S_MAXAGE = "s-maxage"
    MAX_AGE = "max-age"
    EXPIRES = "expires"
    HEURISTIC = "heuristic"
    DEFAULT = "default"  # what the dialect gives to responses that say nothing
    ROUTE = "route"  # what a route gives, whatever the response says


class SetCookie(StrEnum):
    """What becomes of a response with Set-Cookie."""

    REFUSE = "refuse"  # never stored: nobody gets another's cookie
    STORE = "store"  # as RFC 9111 §7.3 leaves it: stored like any field
    STRIP_STORED = "strip-stored"  # stored without it; only who asked gets it
    STRIP = "strip"  # taken out of what may be stored before anybody gets it


class RequestDirectives(StrEnum):
    """Whether a client's Cache-Control (and Pragma) decides (RFC 9111 §5.2.1)."""

    OBEY = "obey"
    IGNORE = "ignore"


class Authorization(StrEnum):
    """Whether a request with Authorization may meet the cache (RFC 9111 §3.5)."""

    RFC = "rfc"  # stored when public, s-maxage or must-revalidate allows it
    BYPASS = "bypass"  # never
    IGNORE = "ignore"  # as if it were not there: what one was allowed to see is given to all
    REMOVE = "remove"  # taken off what meets the cache before the origin sees it: what all may see is given to all


class Cookies(StrEnum):
    """Whether a request with cookies may meet the cache."""

    IGNORE = "ignore"  # they select nothing, unless Vary says so
    BYPASS = "bypass"


class VaryRule(StrEnum):
    """Which of the fields that Vary names tell responses apart (RFC 9111 §4.1)."""

    HONOUR = "honour"
    ENCODING = "encoding"  # Accept-Encoding alone
    IGNORE = "ignore"


class Query(StrEnum):
    """What of a query is in the cache key, where no route names parameters."""

    KEEP = "keep"
    SORT = "sort"  # its parameters, in order of their names
    DROP = "drop"  # nothing: the origin's answer to the first query is the answer to every other
    WITHHOLD = "withhold"  # nothing, and the origin sees nothing of it that is not in the key


class SoftPurge(StrEnum):
    """What a purge makes of a response that it does not delete."""

    STALE = "stale"  # stale, and served once more while it is refreshed, whatever its stale windows say
    EXPIRE = "expire"  # what it is when its lifetime has ended: its stale windows open with the purge


class Ranges(StrEnum):
    """What a Range request meets (RFC 9110 §14, RFC 9111 §3.3)."""

    SERVE = "serve"  # answered from what is stored, partial responses are stored too
    CUT = "cut"  # answered from what is stored as a whole; partial responses are not stored
    WHOLE = "whole"  # the same, and where it is not stored the whole is fetched, kept, and the part cut from it
    BYPASS = "bypass"  # sent to the origin as it is


class Head(StrEnum):
    """How a HEAD goes to the origin, where nothing stored answers it."""

    CONVERT = "convert"  # as a GET, whose response is stored: `curl -I` fills the cache like any visitor
    FORWARD = "forward"  # as HEAD, which freshens or spoils what is stored (RFC 9111 §4.3.5)
    BYPASS = "bypass"  # always: only GET meets the cache


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
class RouteRules:
    """What only a route may set: no dialect speaks of single paths. Durations in seconds; None: as without a route.

    `dynamic`: requests never meet the cache. `must_be_static`: one that says it is not for everybody is an error.
    `anonymous`: the origin is asked as nobody in particular. `lifetime` and the windows hold whatever a response says.
    Of the query's parameters those that are kept and not ignored are in the key; a `*` at the end of a name stands for
    any rest.
    """

    dynamic: bool = False
    must_be_static: bool = False
    anonymous: bool = False
    lifetime: int | None = None
    stale_while_revalidate: int | None = None
    stale_if_error: int | None = None
    tags: tuple[str, ...] = ()
    kept_parameters: tuple[str, ...] | None = None
    ignored_parameters: tuple[str, ...] = ()
    key_cookies: tuple[str, ...] = ()


# The field of Rules that neither a dialect nor [rules] may set.
OF_A_ROUTE = "of_route"


@dataclass(frozen=True, slots=True)
class Rules:
    """The defaults are the plain RFC cache. Durations in seconds, sizes in bytes; None: no limit, or any."""

    governing: tuple[Governing, ...] = (Governing("cdn-cache-control", Syntax.STRUCTURED),)
    lifetime_from: tuple[LifetimeSource, ...] = tuple(one for one in LifetimeSource if one is not LifetimeSource.ROUTE)
    statuses: frozenset[int] | None = None
    key_headers: tuple[str, ...] = ("rsc",)
    vary: VaryRule = VaryRule.HONOUR
    vary_star: bool = True
    vary_denied: frozenset[str] = frozenset()
    query: Query = Query.KEEP
    extensions: frozenset[str] | None = None
    set_cookie: SetCookie = SetCookie.REFUSE
    cookies: Cookies = Cookies.IGNORE
    authorization: Authorization = Authorization.RFC
    request_directives: RequestDirectives = RequestDirectives.OBEY
    pragma_validates_stale: bool = False
    ranges: Ranges = Ranges.SERVE
    head: Head = Head.FORWARD
    store_post: bool = False
    heuristic_fraction: float = 0.1
    heuristic_max: int = 86_400
    default_lifetimes: Mapping[str, int] = field(default_factory=dict)
    least_lifetimes: Mapping[str, int] = field(default_factory=dict)
    max_lifetime: int | None = None
    ignored_directives: frozenset[str] = frozenset()
    qualified_as_whole: bool = False
    age_counts: bool = True
    valueless_window: int = 60
    stale_while_revalidate_honoured: bool = True
    stale_while_revalidate_barred_by: frozenset[str] = frozenset()
    stale_while_revalidate_covers_errors: bool = False
    default_stale_while_revalidate: int = 0
    default_stale_if_error: int = 0
    stale_if_error_honoured: bool = True
    store_for_validation: bool = True
    validates: bool = True
    invalidates: bool = True
    collapse: bool = True
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
    ignored_request_directives: frozenset[str] = frozenset()
    default_lifetimes_by_type: Mapping[str, int] = field(default_factory=dict)
    default_stale_if_error_barred_by: frozenset[str] = frozenset()
    vary_allowed: frozenset[str] | None = None
    needs_lifetime: bool = False
    stale_if_error_barred_by: frozenset[str] = frozenset()
    makes_last_modified: bool = False
    preview: Preview | None = None
    of_route: RouteRules = RouteRules()
    soft_purge: SoftPurge = SoftPurge.STALE
    store_for_windows: bool = True
    error_statuses: frozenset[int] = ERROR_STATUSES
    forbidden_lifetimes: Mapping[str, int] = field(default_factory=dict)
    retry_after_failure: int | None = None
    refuses_bodies: bool = False

    def directives(self, headers: Headers, status: int) -> Directives:
        """The directives that govern this cache in a response (RFC 9213 §2.2), as far as it obeys them."""
        found = governing_directives(headers, self.governing, self.device)
        if self.qualified_as_whole:
            found = found.unqualified()
        if self.ignored_directives:
            found = found.without(self.ignored_directives)
        if not found.forbids_reuse or (seconds := self.lifetime_for(status, self.forbidden_lifetimes)) is None:
            return found
        return found.allowing_reuse(seconds)

    def with_token(self, token: str) -> Rules:
        """The same, with the operator's token for previews."""
        assert self.preview is not None, "who sets a token has asked whether there is a use for it"
        return replace(self, preview=replace(self.preview, token=token))

    def lifetime_for(self, status: int, lifetimes: Mapping[str, int]) -> int | None:
        """What a table of lifetimes has for a status: by its number, its class (`4xx`), or for all (`*`)."""
        for name in (str(status), f"{status // 100}xx", "*"):
            if name in lifetimes:
                return lifetimes[name]
        return None
