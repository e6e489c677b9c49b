"""Where Redis is: the URL that `--store` takes, read once. What is shown of it never has the password.

redis[s]://[user[:password]@]host[:port][/db][?options]           rediss: TLS
redis[s]+cluster://[user[:password]@]host[:port][?options]        a Redis Cluster, by any of its nodes
redis+unix://[user[:password]@]/path/of.sock[?db=N&options]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from app.config_error import ConfigError, nearest

SCHEMES = ("redis", "rediss", "redis+cluster", "rediss+cluster", "redis+unix")
DEFAULT_PORT = 6379
# What the URL may say after the question mark: `ca`, `cert` and `key` are PEM files.
OPTIONS = ("namespace", "ca", "cert", "key", "db")
_NAMESPACE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Address:
    """A Redis to be spoken to. `path`: of its unix socket. `namespace`: stands in the name of every key of ours, so
    that several Swerves may use one Redis without seeing each other."""

    host: str = "localhost"
    port: int = DEFAULT_PORT
    path: str | None = None
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    cluster: bool = False
    namespace: str = "default"
    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    @property
    def shown(self) -> str:
        """For people and logs: without user and password."""
        if self.path is not None:
            return f"redis+unix://{self.path}?db={self.db}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = ("rediss" if self.tls else "redis") + ("+cluster" if self.cluster else "")
        return f"{scheme}://{host}:{self.port}" + ("" if self.cluster else f"/{self.db}")

    @classmethod
    def of(cls, url: str) -> Address:
        """Read a URL. Raises ConfigError, which says what to write instead."""
        try:
            split = urlsplit(url)
            if "@" in f"{split.path}{split.query}{split.fragment}":  # what follows may be half of a password
                raise _wrong(url, "in a password write %2F for /, %3F for ? and %23 for #")
            host, port = split.hostname, split.port
        except ValueError:
            raise _wrong(url, "host or port cannot be read; write redis://host:6379/0") from None
        if split.scheme not in SCHEMES:
            raise _wrong(url, f"scheme {split.scheme!r}: {nearest(split.scheme, SCHEMES)}")
        if split.fragment:
            raise _wrong(url, "# begins what is no part of it")
        options, cluster, unix = _options(url, split), split.scheme.endswith("+cluster"), split.scheme == "redis+unix"
        if unix and (host or not split.path.strip("/")):
            raise _wrong(url, "write redis+unix:///path/of.sock, with three slashes")
        return cls(
            host=host or "localhost",
            port=DEFAULT_PORT if port is None else port,
            path=unquote(split.path) if unix else None,
            db=_db(url, split.path if not unix else options.get("db", ""), cluster),
            username=unquote(split.username) if split.username else None,
            password=unquote(split.password) if split.password else None,
            tls=split.scheme.startswith("rediss"),
            cluster=cluster,
            namespace=options.get("namespace", "default"),
            **{name: options.get(name) for name in ("ca", "cert", "key")},
        )


def is_redis(store: str) -> bool:
    """Whether `--store` names a Redis: a directory would not have such a beginning."""
    return re.match(r"(?:rediss?|unix|valkeys?)(?:\+\w+)?:", store) is not None


def _options(url: str, split: SplitResult) -> dict[str, str]:
    options = {}
    for name, value in parse_qsl(split.query, keep_blank_values=True):
        if name not in OPTIONS:
            raise _wrong(url, f"option {name!r}: {nearest(name, OPTIONS)}")
        if name == "db" and split.scheme != "redis+unix":
            raise _wrong(url, "the database stands in the path: redis://host:6379/0")
        if name == "namespace" and _NAMESPACE.fullmatch(value) is None:
            raise _wrong(url, f"namespace {value!r}: use 1 to 64 letters, digits, dots, hyphens, underscores")
        if name in ("ca", "cert", "key"):
            if not split.scheme.startswith("rediss"):
                raise _wrong(url, f"{name} is for TLS: write rediss:// instead of redis://")
            if not Path(value).is_file():
                raise _wrong(url, f"{name}={value}: there is no such file")
        options[name] = value
    return options


def _db(url: str, text: str, cluster: bool) -> int:
    text = text.strip("/")
    if cluster and text not in ("", "0"):
        raise _wrong(url, f"database {text!r}: a cluster has no other than 0")
    if text and not text.isdecimal():
        raise _wrong(url, f"database {text!r}: write a number, as in redis://host:6379/0")
    return int(text or 0)


def _wrong(url: str, why: str) -> ConfigError:
    return ConfigError(f"store: {_without_secrets(url)}: {why}")


def _without_secrets(url: str) -> str:
    """Up to the last @: a password that was not escaped may hold anything."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{'…@' if '@' in rest else ''}{rest.rpartition('@')[2]}"
