"""A server's scope becomes a Request, the same for HTTP and for WebSockets."""

from __future__ import annotations

from starlette.types import Scope

from app.core.forwarding import Forwarding, arrived
from app.core.messages import Headers, Request
from app.heads import fields_of, first_line

# The ASGI extension under which our own server gives its side of a request, for what ASGI has no words for.
CYCLE = "swerve.cycle"
# The target in its own bytes, in a scope of our own server.
TARGET = "swerve.target"
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def request_from(scope: Scope, forwarding: Forwarding, identity: str = "") -> Request:
    """The request as every later step sees it. ASGI does not tell `/a?` from `/a`; our own server does."""
    headers = Headers.lowered(tuple(scope["headers"]))  # as ASGI says that servers hand them over
    query: bytes = scope["query_string"]
    target: bytes = scope.get(TARGET) or scope["raw_path"] + (b"?" + query if query else b"")
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


def request_of(
    head: bytes, scheme: str, client: tuple[str, int] | None, forwarding: Forwarding, identity: str = ""
) -> Request:
    """The same of a plain head (app/heads.py)."""
    method, target, _ = first_line(head).split(b" ")
    scope = {
        "method": method.decode(), "scheme": scheme, "http_version": "1.1", "headers": fields_of(head),
        "raw_path": target, "query_string": b"", TARGET: target, "client": client,
    }  # fmt: skip
    return request_from(scope, forwarding, identity)


def _first(headers: Headers, name: str) -> str:
    """The first of several: each proxy appends, so the first is what the client asked for."""
    return (headers.get(name) or "").partition(",")[0].strip()
