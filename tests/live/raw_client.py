"""A client in raw bytes on a real socket: strict about framing, and free to do what well-behaved ones never do."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.live.processes import LOOPBACK

PIECE = 2**18


@dataclass(slots=True)
class Answer:
    """A response. `interim`: the 1xx that came before it."""

    version: str
    status: int
    fields: list[tuple[str, str]]
    body: bytes = b""
    interim: list[int] = field(default_factory=list)

    def lines(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        lines = self.lines(name)
        return ", ".join(lines) if lines else None


class Caller:
    """One connection, one request at a time. What breaks off raises IncompleteReadError or ConnectionError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self.reader = reader
        self.writer = writer
        self._host = host
        self._method = "GET"

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, target: str, *lines: str, method: str = "GET", version: str = "1.1") -> None:
        """Send a request's head; `lines` are field lines as on the wire."""
        self._method = method
        host = () if any(line.lower().startswith("host:") for line in lines) else (f"Host: {self._host}",)
        head = "\r\n".join([f"{method} {target} HTTP/{version}", *host, *lines, "", ""])
        await self.send(head.encode("latin-1"))

    async def head(self) -> Answer:
        """Read the head of the final response."""
        interim: list[int] = []
        while (answer := await self._one_head()).status < 200:
            interim.append(answer.status)
        answer.interim = interim
        return answer

    async def one_head(self) -> Answer:
        """Read the next head, also one of 1xx."""
        return await self._one_head()

    async def pieces(self, answer: Answer) -> AsyncIterator[bytes]:
        """The body of that head, as it comes."""
        if self._method == "HEAD" or answer.status in (204, 304):
            return
        length = answer.header("content-length")
        if answer.header("transfer-encoding") is not None:
            assert answer.header("transfer-encoding") == "chunked", answer.fields
            assert length is None, answer.fields
            while size := int(await self._line(), 16):
                async for piece in self._exactly(size):
                    yield piece
                assert await self.reader.readexactly(2) == b"\r\n"
            assert await self._line() == b"", "no trailers"
        elif length is not None:
            async for piece in self._exactly(int(length)):
                yield piece
        else:
            while piece := await self.reader.read(PIECE):
                yield piece

    async def answer(self) -> Answer:
        """Read a whole response."""
        answer = await self.head()
        answer.body = b"".join([piece async for piece in self.pieces(answer)])
        return answer

    async def get(self, target: str, *lines: str, method: str = "GET") -> Answer:
        await self.ask(target, *lines, method=method)
        return await self.answer()

    async def post(self, target: str, body: bytes, *lines: str) -> Answer:
        await self.ask(target, f"Content-Length: {len(body)}", *lines, method="POST")
        await self.send(body)
        return await self.answer()

    async def closed(self) -> bytes:
        """Wait until the other end is gone; what it sent until then."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def leave(self) -> None:
        """Go without a word: RST, not FIN."""
        with socket.socket(fileno=os.dup(self.writer.get_extra_info("socket").fileno())) as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def _line(self) -> bytes:
        return (await self.reader.readuntil(b"\r\n"))[:-2]

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        while size:
            piece = await self.reader.read(min(size, PIECE))
            if not piece:
                raise asyncio.IncompleteReadError(b"", size)
            size -= len(piece)
            yield piece

    async def _one_head(self) -> Answer:
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *rest = head.decode("latin-1")[:-4].split("\r\n")
        version, status, _ = first.split(" ", 2)
        fields = []
        for line in rest:
            name, colon, value = line.partition(":")
            assert colon, line
            assert name.strip() == name, line
            fields.append((name, value.strip(" \t")))
        return Answer(version, int(status), fields)


@asynccontextmanager
async def calling(port: int, tls: ssl.SSLContext | None = None, **options: int) -> AsyncIterator[Caller]:
    """A connection until the block ends. `options`: of the socket, by the name of its constant."""
    raw = socket.socket()
    for name, value in options.items():
        raw.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, (LOOPBACK, port))
    reader, writer = await asyncio.open_connection(
        sock=raw, ssl=tls, server_hostname="localhost" if tls else None, limit=2 * PIECE
    )
    try:
        yield Caller(reader, writer, f"localhost:{port}")
    finally:
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def get(port: int, target: str, *lines: str, method: str = "GET") -> Answer:
    """One request on a connection of its own."""
    async with calling(port) as caller:
        return await caller.get(target, *lines, method=method)


async def all_at_once(port: int, target: str, fields: Sequence[Sequence[str]]) -> list[Answer]:
    """As many clients as there are `fields`, all connected before the first of them asks."""
    ready = asyncio.Barrier(len(fields))

    async def one(lines: Sequence[str]) -> Answer:
        async with calling(port) as caller:
            await ready.wait()
            return await caller.get(target, *lines)

    return list(await asyncio.gather(*map(one, fields)))
