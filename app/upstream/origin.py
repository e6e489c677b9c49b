"""The one origin that is ever reached: where it listens and how to name it (RFC 9110 §4.2, §7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """`host` is without brackets; `uds` is the path of a unix socket, or None for TCP."""

    scheme: str
    host: str
    port: int
    uds: str | None = None

    @classmethod
    def parse(cls, value: str) -> Origin:
        """Read `http://host[:port]`, `https://host[:port]` or `unix:/path.sock`; else ValueError says what to write."""
        if value.startswith("unix:"):
            return cls._unix(value)
        try:
            parts = urlsplit(value)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"origin {value!r}: {error}; write http://HOST:PORT") from None
        if parts.scheme not in _PORTS or not host:
            raise ValueError(f"origin {value!r} is not a URL that can be reached; write http://{_bare(value)}")
        if parts.username is not None:
            raise ValueError(f"origin for {host!r} carries a user name; write {parts.scheme}://{host} without it")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            fix = f"{parts.scheme}://{parts.netloc}"
            raise ValueError(f"origin {value!r} has a path, and paths are never rewritten; write {fix}")
        if port == 0:
            raise ValueError(f"origin {value!r} has port 0; write a port from 1 to 65535")
        return cls(parts.scheme, host, port or _PORTS[parts.scheme])

    @classmethod
    def _unix(cls, value: str) -> Origin:
        path = value.removeprefix("unix:")
        path = path.removeprefix("//") if path.startswith("///") else path
        if not path.startswith("/"):
            raise ValueError(f"origin {value!r} needs an absolute path; write unix:/path/to.sock")
        return cls("http", "localhost", _PORTS["http"], path)

    @property
    def authority(self) -> str:
        """The value of a Host field: the port only if it is not the scheme's own (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"unix:{self.uds}" if self.uds is not None else f"{self.scheme}://{self.authority}"


def _bare(value: str) -> str:
    """The host and port that somebody meant who left the scheme out or misspelt it."""
    return value.rpartition("://")[2].strip("/").partition("/")[0] or "HOST:PORT"
