"""The request that somebody asks about: read from JSON, completed from the last one of its kind that was seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.admin.problems import Problem
from app.admin.reading import json_object
from app.core.fields import AUTHORITY, TOKEN
from app.core.messages import Headers, Request
from app.core.reasons import Reason
from app.journal import Event
from app.settings import Settings
from app.targets import encoded, target_in
from app.units import Address

KEYS = ("method", "url", "headers")
EXAMPLE = '{"url": "/blog"}'

_METHOD = re.compile(r"[A-Z]+")

Lines = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """`scheme` and `authority` are None where only a path was given; `headers` is empty where none were given."""

    method: str
    scheme: str | None
    authority: str | None
    target: str
    headers: Headers

    @classmethod
    def parse(cls, body: bytes) -> Asked:
        """Raises Problem."""
        return cls.of(json_object(body, KEYS, EXAMPLE))

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Asked:
        """Raises Problem."""
        method, url = given.get("method", "GET"), given.get("url")
        if not isinstance(method, str) or _METHOD.fullmatch(method) is None:
            raise Problem(400, f"method {method!r} is no method; write one in capitals, like GET")
        if not isinstance(url, str):
            raise Problem(400, f"url is {'missing' if url is None else repr(url)}; write a path or a URL, like /blog")
        scheme, authority, target = parts_of(url)
        headers = Headers.of(*_lines(given.get("headers", [])))
        hosts = headers.lines("host")
        if len(hosts) > 1:
            raise Problem(400, f"headers has {len(hosts)} Host fields; write one")
        if authority is None and hosts:
            authority = hosts[0].lower()
        if authority is not None and AUTHORITY.fullmatch(authority) is None:
            raise Problem(400, f"{authority!r} is no host; write a name or an address, like localhost:8080")
        return cls(method, scheme, authority, target, headers)

    def fits(self, event: Event) -> bool:
        """Whether this is what that request asked for, as far as it is told."""
        request = event.request
        return (
            has_host(event)
            and (_looked_up_as(request.method), request.target) == (_looked_up_as(self.method), self.target)
            and self.scheme in (None, request.scheme)
            and self.authority in (None, request.authority)
        )

    def completed(self, like: Event | None, last: Event | None, settings: Settings) -> Request:
        """The request in full: what was not told is as in `like`, else as in the `last` one, else as we listen."""
        if like is not None and not self.headers:
            return like.request
        seen = like or last  # pages of one site are asked for by one name
        scheme = self.scheme or (seen.request.scheme if seen else "https" if settings.tls_cert else "http")
        authority = self.authority or (seen.request.authority if seen else _listening(settings.listen))
        return Request(self.method, scheme, authority, self.target, self.headers.with_(("host", authority)))


def has_host(event: Event) -> bool:
    """Whether the request had a Host, without which there is no key."""
    return event.verdict.reason is not Reason.BAD_HOST


_HOST_PORT = re.compile(r"[A-Za-z0-9._-]+:\d+(?=[/?]|$)")


def parts_of(url: str) -> tuple[str | None, str | None, str]:
    """Scheme and authority of an absolute URL, and the target. The fragment never leaves a browser. Raises Problem."""
    url = url.partition("#")[0]
    if url.startswith("/"):
        return None, None, encoded(url)
    try:
        parts = urlsplit(f"http://{url}" if _HOST_PORT.match(url) else url)  # as one types it for curl
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError
    except ValueError:
        raise Problem(400, f"url {url!r} is no URL; write a path like /blog, or http://HOST:PORT/blog") from None
    if "@" in parts.netloc:
        raise Problem(400, "url carries a user name; write it without")
    return parts.scheme, parts.netloc.lower(), encoded(target_in(parts))


def _lines(given: object) -> Lines:
    if not isinstance(given, list):
        raise Problem(
            400, f'headers is a {type(given).__name__}; write a list of pairs, like [["accept", "text/html"]]'
        )
    return [_line(pair) for pair in given]


def _line(pair: object) -> tuple[str, str]:
    match pair:
        case [str(name), str(value)]:
            writable = value.isprintable() or "\t" in value
            if TOKEN.fullmatch(name) and writable and all(ord(character) < 256 for character in value):
                return name, value
            raise Problem(
                400, f"headers: {name!r} is no field name, or its value has a character that no field carries"
            )
        case _:
            raise Problem(400, f"headers: {pair!r} is no pair; write [name, value], both in quotes")


def _looked_up_as(method: str) -> str:
    """HEAD is answered from what GET has stored."""
    return "GET" if method == "HEAD" else method


def _listening(listen: Address) -> str:
    """How a browser on this machine names the proxy."""
    near = listen.reachable
    return str(Address("localhost", near.port) if near.is_loopback else near)
