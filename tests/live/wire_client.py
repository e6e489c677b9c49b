"""A client in raw bytes: what it sends comes in the segments in which it sends them, and it keeps all that it hears."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from tests.live.wire_answers import Fate, Heard

# Loop turns in which whatever is on its way comes to where it waits: nothing here takes longer, the clock stands still.
TURNS = 120
PIECE_TURNS = 4  # so that the server reads a piece before the next one comes
LIMIT = 3.0  # seconds that a client waits for what must come


async def turns(count: int = TURNS) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def get(target: str = "/a", *lines: str, method: str = "GET", version: str = "1.1", host: str | None = "h") -> bytes:
    """A request's head."""
    fields = [*([f"Host: {host}"] if host is not None else []), *lines]
    return "\r\n".join([f"{method} {target} HTTP/{version}", *fields, "", ""]).encode("latin-1")


def post(target: str, body: bytes, *lines: str) -> bytes:
    return get(target, f"Content-Length: {len(body)}", *lines, method="POST") + body


# What is refused, without a look at the store, on every connection that still serves.
PROBE, PROBED = get("/probe", method="TRACE"), b"(method-refused)\n"


class Client:
    """One connection, by a socket that nothing reads but the test. `tell`: to tell all that was heard."""

    def __init__(self, raw: socket.socket, tell: Callable[[bytes, Fate], Heard]) -> None:
        self._raw = raw
        self._tell = tell
        self.data = b""
        self.fate: Fate = "open"

    async def send(self, *pieces: bytes) -> None:
        """Each piece is a segment of its own. What a server that has gone does not take is lost."""
        for piece in pieces:
            with suppress(ConnectionError):
                async with asyncio.timeout(LIMIT):
                    await asyncio.get_running_loop().sock_sendall(self._raw, piece)
            await turns(PIECE_TURNS)

    async def hear(self, *, until: bytes | None = None, after: int = 0, turns: int = TURNS) -> bytes:
        """All that has come on this connection: until nothing more comes, or until what came `after` so many bytes ends
        so or the time is up."""
        quiet, deadline = 0, asyncio.get_running_loop().time() + LIMIT
        while self.fate == "open" and (quiet < turns if until is None else not self.data.endswith(until, after)):
            try:
                piece = self._raw.recv(2**20)
            except BlockingIOError:
                if asyncio.get_running_loop().time() > deadline:
                    break
                quiet += 1
                await asyncio.sleep(0)
                continue
            except ConnectionError:
                self.fate = "reset"
                break
            quiet = 0
            self.data += piece
            if not piece:
                self.fate = "closed"
        return self.data

    async def ends(self) -> Heard:
        """All that comes until the server ends the connection, or the time is up."""
        deadline = asyncio.get_running_loop().time() + LIMIT
        while self.fate == "open" and asyncio.get_running_loop().time() < deadline:
            await self.hear(turns=1)
        return self.so_far()

    async def probe(self) -> Heard:
        """What has come, and whether the connection still serves, or waits for more of a request."""
        await self.hear()
        if self.fate == "open":
            before = len(self.data)
            await self.send(PROBE)
            if (await self.hear(until=PROBED, after=before)).endswith(PROBED, before):
                self.data = self.data[: self.data.rindex(b"HTTP/1.1 405 ")]
            elif self.fate == "open":
                self.fate = "waiting"
        return self.so_far()

    def so_far(self) -> Heard:
        """What has come."""
        return self._tell(self.data, self.fate)

    async def half_close(self) -> None:
        """Say that no more will come, and go on listening."""
        self._raw.shutdown(socket.SHUT_WR)
        await turns(PIECE_TURNS)

    def leave(self) -> None:
        """Go without a word: RST, not FIN."""
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._raw.close()

    def write(self, data: bytes) -> int:
        """As much of it as the kernel takes at once."""
        try:
            return self._raw.send(data)
        except BlockingIOError:
            return 0

    async def read(self, size: int) -> bytes:
        """At most so many bytes, once there are any; none at the end."""
        async with asyncio.timeout(LIMIT):
            while True:
                with suppress(BlockingIOError):
                    return self._raw.recv(size)
                await asyncio.sleep(0)
