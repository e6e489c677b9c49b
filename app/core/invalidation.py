"""What a successful request spoils: an unsafe one (RFC 9111 §4.4, RFC 9875 §3), or one that has a page made anew."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from app.core.key import keyed_target, normal_authority
from app.core.messages import Headers, Request, Response
from app.core.purging import Kind, Mode, Purge, Selector
from app.core.rules import SAFE_METHODS, Rules
from app.core.tags import Separator, TagField, tags_of

GROUPS = "cache-groups"
INVALIDATED_GROUPS = TagField("cache-group-invalidation", Separator.STRUCTURED)


# RFC 9209 §2.3: errors after which nobody knows whether the request was carried out.
PERHAPS_CARRIED_OUT = frozenset(
    {
        "connection_terminated",
        "connection_read_timeout",
        "http_response_timeout",
        "http_response_incomplete",
        "http_protocol_error",
    }
)


def spoiled_by(request: Request, response: Response, rules: Rules, now: float) -> tuple[Purge, ...]:
    """What to validate before its next use: the target, Location and Content-Location on this origin, and the groups
    that the response names.

    Nothing for safe methods and for answers that are errors: only a 2xx or 3xx says that something has changed.
    """
    if rules.preview is not None and rules.preview.asks_to_renew(request.headers):
        return _outdated(request, response, now)
    if not rules.invalidates or request.method in SAFE_METHODS or not 200 <= response.status < 400:
        return ()
    host = normal_authority(request.scheme, request.authority)
    targets = [request.target]
    for name in ("location", "content-location"):
        value = response.headers.get(name)
        target = None if value is None else same_origin_target(request, value)
        if target is not None:
            targets.append(target)
    # A key may leave out parameters; which of them Location's own would, is not asked.
    targets += [keyed_target(target, rules) for target in targets]
    selectors = [Selector(Kind.URL, target, host) for target in targets]
    if any(one.field == GROUPS for one in rules.tags):
        selectors += [Selector(Kind.TAG, group, host) for group in tags_of(response.headers, [INVALIDATED_GROUPS])]
    return tuple(Purge(Mode.VALIDATE, selector, at=now) for selector in dict.fromkeys(selectors))


def _outdated(request: Request, response: Response, now: float) -> tuple[Purge, ...]:
    """A page that was made anew is another in all its variants; where that failed, the old one is still there."""
    if response.status >= 500:
        return ()
    host = normal_authority(request.scheme, request.authority)
    return (Purge(Mode.HARD, Selector(Kind.PATH, request.path, host), at=now),)


def perhaps_spoiled_by(request: Request, rules: Rules, now: float) -> tuple[Purge, ...]:
    """The same when no answer tells what came of an unsafe request: the origin may have carried it out."""
    return () if request.method in SAFE_METHODS else spoiled_by(request, Response(204, Headers()), rules, now)


def same_origin_target(request: Request, reference: str) -> str | None:
    """The path and query that a URI reference names on the request's own origin, or None if it points elsewhere.

    Another origin may not be named: one site could otherwise empty another's cache (RFC 9111 §4.4).
    """
    here = f"{request.scheme}://{request.authority}{request.target}"
    try:
        parts = urlsplit(urljoin(here, reference))
        authority = normal_authority(parts.scheme, parts.netloc)
    except ValueError:
        return None
    if parts.scheme != request.scheme or authority != normal_authority(request.scheme, request.authority):
        return None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
