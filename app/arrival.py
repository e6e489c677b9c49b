"""A server's scope becomes a Request, the same for HTTP and for WebSockets."""

from __future__ import annotations

import secrets

from starlette.types import Scope

from app.clock import Clock
from app.core.dialect import IdentityField
from app.core.forwarding import Forwarding, arrived
from app.core.messages import Headers, Request

# The ASGI extension by which our server lets a connection be broken off, without waiting for its client to read.
ABORT = "swerve.abort"
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def request_from(scope: Scope, forwarding: Forwarding, identity: str = "") -> Request:
    """The request as every later step sees it. The server does not tell `/a?` from `/a`."""
    headers = Headers(scope["headers"])
    query: bytes = scope["query_string"]
    target: bytes = scope["raw_path"] + (b"?" + query if query else b"")
    host: str = headers.get("host") or ""
    if not host and scope["http_version"] == "1.0":
        host = "{}:{}".format(*scope["server"])
    client = scope["client"][0] if scope.get("client") else ""
    scheme = SCHEMES[scope["scheme"]]
    if forwarding.trust:  # then key, Host and what is forwarded all speak of the site that the client asked for
        host = _first(headers, "x-forwarded-host") or host
        said = _first(headers, "x-forwarded-proto").lower()
        scheme = said if said in ("http", "https") else scheme
    method = scope.get("method") or "GET"
    request = Request(method, scheme, host.lower(), target.decode("latin-1"), headers, client, identity)
    return arrived(request, forwarding)


def _first(headers: Headers, name: str) -> str:
    """The first of several: each proxy appends, so the first is what the client asked for."""
    return (headers.get(name) or "").partition(",")[0].strip()


def identity_of(field: IdentityField | None, node: str, clock: Clock) -> str:
    """The value of a dialect's identity field for one request."""
    if field is None:
        return ""
    millis, random = int(clock.now() * 1000), secrets.token_hex(6)
    return field.template.format(region=field.region, node=node, millis=millis, random=random)
