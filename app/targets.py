"""Targets of requests, out of URLs as people write them (RFC 3986 §3.3, §3.4)."""

from __future__ import annotations

from urllib.parse import SplitResult, quote

# What may stand in a target as it is; the rest is percent-encoded, as a browser would.
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"


def encoded(target: str) -> str:
    return quote(target, safe=_AS_IT_IS)


def target_in(url: SplitResult) -> str:
    """Its path and query, as they stand there."""
    return (url.path or "/") + (f"?{url.query}" if url.query else "")
