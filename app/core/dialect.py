"""A dialect as data: which fields a CDN reads and hides, and in which words it reports (RFC 9211 for Cache-Status)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from app.core.client_lifetime import ClientLifetime, lifetime_lines
from app.core.decisions import Result, Verdict
from app.core.directives import without_directives
from app.core.fields import split_list
from app.core.messages import Headers, Request, Response, encoded_names
from app.core.remembered import remembered
from app.core.rules import Rules
from app.core.speech import LATE, About, Beside, Environment, SpokenField, Trigger, joined


class NoteKind(StrEnum):
    """What a note says of a dialect as a whole, or of something that it lacks."""

    NOT_EMULATED = "not-emulated"
    UNCONFIRMED = "unconfirmed"  # no primary source was seen
    CHOICE = "choice"  # where the CDN leaves it open, or several settings are usual


@dataclass(frozen=True, slots=True)
class Note:
    """What a dialect does not do, or does without being sure. `source`: where the fact was read, and when."""

    kind: NoteKind
    what: str
    why: str
    source: str


class ClientCacheControl(StrEnum):
    """What becomes of Cache-Control on its way to the client."""

    UNCHANGED = "unchanged"
    STRIP_SHARED = "strip-shared"  # what only this cache needed is taken out, unless a targeted field governed


# What STRIP_SHARED takes out: directives for shared caches (vercel.com/docs/caching/cache-control-headers, 2026-09).
SHARED_DIRECTIVES = frozenset({"s-maxage", "stale-while-revalidate", "stale-if-error"})


@dataclass(frozen=True, slots=True)
class IdentityField:
    """A field that names this request: `template` may use {region}, {node}, {millis} and {random}."""

    name: str
    template: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class ErrorField:
    """A field with the CDN's own code for an error: by RFC 9209 error type or by reason; `otherwise` for the rest."""

    name: str
    codes: Mapping[str, str]
    otherwise: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """One CDN's speech and behaviour. `as_of` and `sources` say when and where each was read, `about` what it is.

    The client sees `hidden` fields only if its request pulls one of `hidden_unless`. `passed_from_requests`: the only
    fields of a client's that go on to the origin, beside what HTTP needs; `vary_shown`: those that its clients see in
    Vary. None: any.
    """

    name: str
    as_of: str
    sources: tuple[str, ...] = ()
    rules: Rules = field(default_factory=Rules)
    region: str = ""
    cache_status: str | None = "swerve"
    fields: tuple[SpokenField, ...] = ()
    identity: IdentityField | None = None
    error: ErrorField | None = None
    server: str | None = None
    via: str | None = None
    hidden: frozenset[str] = frozenset()
    hidden_unless: tuple[Trigger, ...] = ()
    stripped_from_requests: frozenset[str] = frozenset()
    announced: tuple[tuple[str, str], ...] = ()
    confined: tuple[tuple[str, str], ...] = ()
    client_cache_control: ClientCacheControl = ClientCacheControl.UNCHANGED
    default_cache_control: str | None = None
    client_lifetime: ClientLifetime | None = None
    age_on_miss: bool = False
    passed_from_requests: frozenset[str] | None = None
    vary_shown: frozenset[str] | None = None
    about: str = ""
    notes: tuple[Note, ...] = ()

    def within(self, environment: Environment) -> Dialect:
        """The same, without what it says elsewhere only."""
        return replace(self, fields=tuple(one for one in self.fields if one.environment in (None, environment)))

    @property
    def has_late_slots(self) -> bool:
        """Whether something in its speech is known only when a response leaves."""
        late = any(f"{{{name}" in text for field in self.fields for text in field.templates for name in LATE)
        return late or self.identity is not None or self.client_lifetime is not None


