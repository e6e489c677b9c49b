"""Settings: flag before environment before swerve.toml before default, checked as a whole before anything starts."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from app.config_error import ConfigError, nearest
from app.core.dialect import Dialect
from app.core.exposure import exposed
from app.core.routing import Route
from app.core.speech import Environment
from app.dialect_checks import check_exposed
from app.dialects import load_dialect
from app.records import read_toml
from app.routes import load_routes
from app.settings_table import SETTINGS, Setting
from app.store.redis.address import is_redis
from app.units import Address
from app.upstream.origin import Origin

FILE = "swerve.toml"
FILE_VARIABLE = "SWERVE_CONFIG"


@dataclass(frozen=True, slots=True)
class Settings:
    """Durations in seconds, sizes in bytes. `origin` is None only for the demo, which brings its own.

    `dialect` has the operator's [rules] and max_object in it already, `routes` go over these. `written` says where each
    setting was found: a flag, a variable, the file and its key; those that have their default are not in it.
    """

    origin: Origin | None
    listen: Address
    admin: Address
    admin_token: str | None
    dialect: Dialect
    environment: Environment
    preview_token: str | None
    store: str
    max_size: int
    max_object: int | None
    workers: int
    log: str
    tls_cert: Path | None
    tls_key: Path | None
    host_header: str
    trust_forwarded: bool
    timeout_connect: float
    timeout_first_byte: float
    timeout_idle: float
    drain: float
    max_connections_upstream: int
    origin_verify: bool
    max_refreshes: int
    deployment: str | None
    deployment_header: str | None
    purge_method: str
    memo: bool
    routes: tuple[Route, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict, compare=False)


class _Written(NamedTuple):
    """A value as somebody wrote it, where, and the folder that relative paths in it start from."""

    text: str
    where: str
    folder: Path


@dataclass(frozen=True, slots=True)
class _Places:
    """Everywhere a setting may be written. `table` is what `file` holds, empty without one."""

    flags: Mapping[str, str | None]
    environ: Mapping[str, str]
    file: Path | None
    table: Mapping[str, Any]
    cwd: Path

    def first(self, row: Setting) -> _Written | None:
        """What is written in the place that goes before the others."""
        flag = self.flags.get(row.name)
        if flag is not None:
            return _Written(flag, row.flag or row.name.upper(), self.cwd)
        for name in row.env:
            # An empty variable is none: `SWERVE_ADMIN_TOKEN=${TOKEN:-}` in a compose file means «not given».
            if text := self.environ.get(name, ""):
                return _Written(text, name, self.cwd)
        if self.file is not None and row.name in self.table:
            where = f"{self.file}: {row.name}"
            return _Written(_text(self.table[row.name], where), where, self.file.parent)
        return None if row.default is None else _Written(row.default, row.name, self.cwd)

    def named(self, name: str) -> _Written:
        """The same of a setting that has a default."""
        (found,) = (written for row in SETTINGS if row.name == name and (written := self.first(row)) is not None)
        return found


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the settings were read, and can be read again: `flags` as for load_settings, the environment, and the file
    that is found from `cwd`."""

    flags: Mapping[str, str | None]
    cwd: Path
    demo: bool = False

    def read(self) -> Settings:
        """Raises ConfigError."""
        return load_settings(self.flags, os.environ, self.cwd, demo=self.demo)


def load_settings(
    flags: Mapping[str, str | None], environ: Mapping[str, str], cwd: Path, *, demo: bool = False
) -> Settings:
    """`flags` by the names of the settings, and `config` for -c. Raises ConfigError."""
    _reject_unknown_variables(environ)
    file = _file(flags, environ, cwd)
    places = _Places(flags, environ, file, _read(file) if file is not None else {}, cwd)
    values = {row.name: _parsed(row, places.first(row)) for row in SETTINGS if not (demo and row.name == "origin")}
    if demo:
        values["origin"] = None
    elif values["origin"] is None:
        fix = f"write swerve http://localhost:3000, set SWERVE_ORIGIN, or say origin in {FILE}"
        raise ConfigError(f"origin is not set; {fix}")
    values["store"] = _store(places, values["store"])
    dialect = _dialect(places, values["max_object"]).within(values["environment"])
    if values["preview_token"] is not None:
        dialect = _with_token(dialect, values["preview_token"])
    values["dialect"] = dialect
    values["routes"] = _routes(places, dialect)
    settings = Settings(**values, written=_sources(places))
    _check_together(settings)
    return settings


