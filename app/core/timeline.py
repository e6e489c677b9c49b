"""A stored response for people: what selects it, what governs it, and its life in seconds from now."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.decisions import StoredResponse
from app.core.directives import Directives
from app.core.governing import Decides
from app.core.messages import Headers
from app.core.rules import LifetimeSource, Rules

# Fields whose values are credentials: they may be in a key or select a variant, and are never shown.
SECRET = frozenset({"authorization", "proxy-authorization", "cookie"})
HIDDEN = "(hidden)"
# Also what gateways say of who asks. The last three: a field of such a name may carry an operator's token for previews.
_TELLING = re.compile(
    r"auth|token|key|session|secret|password|cookie|(^|-)sid($|-)|jwt|assertion|oidc|principal|(remote|forwarded|x)-user|email"
    r"|client-cert|(^|-)otp($|-)|csrf|xsrf|bypass|preview|revalidate"
)


def is_secret(name: str) -> bool:
    """Whether the value of a field is a credential, or sounds like one."""
    return name in SECRET or _TELLING.search(name) is not None


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment: seconds since the epoch, and seconds from now (negative: it has passed)."""

    at: float
    from_now: float

    @classmethod
    def after(cls, now: float, seconds: float) -> Mark:
        return cls(round(now + seconds, 3), round(seconds, 3))


@dataclass(frozen=True, slots=True)
class Timeline:
    """The life of a stored response. A window that does not exist has no end; `held_until`: no refresh before it."""

    now: float
    stored: Mark
    fresh_until: Mark
    stale_while_revalidate_until: Mark | None
    stale_if_error_until: Mark | None
    held_until: Mark | None


@dataclass(frozen=True, slots=True)
class Field:
    """A request field that is part of a key or selects a variant; None: the request had none."""

    name: str
    value: str | None

    @classmethod
    def shown(cls, name: str, value: str | None) -> Field:
        return cls(name, HIDDEN if value is not None and is_secret(name) else value)


@dataclass(frozen=True, slots=True)
class Governance:
    """The field that governed, and the others that could have: `unread` went before it and could not be read, and
    `beside` it others decide what it does not."""

    field: str
    value: str | None
    absent: tuple[str, ...]
    unread: tuple[str, ...]
    overruled: tuple[str, ...]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """One stored response under the key. Durations in seconds; `lifetime_from` is None when nothing gave a lifetime."""

    selected: bool
    selecting: tuple[Field, ...]
    status: int
    age: float
    size: int
    governance: Governance
    lifetime: float
    lifetime_from: LifetimeSource | None
    stale_while_revalidate: float
    stale_if_error: float
    etag: str | None
    last_modified: str | None
    requested_range: str | None
    flags: tuple[str, ...]
    failures: int
    timeline: Timeline


def variant(stored: StoredResponse, rules: Rules, now: float, *, selected: bool) -> Variant:
    fresh, headers = stored.freshness, stored.response.headers
    return Variant(
        selected=selected,
        selecting=tuple(Field.shown(name, value) for name, value in stored.selecting),
        status=stored.status,
        age=round(fresh.age(now), 3),
        size=stored.size,
        governance=governance(headers, stored.control, rules),
        lifetime=fresh.lifetime,
        lifetime_from=fresh.source,
        stale_while_revalidate=fresh.stale_while_revalidate,
        stale_if_error=fresh.stale_if_error,
        etag=headers.get("etag"),
        last_modified=headers.get("last-modified"),
        requested_range=stored.requested_range,
        flags=tuple(name for name, is_set in _flags(stored) if is_set),
        failures=stored.failures,
        timeline=timeline(stored, now),
    )


def _flags(stored: StoredResponse) -> tuple[tuple[str, bool], ...]:
    control = stored.control
    return (
        (f"purged: {_purged(stored)}", stored.purge is not None),
        ("no-cache", control.no_cache),
        ("must-revalidate", control.must_revalidate),
        ("proxy-revalidate", control.proxy_revalidate),
        ("immutable", control.immutable),
        ("part", stored.first_byte is not None),
    )


def _purged(stored: StoredResponse) -> str:
    return "" if stored.purge is None else f"{stored.purge.mode} {stored.purge.selector.words}"


def timeline(stored: StoredResponse, now: float) -> Timeline:
    fresh = stored.freshness
    left = fresh.ttl(now)
    revalidate, on_error = fresh.stale_while_revalidate, fresh.stale_if_error
    return Timeline(
        now=round(now, 3),
        stored=Mark.after(now, stored.stored_at - now),
        fresh_until=Mark.after(now, left),
        stale_while_revalidate_until=Mark.after(now, left + revalidate) if revalidate else None,
        stale_if_error_until=Mark.after(now, left + on_error) if on_error else None,
        held_until=Mark.after(now, stored.held_until - now) if stored.held_until else None,
    )


def governance(headers: Headers, control: Directives, rules: Rules) -> Governance:
    """Which of the fields that may govern did, and what became of the others (RFC 9213 §2.2)."""
    in_part = {one.field for one in rules.governing if one.decides is not Decides.ALL}
    order = [*(governing.field for governing in rules.governing), "cache-control"]
    place = order.index(control.source)
    before, after = ([name for name in names if name in headers] for names in (order[:place], order[place + 1 :]))
    shared = {"cache-control"} if control.source in in_part else set()
    return Governance(
        field=control.source,
        value=headers.get(control.source),
        absent=tuple(name for name in order if name not in headers and name != control.source),
        unread=tuple(name for name in before if name not in in_part),
        overruled=tuple(name for name in after if name not in shared),
        beside=tuple([*(name for name in before if name in in_part), *(name for name in after if name in shared)]),
    )
