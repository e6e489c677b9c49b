"""A raw origin that answers by path, connection after connection, and can be hit by a thousand clients at once."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType

from tests.live.processes import LOOPBACK
from tests.live.raw_origin import RawOrigin, Wire

Handler = Callable[[Wire, bytes], Awaitable[None]]


def ok(body: bytes = b"ok", *lines: str) -> bytes:
    """A response that states its length."""
    return response(body, f"Content-Length: {len(body)}", *lines)


def response(body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def says(data: bytes) -> Handler:
    """Always that answer."""

    async def handler(wire: Wire, _: bytes) -> None:
        await wire.send(data)

    return handler


def field(head: bytes, name: str) -> str | None:
    """A field of a request head."""
    for line in head.decode("latin-1").split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return None


class RoutedOrigin(RawOrigin):
    """`handlers` by path; one may change while it runs. Another path gets a 404 that is not stored.

    A handler reads a request's body, if there is one, and sends an answer, or leaves one out and closes the wire.
    """

    def __init__(self, handlers: Mapping[str, Handler], *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._script, tls=tls)
        self.handlers = dict(handlers)
        self._port = port
        self._tls_context = tls
        self._wires: set[Wire] = set()

    @property
    def port(self) -> int:
        return int(self._port)

    @property
    def url(self) -> str:
        return f"https://localhost:{self._port}" if self._tls_context else f"http://{LOOPBACK}:{self._port}"

    def count(self, path: str) -> int:
        """How often that path was asked for."""
        return sum(_path(head) == path for head in self.requests)

    async def __aenter__(self) -> RoutedOrigin:
        self._server = await asyncio.start_server(
            self._serve, LOOPBACK, self._port, ssl=self._tls_context, backlog=4096, limit=2**20
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and drop every connection, as an origin does that is killed."""
        self._server.close()
        for wire in self._wires:
            wire.writer.transport.abort()
        await super().__aexit__(kind, error, trace)

    async def _script(self, wire: Wire) -> None:
        self._wires.add(wire)
        try:
            await self._answer_all(wire)
        finally:
            self._wires.discard(wire)

    async def _answer_all(self, wire: Wire) -> None:
        while True:
            head = await wire.head()
            handler = self.handlers.get(_path(head))
            if handler is None:
                await wire.send(response(b"", "Content-Length: 0", "Cache-Control: no-store", status="404 Not Found"))
            else:
                await handler(wire, head)


def _path(head: bytes) -> str:
    return head.split(b" ", 2)[1].decode("latin-1").partition("?")[0]
