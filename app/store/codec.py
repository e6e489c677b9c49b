"""Stored responses as bytes (MessagePack, msgspec), versioned in their first byte: what cannot be read is not there."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import msgspec

from app.core.decisions import StoredResponse
from app.core.directives import Directives
from app.core.freshness import Freshness
from app.core.purging import Mode, Purge, Selector
from app.core.rules import LifetimeSource

# To be raised whenever the meaning or the order of anything below changes.
VERSION = 1
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


class _Stored(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
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
    purge: _Purge | None
    body: bytes


_encode_stored = msgspec.msgpack.Encoder().encode
_decode_stored = msgspec.msgpack.Decoder(_Stored).decode
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
        _Stored(
            stored.key, stored.selecting, stored.status, stored.head, said,
            _Freshness(fresh.born, fresh.lifetime, fresh.source, fresh.stale_while_revalidate, fresh.stale_if_error),
            stored.size, stored.first_byte, stored.complete_length, stored.requested_range, stored.fetched_under,
            stored.number, stored.stored_at, stored.failures, stored.held_until, stored.tags, stored.deployment,
            None if stored.purge is None else _written(stored.purge), stored.body if body else b"",
        )
    )  # fmt: skip


def decode(data: bytes | memoryview) -> StoredResponse | None:
    """None for what was written by another version, or is damaged."""
    if len(data) == 0 or data[0] != VERSION:
        return None
    try:
        one = _decode_stored(memoryview(data)[1:])
        control = dict(one.control)
        control |= {name: frozenset(control[name]) for name in _SETS if name in control}
        return StoredResponse(
            one.key, one.selecting, one.status, one.head, replace(_NOTHING_SAID, **control),
            Freshness(*(getattr(one.freshness, name) for name in _Freshness.__struct_fields__)),
            one.body, one.size, one.first_byte, one.complete_length, one.requested_range, one.fetched_under,
            one.number, one.stored_at, one.failures, one.held_until, one.tags, one.deployment,
            None if one.purge is None else _read(one.purge),
        )  # fmt: skip
    except (msgspec.DecodeError, TypeError, ValueError):
        return None


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
