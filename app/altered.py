"""What is another between two readings of the settings."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from app.core.dialect import Dialect
from app.core.rules import OF_A_ROUTE
from app.settings import Settings
from app.settings_table import SETTINGS
from app.shown import differing, shown

_TLS = ("tls_cert", "tls_key")


@dataclass(frozen=True, slots=True)
class Altered:
    """`setting`: its name, rules.NAME, dialect.NAME, routes, or certificate, whose values are SHA-256 fingerprints."""

    setting: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Reloaded:
    """`changed`: what holds from now on. `restart`: what is another than at the start, and needs a restart to hold.
    `advice`: what to do about what is stored, where its key or who may share it goes by rules that have changed."""

    changed: tuple[Altered, ...]
    restart: tuple[Altered, ...]
    advice: str | None = None


def needs_restart(started: Settings, now: Settings) -> frozenset[str]:
    """The settings that a running Swerve cannot change. TLS can be renewed, not begun or ended."""
    fixed = {row.name for row in SETTINGS if row.restart}
    return frozenset(fixed if (started.tls_cert is None) == (now.tls_cert is None) else fixed.union(_TLS))


def altered(before: Settings, after: Settings) -> Iterator[Altered]:
    """Every setting that is another, and what follows from none of those."""
    others = {row.name for row in SETTINGS if getattr(before, row.name) != getattr(after, row.name)} - {"dialect"}
    for row in SETTINGS:
        old, new = getattr(before, row.name), getattr(after, row.name)
        if row.name in others:
            yield Altered(row.name, shown(row.name, old), shown(row.name, new))
        elif row.name == "dialect":
            yield from (one for one in _altered_dialect(old, new) if _FOLLOWS.get(one.setting) not in others)
    if before.routes != after.routes:
        yield Altered("routes", [one.path for one in before.routes], [one.path for one in after.routes])


# What another setting makes of the dialect.
_FOLLOWS = {"rules.max_body": "max_object", "rules.preview": "preview_token", "dialect.fields": "environment"}


def _altered_dialect(before: Dialect, after: Dialect) -> Iterator[Altered]:
    """What a dialect of another name says and does otherwise is said by its name."""
    if before.name != after.name:
        yield Altered("dialect", before.name, after.name)
        return
    for name, old, new in differing(before, after, but=["rules"]):
        yield Altered(f"dialect.{name}", old, new)
    for name, old, new in differing(before.rules, after.rules, but=[OF_A_ROUTE]):
        yield Altered(f"rules.{name}", old, new)


def kept(settings: Settings, names: frozenset[str], running: Settings) -> Settings:
    """The settings, but for these names as they are `running`."""
    return replace(settings, **{name: getattr(running, name) for name in names})


def fingerprint(settings: Settings) -> str | None:
    """Of the certificate that is served."""
    if settings.tls_cert is None:
        return None
    pem, end = settings.tls_cert.read_text(encoding="ascii", errors="replace"), "-----END CERTIFICATE-----"
    begin = pem.find("-----BEGIN CERTIFICATE-----")
    first = pem[begin : pem.find(end, begin) + len(end)]
    return sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()
