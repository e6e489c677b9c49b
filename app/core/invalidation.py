"""What a successful unsafe request spoils (RFC 9111 §4.4)."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from app.core.key import base_key, normal_authority
from app.core.messages import Request, Response
from app.core.rules import SAFE_METHODS


def spoiled_by(request: Request, response: Response) -> tuple[str, ...]:
    """The bases of the keys to invalidate: the target's, and those of Location and Content-Location on this origin.

    Empty for safe methods and for answers that are errors: only a 2xx or 3xx says that something has changed.
    """
    if request.method in SAFE_METHODS or not 200 <= response.status < 400:
        return ()
    bases = [base_key(request.scheme, request.authority, request.target)]
    for name in ("location", "content-location"):
        value = response.headers.get(name)
        target = None if value is None else same_origin_target(request, value)
        if target is not None:
            bases.append(base_key(request.scheme, request.authority, target))
    return tuple(dict.fromkeys(bases))


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
