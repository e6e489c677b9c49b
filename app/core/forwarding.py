"""The request as the origin shall see it: who asked, through whom, and nothing that could poison (RFC 9110 §7.6)."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.fields import parse_delta, split_list
from app.core.messages import Headers, Request, end_to_end, has_body
from app.core.rules import SAFE_METHODS

# Fields that change responses in many frameworks and are in nobody's cache key: ours are sent, the client's are not.
UNKEYED = frozenset(
    {
        "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port",
        "x-forwarded-scheme", "x-forwarded-server", "x-forwarded-prefix", "x-forwarded-ssl", "x-real-ip",
        "x-forwarded", "x-forwarded-path", "x-forwarded-uri", "x-url-scheme", "forwarded-for", "front-end-https",
        "x-host", "x-original-host", "x-original-url", "x-original-uri", "x-rewrite-url", "client-ip", "true-client-ip",
        "x-client-ip", "x-http-method-override", "x-http-method", "x-method-override",
    }
)  # fmt: skip
OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
CHUNKED = ("transfer-encoding", "chunked")


@dataclass(frozen=True, slots=True)
class Forwarding:
    """How requests are forwarded. `host`: the Host to send, None for the client's own. `trust`: append to the client's
    forwarding fields instead of replacing them. `stripped`: field names, or prefixes that end in `*`.
    """

    node: str
    host: str | None = None
    trust: bool = False
    stripped: frozenset[str] = frozenset()
    announced: tuple[tuple[str, str], ...] = ()
    identity_field: str | None = None


def arrived(request: Request, forwarding: Forwarding) -> Request:
    """The request as every later step sees it, in all that may select a response: what the client may not say is gone,
    what we say about the client is there. So no response is stored under fields that the origin has not seen.
    """
    headers = end_to_end(request.headers)
    if "transfer-encoding" in request.headers:
        headers = headers.adding(CHUNKED)
    gone = UNKEYED if request.method in SAFE_METHODS else UNKEYED - OVERRIDES
    # CGI and its heirs take `_` for `-`: X_Forwarded_Host would be X-Forwarded-Host to them, and unknown to us.
    gone |= {name for name in headers.names() if "_" in name}
    headers = headers.without(gone | _stripped(headers, forwarding.stripped))
    return request.with_headers(headers.adding(*_chain(request, trusted=forwarding.trust)))


def outbound(request: Request, forwarding: Forwarding) -> Headers:
    """The header section for the origin, for a request that has `arrived`, or one that was derived from such."""
    headers = end_to_end(request.headers).without({"host", "cdn-loop", "via"})
    lines = [CHUNKED] if has_body(request.headers) and "content-length" not in headers else []
    lines += [line for line in _chain(request) if line[0] not in headers]  # a refresh has left the client's behind
    loop = [*request.headers.lines("cdn-loop"), f"swerve; node={forwarding.node}"]
    lines += [("via", ", ".join([*request.headers.lines("via"), "1.1 swerve"])), ("cdn-loop", ", ".join(loop))]
    if request.method == "OPTIONS" and (left := parse_delta(headers.get("max-forwards"))) is not None:
        lines.append(("max-forwards", str(max(left - 1, 0))))  # RFC 9110 §7.6.2
    if forwarding.identity_field is not None and request.identity:
        lines.append((forwarding.identity_field, request.identity))
    host = Headers.of(("host", forwarding.host or request.authority))
    return Headers((*host.pairs, *headers.with_(*lines, *forwarding.announced).pairs))


def has_looped(request: Request, node: str) -> bool:
    """Whether this process has forwarded the request before (RFC 8586)."""
    members = (member for line in request.headers.lines("cdn-loop") for member in split_list(line))
    return any([part.strip(" \t") for part in member.split(";")] == ["swerve", f"node={node}"] for member in members)


def _stripped(headers: Headers, patterns: frozenset[str]) -> set[str]:
    prefixes = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    return {name for name in headers.names() if name in patterns or (prefixes and name.startswith(prefixes))}


def _chain(request: Request, *, trusted: bool = False) -> list[tuple[str, str]]:
    """X-Forwarded-* and Forwarded (RFC 7239), for a client that is known; a request of our own has none."""
    node = f'"[{request.client}]"' if ":" in request.client else request.client
    element = ";".join(filter(None, (node and f"for={node}", f'host="{request.authority}"', f"proto={request.scheme}")))
    ours = {
        "forwarded": element,
        "x-forwarded-for": request.client,
        "x-forwarded-host": request.authority,
        "x-forwarded-proto": request.scheme,
    }
    if trusted:
        for name in ("forwarded", "x-forwarded-for"):
            ours[name] = ", ".join(filter(None, (request.headers.get(name), ours[name])))
        for name in ("x-forwarded-host", "x-forwarded-proto"):
            ours[name] = request.headers.get(name) or ours[name]
    return [(name, value) for name, value in ours.items() if value]
