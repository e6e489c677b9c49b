"""One request to any server, for its head: nobody's cache is between, and nothing follows it."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from app.clock import Clock
from app.core.messages import Headers, Request, Response, end_to_end
from app.core.trial import Seen
from app.targets import encoded, target_in
from app.upstream.client import Timeouts, Upstream
from app.upstream.origin import Origin
from app.upstream.transport import OriginTransport

# As curl asks, but under our own name.
FIELDS = (("user-agent", "swerve-table"), ("accept", "*/*"))


def request_for(url: str, fields: list[tuple[str, str]]) -> Request:
    """A GET for an absolute URL. Raises ValueError, whose message says what to write."""
    parts = urlsplit(url.partition("#")[0])
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{url!r} is no URL; write http://HOST:PORT/PATH, without a user name")
    given = {name.lower() for name, _ in fields}
    headers = Headers.of(
        *([] if "host" in given else [("host", parts.netloc.lower())]),
        *(line for line in FIELDS if line[0] not in given),
        *fields,
    )
    return Request("GET", parts.scheme, headers.get("host") or parts.netloc.lower(), encoded(target_in(parts)), headers)


def fetch(url: str, request: Request, *, verify: bool = True) -> Seen:
    """What the server at the URL answers. Raises UpstreamError, or ValueError for a URL that names none."""
    parts = urlsplit(url)
    origin = Origin.parse(f"{parts.scheme}://{parts.netloc}")
    return asyncio.run(_fetch(origin, request, verify))


async def _fetch(origin: Origin, request: Request, verify: bool) -> Seen:
    upstream = Upstream(origin, OriginTransport(origin, verify=verify, limit=1), Timeouts())
    try:
        answer = await upstream.send("GET", request.target.encode("latin-1"), request.headers.pairs, None)
        await answer.leave()
        return Seen(request, Response(answer.status, end_to_end(Headers(answer.headers))), Clock().now())
    finally:
        await upstream.aclose()