def _sources(places: _Places) -> Mapping[str, str]:
    found = {row.name: written.where for row in SETTINGS if (written := places.first(row)) is not None}
    return {name: where for name, where in found.items() if where != name}


def _file(flags: Mapping[str, str | None], environ: Mapping[str, str], cwd: Path) -> Path | None:
    named = flags.get("config") or environ.get(FILE_VARIABLE)
    if named:
        return cwd / named
    return cwd / FILE if (cwd / FILE).exists() else None


def _read(path: Path) -> dict[str, Any]:
    table = read_toml(path)
    known = [*(row.name for row in SETTINGS), "rules", "routes"]
    for key in table:
        if key not in known:
            raise ConfigError(f"{path}: {key} is unknown; {nearest(key, known)}")
    if not isinstance(table.get("rules", {}), dict):
        raise ConfigError(f"{path}: rules = {table['rules']!r} is no table; write its keys below a line [rules]")
    return table


def _reject_unknown_variables(environ: Mapping[str, str]) -> None:
    known = {name for row in SETTINGS for name in row.env} | {FILE_VARIABLE}
    for name in environ:
        if name.startswith("SWERVE_") and name not in known:
            raise ConfigError(f"the environment variable {name!r} is unknown; {nearest(name, known)}")


def _text(value: object, where: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | str():
            return str(value)
        case _:
            raise ConfigError(f"{where} = {value!r} does not fit; write text in quotes, a whole number, true or false")


def _parsed(row: Setting, written: _Written | None) -> Any:
    if written is None:
        return None
    try:
        value = row.parse(written.text)
    except ValueError as error:
        raise ConfigError(f"{written.where}: {error}") from None
    return written.folder / value if isinstance(value, Path) else value


def _store(places: _Places, store: str) -> str:
    """A folder starts from where it is written, like every path."""
    written = places.named("store")
    if store == "memory" or is_redis(store) or written.folder == places.cwd:
        return store
    return str(written.folder / store)


def _dialect(places: _Places, limit: int | None) -> Dialect:
    """The dialect with what the operator put over its rules."""
    written = places.named("dialect")
    name = str(written.folder / written.text) if written.text.endswith(".toml") else written.text
    dialect = load_dialect(name, places.table.get("rules", {}), f"{places.file}: rules")
    return dialect if limit is None else replace(dialect, rules=replace(dialect.rules, max_body=limit))


def _with_token(dialect: Dialect, token: str) -> Dialect:
    if dialect.rules.preview is None:
        fix = "leave it out, or say in rules.preview by which fields it is shown"
        raise ConfigError(f"preview_token is set and the dialect {dialect.name} has no use for it; {fix}")
    return replace(dialect, rules=dialect.rules.with_token(token))


def _routes(places: _Places, dialect: Dialect) -> tuple[Route, ...]:
    where = f"{places.file}: routes"
    routes = load_routes(places.table.get("routes", []), dialect.rules, where)
    for place, route in enumerate(routes, 1):
        check_exposed(replace(dialect, rules=route.rules), exposed(dialect), f"{where}[{place}]")
    return routes


def _check_certificate(cert: Path, key: Path | None) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (ssl.SSLError, OSError) as error:
        fix = "name a PEM certificate chain, and the key it was made for"
        raise ConfigError(f"tls_cert: {cert} with {key} is refused ({error.strerror or error}); {fix}") from None


def _check_together(settings: Settings) -> None:
    """What is wrong only in combination."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        given, other = ("tls_cert", "tls_key") if settings.tls_key is None else ("tls_key", "tls_cert")
        raise ConfigError(f"{given} is set and {other} is not; set both, or neither")
    for name, path in (("tls_cert", settings.tls_cert), ("tls_key", settings.tls_key)):
        if path is not None and not path.is_file():
            raise ConfigError(f"{name}: {path} is no file; name a PEM file that exists")
    if settings.tls_cert is not None:
        _check_certificate(settings.tls_cert, settings.tls_key)
    if settings.purge_method == "token" and settings.admin_token is None and settings.admin.is_loopback:
        raise ConfigError("purge_method is token and there is no admin token; set SWERVE_ADMIN_TOKEN, or write open")
    origin, near = settings.origin, settings.listen.reachable
    here = origin is not None and origin.uds is None and Address(origin.host, origin.port).is_loopback
    if origin is not None and here and near.is_loopback and origin.port == near.port:
        raise ConfigError(f"origin {origin} is where Swerve itself listens; name the port of your app")
    if settings.listen == settings.admin and settings.listen.port != 0:
        raise ConfigError(f"listen and admin are both {settings.listen}; give admin another port")