def speak(dialect: Dialect, about: About) -> Response:
    """The head as this CDN's client would see it, with late slots in it."""
    response, verdict = about.response, about.verdict
    headers, hidden = response.headers, hidden_from(dialect, about.request)
    gone = encoded_names(hidden)
    spoken = [(field, value) for field in dialect.fields if (value := field.said(about)) is not None]
    lines = [
        (field.name, joined(field, value, headers.lines(field.name) if field.keeps_theirs or verdict.fwd else []))
        for field, value in spoken
        if field.beside is not Beside.LINE
    ]
    if dialect.identity is not None and about.request.identity:
        lines.append((dialect.identity.name, f"{LATE['identity']}"))
    if dialect.server is not None:
        lines.append(("server", dialect.server))
    if dialect.age_on_miss and ("age" not in headers or "age" in hidden):
        lines.append(("age", "0"))
    if dialect.error is not None and verdict.result is Result.ERROR:
        lines.append((dialect.error.name, error_code(dialect.error, verdict)))
    caching = [*_for_client(dialect, response, verdict), *_shown_vary(dialect, headers)]
    gone |= encoded_names(frozenset(name for name, value in caching if not value))
    lines += [line for line in caching if line[1]]
    rewritten = headers.rewritten(gone, Headers.of(*lines))
    below = [(field.name, value) for field, value in spoken if field.beside is Beside.LINE]
    return response.with_headers(rewritten.adding(*below, *_passed_on(dialect, response, verdict)))


def _for_client(dialect: Dialect, response: Response, verdict: Verdict) -> list[tuple[str, str]]:
    """What becomes of Cache-Control and Expires on their way to the client; an empty value where nothing is left."""
    headers, control = response.headers, client_cache_control(dialect, response.headers)
    if dialect.client_lifetime is not None and verdict.ttl is not None:
        value = headers.get("cache-control") or "" if control is None else control
        governing = dialect.rules.directives(headers, response.status)
        lines = lifetime_lines(dialect.client_lifetime, value, headers, governing, verdict.ttl)
        if lines:
            return lines
    return [] if control is None else [("cache-control", control)]


def hidden_from(dialect: Dialect, request: Request) -> frozenset[str]:
    """The fields that whoever sent this request does not see."""
    shown = any(trigger.pulled_by(request.headers) for trigger in dialect.hidden_unless)
    return frozenset() if shown else dialect.hidden


def _shown_vary(dialect: Dialect, headers: Headers) -> list[tuple[str, str]]:
    """What is left of Vary for the client; an empty value where nothing is."""
    if dialect.vary_shown is None or "vary" not in headers:
        return []
    names = split_list(headers.get("vary") or "")
    return [("vary", ", ".join(name for name in names if name.lower() in dialect.vary_shown))]


def _passed_on(dialect: Dialect, response: Response, verdict: Verdict) -> list[tuple[str, str]]:
    """Our members of the fields to which everybody on the way adds one."""
    lines = [] if dialect.via is None else [("via", f"1.1 {dialect.via}")]
    # RFC 9211 §2: errors that were made here are no cache's answer, so no member speaks of them.
    if dialect.cache_status is not None and verdict.result is not Result.ERROR:
        lines.append(("cache-status", cache_status(dialect.cache_status, verdict, response.status)))
    return lines


def error_code(error: ErrorField, verdict: Verdict) -> str:
    return error.codes.get(verdict.proxy_error or verdict.reason, error.otherwise)


def client_cache_control(dialect: Dialect, headers: Headers) -> str | None:
    """The Cache-Control that the client gets instead of the origin's, "" for none; None where it stays as it is."""
    lines = headers.lines("cache-control")
    if not lines:
        return dialect.default_cache_control
    if dialect.client_cache_control is ClientCacheControl.UNCHANGED:
        return None
    targeted = [governing for governing in dialect.rules.governing if governing.field in headers]
    if targeted or "private" in ", ".join(lines).lower():
        return None
    return ", ".join(filter(None, map(_for_browsers, lines))) or dialect.default_cache_control or ""


@remembered
def _for_browsers(cache_control: str) -> str:
    return without_directives(cache_control, SHARED_DIRECTIVES)


def cache_status(cache: str, verdict: Verdict, status: int) -> str:
    """This cache's member of Cache-Status (RFC 9211 §2)."""
    parts = [cache]
    if verdict.fwd is None:
        parts.append("hit")
    else:
        parts.append(f"fwd={verdict.fwd}")
        if verdict.fwd_status is not None and verdict.fwd_status != status:
            parts.append(f"fwd-status={verdict.fwd_status}")
        if verdict.stored:
            parts.append("stored")
        if verdict.collapsed:
            parts.append("collapsed")
    if verdict.ttl is not None:
        parts.append(f"ttl={verdict.ttl}")
    escaped = verdict.key.replace("\\", "\\\\").replace('"', '\\"')
    if escaped.isascii() and escaped.isprintable():
        parts.append(f'key="{escaped}"')
    return "; ".join([*parts, f"detail={verdict.reason}"])
