"""What is stored, for people: one entry for each stored response, which is one variant under a key."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import blake2b

from app.core.decisions import StoredResponse
from app.core.key import base_of
from app.core.messages import Headers
from app.core.purging import Mode, Purge
from app.core.reuse import as_purged
from app.core.rules import Rules
from app.core.splitting import Key
from app.core.timeline import HIDDEN, Field, Variant, is_secret, variant

# Longer keys are named by a digest, which begins with a sign of its own.
LONGEST_KEY = 1_024
DIGEST = "~"

# Fields whose values hold credentials of the one client who was answered.
_COOKIES = frozenset({"set-cookie", "set-cookie2"})


class EntryState(StrEnum):
    """What a request that selects it would meet; `other-deployment`: nobody, before its deployment is back."""

    FRESH = "fresh"
    STALE = "stale"  # served while it is refreshed
    EXPIRED = "expired"  # not served before the origin has confirmed it
    INVALIDATED = "invalidated"  # purged: served while it is refreshed, or confirmed first, as the rules say
    DELETED = "deleted"  # purged: as if it were not there
    OTHER_DEPLOYMENT = "other-deployment"


@dataclass(frozen=True, slots=True)
class PurgedBy:
    """The purge that hit it: `mode` is invalidate, validate or delete, `selector` the words for what it named. `at` and
    `deadline` are HTTP time."""

    mode: Mode
    selector: str
    at: float
    deadline: float | None


@dataclass(frozen=True, slots=True)
class Entry:
    """`id` names the key, all variants of it, in a URL. Durations in seconds, `size` in bytes of body. `selecting` are
    the request fields that tell it from the other variants of its key."""

    id: str
    key: str
    url: str
    selecting: tuple[Field, ...]
    status: int
    age: float
    ttl: float
    stale_while_revalidate: float
    stale_if_error: float
    size: int
    tags: tuple[str, ...]
    deployment: str | None
    state: EntryState
    purged: PurgedBy | None


@dataclass(frozen=True, slots=True)
class Whole(Entry):
    """The whole story of it: `head` are its fields without the values of cookies, `variant` what governs it and its
    life, as `swerve why` tells it."""

    head: tuple[Field, ...]
    variant: Variant


def entry(stored: StoredResponse, now: float, deployment: str | None) -> Entry:
    """`deployment`: the current one."""
    fresh = stored.freshness
    return Entry(
        id=id_of(stored.key),
        key=Key.shown(stored.key).text,
        url=url_of(stored.key),
        selecting=tuple(Field.shown(name, value) for name, value in stored.selecting),
        status=stored.status,
        age=round(fresh.age(now), 3),
        ttl=round(fresh.ttl(now), 3),
        stale_while_revalidate=fresh.stale_while_revalidate,
        stale_if_error=fresh.stale_if_error,
        size=stored.size,
        tags=tuple(map(readable, stored.tags)),
        deployment=stored.deployment,
        state=state_of(stored, now, deployment),
        purged=None if stored.purge is None else purged_by(stored.purge),
    )


def whole(stored: StoredResponse, now: float, deployment: str | None, rules: Rules) -> Whole:
    stored = as_purged(stored, rules, now)
    listed = entry(stored, now, deployment)
    return Whole(
        **{one.name: getattr(listed, one.name) for one in fields(listed)},
        head=head_of(stored.response.headers, rules),
        variant=variant(stored, rules, now, selected=False),
    )


def state_of(stored: StoredResponse, now: float, deployment: str | None) -> EntryState:
    fresh = stored.freshness
    if stored.deployment not in (None, deployment) and deployment is not None:
        return EntryState.OTHER_DEPLOYMENT
    match stored.purged_as(now):
        case Mode.HARD:
            return EntryState.DELETED
        case Mode.SOFT | Mode.VALIDATE:
            return EntryState.INVALIDATED
        case None if stored.control.no_cache:
            return EntryState.EXPIRED
        case None if fresh.is_fresh(now):
            return EntryState.FRESH
        case None:
            usable = fresh.within(fresh.stale_while_revalidate, now) and stored.first_byte is None
            return EntryState.STALE if usable else EntryState.EXPIRED


def purged_by(purge: Purge) -> PurgedBy:
    return PurgedBy(purge.mode, readable(purge.selector.words), round(purge.at, 3), purge.deadline)


def head_of(headers: Headers, rules: Rules) -> tuple[Field, ...]:
    """Response fields for people. Fields with tags may sound like secrets, and say which purges name the response."""
    public = _PUBLIC | {tag.field for tag in rules.tags}
    pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return tuple(Field(name, HIDDEN if _is_telling(name, public) else value) for name, value in pairs)


def _is_telling(name: str, public: frozenset[str]) -> bool:
    return name in _COOKIES or (name not in public and is_secret(name))


# Tags also where no dialect reads them.
_PUBLIC = frozenset({"surrogate-key", "x-key"})


def id_of(key: str) -> str:
    """Names a key in a URL: itself where it is short and nobody's secret, else a digest of it."""
    octets = key.encode("latin-1", "replace")
    if len(octets) > LONGEST_KEY or any(is_secret(part.partition("=")[0]) for part in key.split(" ")[4:]):
        return DIGEST + _text(blake2b(octets, digest_size=16).digest())
    return _text(octets)


def key_of(name: str) -> str | None:
    """The key that an id names itself; None if it is none, or a digest."""
    try:
        key = urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode("latin-1")
    except (binascii.Error, ValueError):
        return None
    return key if len(key.split(" ")) >= 4 else None


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def url_of(key: str) -> str:
    _, scheme, authority, target = base_of(key).split(" ")
    return f"{scheme}://{authority}{target}"


def readable(tag: str) -> str:
    """A tag as the origin meant it: what is no ASCII stands in the store byte for byte, and is most likely UTF-8."""
    try:
        return tag.encode("latin-1").decode("utf-8")
    except ValueError:
        return tag
