"""Stored responses as bytes (MessagePack, msgspec), versioned in their first byte: what cannot be read is not there."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import msgspec

from app.core.decisions import StoredResponse
from app.core.directives import Directives
from app.core.freshness import Freshness
from app.core.purging import Mode, Purge, Selector
from app.core.rules import LifetimeSource

# To be raised whenever the meaning or the order of anything below changes.
VERSION = 2
_FIRST = bytes([VERSION])


class _Freshness(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    born: float
    lifetime: float
    source: LifetimeSource | None
    stale_while_revalidate: float
    stale_if_error: float


class _Purge(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    mode: Mode
    selector: str
    deadline: float | None
    at: float


class Written(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """StoredResponse, field by field; `control` are only those directives that are set."""

    key: str
    selecting: tuple[tuple[str, str | None], ...]
    status: int
    head: bytes
    control: dict[str, Any]
    freshness: _Freshness
    size: int
    first_byte: int | None
    complete_length: int | None
    requested_range: str | None
    fetched_under: int
    number: int
    stored_at: float
    failures: int
    held_until: float
    tags: tuple[str, ...]
    deployment: str | None
    prerendered: bool
    purge: _Purge | None
    body: bytes


_encode_stored = msgspec.msgpack.Encoder().encode
_decode_stored = msgspec.msgpack.Decoder(Written).decode
_encode_purge = msgspec.msgpack.Encoder().encode
_decode_purge = msgspec.msgpack.Decoder(_Purge).decode

_NOTHING_SAID = Directives()
_SETS = ("no_cache_fields", "private_fields")
_DIRECTIVES = tuple(one.name for one in fields(Directives))


def encode(stored: StoredResponse, *, body: bool = True) -> bytes:
    """A stored response whose body is bytes; `body`: with it."""
    fresh, control = stored.freshness, stored.control
    said = {name: value for name in _DIRECTIVES if (value := getattr(control, name)) != getattr(_NOTHING_SAID, name)}
    said |= {name: sorted(said[name]) for name in _SETS if name in said}
    return _FIRST + _encode_stored(
        Written(
            stored.key, stored.selecting, stored.status, stored.head, said,
            _Freshness(fresh.born, fresh.lifetime, fresh.source, fresh.stale_while_revalidate, fresh.stale_if_error),
            stored.size, stored.first_byte, stored.complete_length, stored.requested_range, stored.fetched_under,
            stored.number, stored.stored_at, stored.failures, stored.held_until, stored.tags, stored.deployment,
            stored.prerendered, None if stored.purge is None else _written(stored.purge), stored.body if body else b"",
        )
    )  # fmt: skip


def decode(data: bytes | memoryview, body: bytes | None = None) -> StoredResponse | None:
    """None for what was written by another version, or is damaged. `body`: one that was kept elsewhere."""
    one = glance(data)
    return None if one is None else response(one, body)


def glance(data: bytes | memoryview) -> Written | None:
    """What was written, to be looked at: to make a response of it costs several times as much. None as in `decode`."""
    if len(data) == 0 or data[0] != VERSION:
        return None
    try:
        return _decode_stored(memoryview(data)[1:])
    except (msgspec.DecodeError, ValueError):
        return None


def response(one: Written, body: bytes | None = None, purge: Purge | None = None) -> StoredResponse | None:
    """The response; None for what is damaged. `purge`: by which it turns out to be hit."""
    try:
        fresh = one.freshness
        return StoredResponse(
            one.key, one.selecting, one.status, one.head, _directives(one.control),
            Freshness(
                fresh.born, fresh.lifetime, fresh.source, fresh.stale_while_revalidate, fresh.stale_if_error
            ),
            one.body if body is None else body, one.size, one.first_byte, one.complete_length, one.requested_range,
            one.fetched_under, one.number, one.stored_at, one.failures, one.held_until, one.tags, one.deployment,
            one.prerendered, purge if one.purge is None else _read(one.purge),
        )  # fmt: skip
    except (TypeError, ValueError):
        return None


def _directives(said: dict[str, Any]) -> Directives:
    if any(name in said for name in _SETS):
        said = said | {name: frozenset(said[name]) for name in _SETS if name in said}
    return _same_directives(tuple(said.items()))


@lru_cache(512)
def _same_directives(said: tuple[tuple[str, Any], ...]) -> Directives:
    """Few differ, of the many that are read."""
    return replace(_NOTHING_SAID, **dict(said))


def encode_purge(purge: Purge) -> bytes:
    return _FIRST + _encode_purge(_written(purge))


def decode_purge(data: bytes | memoryview) -> Purge | None:
    """None for what was written by another version, or is damaged."""
    if len(data) == 0 or data[0] != VERSION:
        return None
    try:
        return _read(_decode_purge(memoryview(data)[1:]))
    except (msgspec.DecodeError, ValueError):
        return None


def _written(purge: Purge) -> _Purge:
    return _Purge(purge.mode, purge.selector.name, purge.deadline, purge.at)


def _read(purge: _Purge) -> Purge:
    return Purge(purge.mode, Selector.named(purge.selector), purge.deadline, purge.at)
