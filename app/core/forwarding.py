"""The request as the origin shall see it: who asked, through whom, and nothing that could poison (RFC 9110 §7.6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.core.fields import parse_delta, split_list
from app.core.messages import Headers, Request, encoded_names, not_end_to_end
from app.core.preview import Preview
from app.core.remembered import remembered
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
# What we say of the client ourselves.
CHAIN = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"})
OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
# Without these a request would be another, or could not be told from one that has been here.
OF_HTTP = frozenset({"host", "content-length", "expect", "max-forwards", "via", "cdn-loop"})
CHUNKED = ("transfer-encoding", "chunked")
REWRITTEN = encoded_names(frozenset({"host", "cdn-loop", "via"}))
NOTHING = Headers()
NOBODYS = frozenset[bytes]()


@dataclass(frozen=True, slots=True)
class Forwarding:
    """How requests are forwarded. `host`: the Host to send, None for the client's own. `trust`: append to the client's
    forwarding fields instead of replacing them. `stripped`: field names, or prefixes that end in `*`; `passed`: the
    only ones of a client's that go on, beside what HTTP needs, likewise; None: any. `announced`: what we say of
    ourselves and, in {client}, {scheme} and {host}, of who asks. `confined`: names with the beginning of the only paths
    to which a client may send them. `preview`: what who shows its token may send.
    """

    node: str
    host: str | None = None
    trust: bool = False
    stripped: frozenset[str] = frozenset()
    passed: frozenset[str] | None = None
    announced: tuple[tuple[str, str], ...] = ()
    confined: tuple[tuple[str, str], ...] = ()
    identity_field: str | None = None
    preview: Preview | None = None


def arrived(request: Request, forwarding: Forwarding) -> Request:
    """The request as every later step sees it, in all that may select a response: what the client may not say is gone,
    what we say about the client is there. So no response is stored under fields that the origin has not seen. Several
    lines of cookies are one (RFC 9113 §8.2.3): many origins read the first alone, or join them by a comma.
    """
    headers, limits, safe = request.headers, (forwarding.stripped, forwarding.passed), request.method in SAFE_METHODS
    hops, let_in = not_end_to_end(headers), _let_in(headers, forwarding.preview)
    kept = tuple(
        [pair for pair in headers if pair[0] not in hops and (pair[0] in let_in or may_say(pair[0], *limits, safe))]
    )
    for name, prefix in forwarding.confined:
        if not request.target.startswith(prefix):
            kept = tuple([pair for pair in kept if pair[0] != name.encode("latin-1")])
    if len(cookies := [value for name, value in kept if name == b"cookie"]) > 1:
        kept = (*[pair for pair in kept if pair[0] != b"cookie"], (b"cookie", b"; ".join(cookies)))
    coding = Headers.of(CHUNKED) if "transfer-encoding" in headers else NOTHING
    chain = _continued(request) if forwarding.trust else _chain(request)
    return request.with_headers(Headers.lowered((*kept, *coding.pairs, *chain.pairs)))


def _let_in(headers: Headers, preview: Preview | None) -> frozenset[bytes]:
    """What this client may send although it is stripped from others' requests."""
    return NOBODYS if preview is None or not preview.token else encoded_names(preview.let_in(headers))


@lru_cache(128)  # clients send the same few names; whoever sends others cannot fill the memory
def may_say(name: bytes, stripped: frozenset[str], passed: frozenset[str] | None, safe: bool) -> bool:
    """Whether a client may send a field of this name, with a method that is safe or not."""
    text = name.decode("latin-1")
    # CGI and its heirs take `_` for `-`: X_Forwarded_Host would be X-Forwarded-Host to them, and unknown to us.
    if "_" in text or _is_among(text, stripped):
        return False
    if passed is not None and not _is_among(text, passed | OF_HTTP):
        return False
    return text not in UNKEYED or (text in OVERRIDES and not safe)


def _is_among(name: str, patterns: frozenset[str]) -> bool:
    prefixes = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    return name in patterns or name.startswith(prefixes)


def outbound(request: Request, forwarding: Forwarding) -> Headers:
    """The header section for the origin, for a request that has `arrived`, or one that was derived from such."""
    sent = request.headers
    lines = [CHUNKED] if "transfer-encoding" in sent else []
    if not request.client:  # a refresh has left the client's behind
        lines += [(name, value) for name, value in _said_of("", request.authority, request.scheme) if name not in sent]
    loop = [*sent.lines("cdn-loop"), f"swerve; node={forwarding.node}"]
    lines += [("via", ", ".join([*sent.lines("via"), "1.1 swerve"])), ("cdn-loop", ", ".join(loop))]
    if request.method == "OPTIONS" and (left := parse_delta(sent.get("max-forwards"))) is not None:
        lines.append(("max-forwards", str(max(left - 1, 0))))  # RFC 9110 §7.6.2
    if forwarding.identity_field is not None and request.identity:
        lines.append((forwarding.identity_field, request.identity))
    host = Headers.of(("host", forwarding.host or request.authority))
    rest = sent.rewritten(not_end_to_end(sent) | REWRITTEN, Headers.of(*lines, *_announced(request, forwarding)))
    return Headers.lowered((*host.pairs, *rest.pairs))


def _announced(request: Request, forwarding: Forwarding) -> list[tuple[str, str]]:
    """Nothing is said of the client of a refresh, which has none."""
    said = [line for line in forwarding.announced if request.client or "{client}" not in line[1]]
    slots = {"client": request.client, "scheme": request.scheme, "host": request.authority}
    return [(name, value.format(**slots)) for name, value in said]


def has_looped(request: Request, node: str) -> bool:
    """Whether this process has forwarded the request before (RFC 8586)."""
    if "cdn-loop" not in request.headers:
        return False
    members = (member for line in request.headers.lines("cdn-loop") for member in split_list(line))
    return any([part.strip(" \t") for part in member.split(";")] == ["swerve", f"node={node}"] for member in members)


def _chain(request: Request) -> Headers:
    """What we say of a client that is known; a request of our own has none."""
    return _encoded_chain(request.client, request.authority, request.scheme)


@remembered
def _encoded_chain(client: str, authority: str, scheme: str) -> Headers:
    return Headers.of(*_said_of(client, authority, scheme))


def _said_of(client: str, authority: str, scheme: str) -> list[tuple[str, str]]:
    """X-Forwarded-* and Forwarded (RFC 7239)."""
    node = f'"[{client}]"' if ":" in client else client
    element = ";".join(filter(None, (node and f"for={node}", f'host="{authority}"', f"proto={scheme}")))
    said = {
        "forwarded": element,
        "x-forwarded-for": client,
        "x-forwarded-host": authority,
        "x-forwarded-proto": scheme,
    }
    return [(name, value) for name, value in said.items() if value]


def _continued(request: Request) -> Headers:
    """The chain behind a proxy that is trusted: what it says goes first."""
    said, ours = request.headers, _chain(request)
    lists = [(name, (said.get(name), ours.get(name))) for name in ("forwarded", "x-forwarded-for")]
    lines = [(name, ", ".join(filter(None, both))) for name, both in lists]
    lines += [(name, said.get(name) or ours.get(name) or "") for name in ("x-forwarded-host", "x-forwarded-proto")]
    return Headers.of(*(line for line in lines if line[1]))
