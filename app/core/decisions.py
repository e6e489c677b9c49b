"""What the core decides: closed unions, each member carrying everything the next step needs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from app.core.directives import Directives
from app.core.freshness import Freshness
from app.core.key import Selecting
from app.core.messages import Request, Response, unpacked
from app.core.purging import Mode, Purge
from app.core.reasons import Reason


class Fwd(StrEnum):
    """Why a request went to the origin, in the words of RFC 9211 §2.2."""

    BYPASS = "bypass"
    METHOD = "method"
    URI_MISS = "uri-miss"
    VARY_MISS = "vary-miss"
    REQUEST = "request"
    STALE = "stale"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A stored response (RFC 9111 §2): its head and what a lookup needs. The store alone knows what `body` is.

    `head` are its fields, packed: there may be a million of them, and few are read at a time. `size` is the stored
    body's length in bytes. `first_byte` and `complete_length` are set for a stored part (206). `fetched_under` is the
    number of the last purge when its request was sent, `number` counts answers in the order in which their heads came:
    time cannot tell, for the clock may be moved. After a failed refresh `failures` counts, and no other refresh is
    tried before `held_until` (HTTP time). `tags` are those by which it may be purged; `purge` is the one that hit it,
    which the store says when it finds it. `deployment`: to which it belongs; None where it outlives them.
    `prerendered`: it was warmed, and nobody has visited it since.
    """

    key: str
    selecting: Selecting
    status: int
    head: bytes
    control: Directives
    freshness: Freshness
    body: Any = b""
    size: int = 0
    first_byte: int | None = None
    complete_length: int | None = None
    requested_range: str | None = None
    fetched_under: int = 0
    number: int = 0
    stored_at: float = 0.0
    failures: int = 0
    held_until: float = 0.0
    tags: tuple[str, ...] = ()
    deployment: str | None = None
    prerendered: bool = False
    purge: Purge | None = None

    @property
    def response(self) -> Response:
        """The head, unpacked anew each time: ask once."""
        return Response(self.status, unpacked(self.head))

    @property
    def variant(self) -> tuple[Selecting, str | None, str | None]:
        """What tells it from the other responses under its key."""
        return self.selecting, self.requested_range, self.deployment

    def purged(self, purge: Purge | None) -> StoredResponse:
        """The same, as that purge left it."""
        if purge is self.purge:
            return self
        # What dataclasses.replace does, for a third of the time: a purge may have hit a hundred thousand.
        return StoredResponse(*[getattr(self, name) for name in _BEFORE_PURGE] + [purge])

    def purged_as(self, now: float) -> Mode | None:
        """How a purge wants it treated now."""
        return None if self.purge is None else self.purge.mode_at(now)


_BEFORE_PURGE = tuple(field.name for field in fields(StoredResponse) if field.name != "purge")


@dataclass(frozen=True, slots=True)
class Forward:
    """The origin is asked: `request` as it shall be sent, to validate `stored` if there is one.

    `shareable`: the answer may serve others who wait for the same key.
    """

    reason: Reason
    fwd: Fwd
    request: Request
    stored: StoredResponse | None = None
    shareable: bool = False
    background: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """The stored response answers; `refresh` says what to fetch in the background, if anything."""

    reason: Reason
    stored: StoredResponse
    refresh: Forward | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nobody is asked: a status is all there is."""

    reason: Reason
    status: int


Lookup = Hit | Forward | Refuse


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as it was sent and the response that came, with the directives that govern it and both times.

    `proxy_error` is set when there was no response, and `response` is the one we made instead (RFC 9209 §2.3).
    `deployment`: whose response it is, where deployments are told apart.
    """

    request: Request
    response: Response
    control: Directives
    request_time: float
    response_time: float
    proxy_error: str | None = None
    fetched_under: int = 0
    number: int = 0
    deployment: str | None = None


@dataclass(frozen=True, slots=True)
class Save:
    """Store it, and answer with it."""

    stored: StoredResponse


@dataclass(frozen=True, slots=True)
class Freshen:
    """The stored response was confirmed: keep it with its new head, and answer with it (RFC 9111 §4.3.4)."""

    stored: StoredResponse


@dataclass(frozen=True, slots=True)
class Reuse:
    """The stored response was confirmed and answers the one who asked, but with its new fields it may not be kept."""

    reason: Reason
    stored: StoredResponse
    forget: StoredResponse | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """Answer the one who asked, share it with nobody. `forget`: what is stored is no longer the origin's answer."""

    reason: Reason
    response: Response
    forget: StoredResponse | None = None


@dataclass(frozen=True, slots=True)
class ServeStale:
    """The origin failed: the stored response answers, and carries the memory of the failure."""

    reason: Reason
    stored: StoredResponse


WithoutBody = Freshen | Reuse | Pass | ServeStale
Outcome = Save | WithoutBody


class Result(StrEnum):
    """The verdict in one word, the same for every dialect; what each calls it is the dialect's data."""

    HIT = "hit"
    STALE = "stale"
    MISS = "miss"
    EXPIRED = "expired"
    RENEWED = "renewed"  # was stored, and fetched anew because the client or a purge wanted it so
    REVALIDATED = "revalidated"
    NOSTORE = "nostore"  # the response may not be stored
    PASS = "pass"  # the request does not meet the cache
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one request was answered: what Cache-Status, the log line, the counters and `swerve why` render.

    `ttl` and `age` in whole seconds of the stored response that answered or was just stored; `fwd_status` the status
    the origin answered with; `stale_for` how long its stale-while-revalidate window is; `number` counts the origin's
    answers: that which came now, or that which is stored; `filled_at` is the HTTP time at which it came.
    """

    result: Result
    reason: Reason
    key: str
    fwd: Fwd | None = None
    fwd_status: int | None = None
    stored: bool = False
    collapsed: bool = False
    ttl: int | None = None
    age: int | None = None
    stale_for: int | None = None
    source: str | None = None
    proxy_error: str | None = None
    number: int = 0
    filled_at: float = 0.0
