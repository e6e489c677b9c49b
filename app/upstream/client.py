"""What the engine sees of the origin: send a request, get an answer or an UpstreamError, over any httpx2 transport."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx2

from app.upstream.errors import translate
from app.upstream.origin import Origin
from app.upstream.response_parser import OnInformational

Fields = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; None for no limit. `idle` is between pieces of content, `pool` the wait for a free connection."""

    connect: float | None = 5.0
    first_byte: float | None = 60.0
    idle: float | None = 60.0
    write: float | None = 60.0
    pool: float | None = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` as received: case, order, duplicates. `body` raises UpstreamError if the origin dies in the middle.

    Whoever does not read `body` to its end calls `aclose`, else the connection stays taken.
    """

    status: int
    headers: Fields
    body: AsyncIterator[bytes]
    aclose: Callable[[], Awaitable[None]]


class Upstream:
    """One origin. The transport is closed with it."""

    def __init__(self, origin: Origin, transport: httpx2.AsyncBaseTransport, timeouts: Timeouts) -> None:
        self.origin = origin
        self._transport = transport
        self._url = httpx2.URL(scheme=origin.scheme, host=origin.host, port=origin.port)
        self._limits = {
            "connect": timeouts.connect,
            "first_byte": timeouts.first_byte,
            "read": timeouts.idle,
            "write": timeouts.write,
            "pool": timeouts.pool,
        }

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
        extensions = {"target": target, "timeout": self._limits, "on_informational": on_informational}
        request = httpx2.Request(
            method, self._url, headers=headers, stream=_NO_BODY if body is None else _Body(body), extensions=extensions
        )
        request.method = method  # httpx2 changes its case; methods are case-sensitive (RFC 9110 §9.1)
        try:
            response = await self._transport.handle_async_request(request)
        except httpx2.TransportError as error:
            raise translate(error) from error
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        fields: Fields = response.extensions.get("raw_headers", response.headers.raw)
        content = _Content(response.stream)
        return Answer(response.status_code, fields, content, content.aclose)

    async def aclose(self) -> None:
        await self._transport.aclose()


_FRAMING = (b"content-length", b"transfer-encoding")
_NO_BODY = httpx2.ByteStream(b"")


class _Body(httpx2.AsyncByteStream):
    """A request's content, in httpx2's clothes."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body


class _Content:
    """A response's content; another transport's exceptions become UpstreamError."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream
        self._pieces = aiter(stream)

    def __aiter__(self) -> _Content:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except httpx2.TransportError as error:
            raise translate(error) from error

    async def aclose(self) -> None:
        if isinstance(self._pieces, AsyncGenerator):  # else the collector ends it, at a time of its own
            await self._pieces.aclose()
        await self._stream.aclose()
