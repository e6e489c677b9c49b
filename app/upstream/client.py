"""What the engine sees of the origin: send a request, get an answer or an UpstreamError, over any httpx2 transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import httpx2

from app.upstream.messages import Answer, Direct, OnInformational, Outgoing, Timeouts
from app.upstream.origin import Origin
from app.upstream.stand_in import StandIn

__all__ = ["Answer", "Timeouts", "Upstream"]

_FRAMING = (b"content-length", b"transfer-encoding")


class Upstream:
    """One origin. The transport is closed with it."""

    def __init__(self, origin: Origin, transport: httpx2.AsyncBaseTransport, timeouts: Timeouts) -> None:
        self.origin = origin
        self._transport = transport
        self._direct: Direct = transport if isinstance(transport, Direct) else StandIn(origin, transport)
        self.timeouts = timeouts

    async def send(
        self,
        method: str,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: AsyncIterator[bytes] | None,
        *,
        on_informational: OnInformational | None = None,
    ) -> Answer:
        """Send exactly that: nothing is added, so Host and the framing of `body` are the caller's to say.

        Raises UpstreamError; ValueError if there is a body that no Content-Length or Transfer-Encoding announces;
        and whatever `body` raises. Cancelling closes the connection.
        """
        if body is not None and not any(name.lower() in _FRAMING for name, _ in headers):
            raise ValueError("a request body needs Content-Length or Transfer-Encoding: chunked in its headers")
        return await self._direct.ask(Outgoing(method, target, headers, body, on_informational), self.timeouts)

    async def aclose(self) -> None:
        await self._transport.aclose()
