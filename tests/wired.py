"""A client of our own server's protocol, in process and without sockets: bytes in, bytes out, on a loop that the test
turns."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import uvicorn

from app.asgi import Application
from app.server import proxy_server
from app.settings import Settings
from app.upstream.response_parser import ResponseParser
from tests.driver import Received


class Wire(asyncio.Transport):
    """A transport that keeps what was written, for a client with that address."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 40_000), "sockname": ("127.0.0.1", 8080)})
        self.written = bytearray()
        self.news = asyncio.Event()
        self.closing = False

    def write(self, data: Any) -> None:
        self.written += data
        self.news.set()

    def close(self) -> None:
        self.closing = True
        self.news.set()

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


@dataclass
class WiredServer:
    """An application behind our protocol."""

    application: Application
    settings: Settings
    config: uvicorn.Config = field(init=False)

    def __post_init__(self) -> None:
        server = proxy_server(self.settings, self.application)
        self.config, self.state = server.config, server.server_state
        self.config.load()

    async def exchange(self, address: str, method: str, data: bytes) -> Received:
        """What one client receives for one request on a connection of its own."""
        wire, make = Wire(address), cast(Any, self.config.http_protocol_class)
        protocol = make(config=self.config, server_state=self.state, app_state={})
        protocol.connection_made(wire)
        protocol.data_received(data)
        parser, fed = ResponseParser(method), 0
        try:
            while not parser.complete and not (wire.closing and fed == len(wire.written)):
                await wire.news.wait()
                wire.news.clear()
                parser.feed(bytes(wire.written[fed:]))
                fed = len(wire.written)
        finally:
            protocol.connection_lost(None)
        return received(parser)


def received(parser: ResponseParser) -> Received:
    framing = (b"transfer-encoding", b"connection")
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in parser.fields if name not in framing
    ]
    return Received(parser.status, headers, b"".join(parser.chunks), not parser.complete)


@dataclass
class WiredClient:
    """As tests.driver.Client, over the wire."""

    server: WiredServer
    host: str = "localhost:8080"
    address: str = "192.0.2.7"

    async def request(
        self, method: str, target: str, headers: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> Received:
        lines = [*([("host", self.host)] if self.host else []), *(headers or [])]
        if body:
            lines.append(("content-length", str(len(body))))
        fields = "".join(f"{name}: {value}\r\n" for name, value in lines)
        head = f"{method} {target} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")
        return await self.server.exchange(self.address, method, head + body)
