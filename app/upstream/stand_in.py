"""Any httpx2 transport in the place of ours: messages in its clothes, its exceptions in our words (RFC 9209 §2.3)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

import httpx2

from app.upstream.errors import translate
from app.upstream.messages import Answer, Fields, Outgoing, Timeouts
from app.upstream.origin import Origin


class StandIn:
    """Asks `transport` for what is at `origin`."""

    def __init__(self, origin: Origin, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport
        self._url = httpx2.URL(scheme=origin.scheme, host=origin.host, port=origin.port)

    async def ask(self, request: Outgoing, limits: Timeouts) -> Answer:
        message = self._message(request, limits)
        try:
            response = await self._transport.handle_async_request(message)
        except httpx2.TransportError as error:
            raise translate(error) from error
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        received: Fields = response.extensions.get("raw_headers", response.headers.raw)
        content = _Content(response.stream)
        return Answer(response.status_code, received, content, content.aclose)

    def _message(self, request: Outgoing, limits: Timeouts) -> httpx2.Request:
        seconds = {
            "connect": limits.connect,
            "first_byte": limits.first_byte,
            "read": limits.idle,
            "write": limits.write,
            "pool": limits.pool,
        }
        extensions = {"target": request.target, "timeout": seconds, "on_informational": request.on_informational}
        stream = _NO_BODY if request.body is None else _Body(request.body)
        message = httpx2.Request(
            request.method, self._url, headers=request.fields, stream=stream, extensions=extensions
        )
        message.method = request.method  # httpx2 changes its case; methods are case-sensitive (RFC 9110 §9.1)
        return message


_NO_BODY = httpx2.ByteStream(b"")


class _Body(httpx2.AsyncByteStream):
    """A request's content, in httpx2's clothes."""

    def __init__(self, body: AsyncIterable[bytes]) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)


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
