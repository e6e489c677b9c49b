"""Does anybody listen at the origin's address? A connection is made and closed, nothing is asked."""

from __future__ import annotations

import asyncio

from app.upstream.errors import UpstreamError, translate
from app.upstream.origin import Origin


async def failure_of(origin: Origin, seconds: float) -> UpstreamError | None:
    """Why no connection came about within so many seconds, or None."""
    try:
        async with asyncio.timeout(seconds):
            if origin.uds is not None:
                _, writer = await asyncio.open_unix_connection(origin.uds)
            else:
                _, writer = await asyncio.open_connection(origin.host, origin.port)
    except (OSError, UnicodeError) as error:
        return translate(error)
    writer.close()
    return None
