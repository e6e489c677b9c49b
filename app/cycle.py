"""One request on a connection and its answer: ASGI's receive and send, and what our own edge says without them.

A response is framed by its Content-Length, by chunks where it has none, or for HTTP/1.0 by the end of the connection
(RFC 9112 §6.3, §7.1).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from starlette.types import ASGIApp, Message, Scope

from app.core.deliver import BODYLESS_STATUSES
from app.wire import Pairs, written, written_head

log = logging.getLogger("uvicorn.error")

# More of a request's body than this waits in the kernel.
HIGH_WATER = 64 * 2**10


class Line(Protocol):
    """What a cycle needs of its connection."""

    transport: asyncio.Transport
    write_paused: bool

    async def drained(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def answered(self) -> None: ...


class Cycle:
    """`gone`: the client has left. `complete`: the answer is written. `cancels`: what runs is for this client alone and
    ends when it leaves. `task` runs the application. `head`: the request's own bytes, where its answer may be given
    again to the next who sends the same."""

    task: asyncio.Task[None]

    def __init__(self, line: Line, scope: Scope, *, keep_alive: bool) -> None:
        self.line = line
        self.head: bytes | None = None
        self.scope = scope
        self.keep_alive = keep_alive
        self.gone = self.complete = self.started = self.cancels = False
        self.body = bytearray()
        self.more_body = True
        self._news = False
        self._waiter: asyncio.Future[None] | None = None
        self._continued = False
        self._chunked = self._until_close = False
        self._left = 0

    async def run(self, app: ASGIApp) -> None:
        """Run the application. One that ends without an answer has failed; the client sees a broken transfer."""
        try:
            await app(self.scope, self.receive, self.send)
        except BaseException as error:
            log.error("Exception in ASGI application\n", exc_info=error)
            if not isinstance(error, Exception):
                raise
        finally:
            self.scope.pop("extensions", None)  # where we stand ourselves: nothing of us waits for the collector
        if self.complete or self.gone:
            return
        if not self.started:
            log.error("ASGI callable returned without starting response.")
            self.keep_alive = False
            await self.whole(500, [(b"content-type", b"text/plain; charset=utf-8")], [b"Internal Server Error"])
        elif self._until_close:
            self.line.transport.abort()  # the only way to tell that the body broke off
        else:
            self.line.transport.close()

    # What the connection tells.

    def feed(self, data: bytes) -> None:
        """A piece of the request's body."""
        if self.complete:
            return
        self.body += data
        if len(self.body) > HIGH_WATER:
            self.line.pause_reading()
        self._tell()

    def end(self) -> None:
        """The request is there as a whole."""
        self.more_body = False
        self._tell()

    def leave(self) -> None:
        """The client has left."""
        if not (self.complete or self.gone):
            self.gone = True
            self._tell()
            if self.cancels:
                self.task.cancel()

    def _tell(self) -> None:
        self._news = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # ASGI.

    async def receive(self) -> Message:
        self._permit()
        if not (self.gone or self.complete):
            self.line.resume_reading()
            if not self._news:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
        self._news = False
        if self.gone or self.complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def _permit(self) -> None:
        """100 to a client that waits for it, once its body is wanted and no answer has begun (RFC 9110 §10.1.1)."""
        if self._continued or self.started or self.scope["http_version"] != "1.1":
            return
        self._continued = True
        if any(name == b"expect" and value.lower() == b"100-continue" for name, value in self.scope["headers"]):
            self.line.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start" and not self.started:
            await self.start(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and self.started and not self.complete:
            if body := message.get("body", b""):
                await self.write(body)
            if not message.get("more_body", False):
                self.finish()
        elif not self.gone:
            raise RuntimeError(f"Unexpected ASGI message {kind!r}.")

    # The same in fewer steps.

    async def whole(self, status: int, pairs: Pairs, parts: Sequence[bytes]) -> None:
        """A whole answer at once."""
        if self.line.write_paused:
            await self.line.drained()
        if self.gone:
            return
        fields, size = list(pairs), sum(map(len, parts))
        if self._bodyless(status):
            parts, size = (), 0
        elif not _values(fields, b"content-length"):
            fields.append((b"content-length", b"%d" % size))
        head = written_head(status, self._framed(status, fields))
        self._left -= size
        self._check_length()
        self.started = True
        self.line.transport.writelines(written(head, parts))
        self.finish()

    async def start(self, status: int, pairs: Pairs) -> None:
        """The head of an answer whose body follows."""
        if self.line.write_paused:
            await self.line.drained()
        if not self.gone:
            self.started = True
            self.line.transport.write(written_head(status, self._framed(status, list(pairs))))

    async def write(self, data: bytes) -> None:
        """A piece of the body; waits while the client reads too slowly."""
        if self.line.write_paused:
            await self.line.drained()
        if self.gone or self.scope["method"] == "HEAD":
            return
        if self._chunked:
            self.line.transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
            return
        self._left -= len(data)
        if self._left < 0 and not self._until_close:
            raise RuntimeError("Response content longer than Content-Length")
        self.line.transport.write(data)

    def finish(self) -> None:
        """The body is whole."""
        if self.gone:
            return
        if self._chunked:
            self.line.transport.write(b"0\r\n\r\n")
        self._check_length()
        self.complete = True
        self._tell()
        if not self.keep_alive:
            self.line.transport.close()
        self.line.answered()

    def abort(self) -> None:
        """Break the connection off, without waiting for its client to read."""
        self.line.transport.abort()

    def _check_length(self) -> None:
        if self._left and not self._until_close:
            raise RuntimeError(f"Response content {'shorter' if self._left > 0 else 'longer'} than Content-Length")

    def _bodyless(self, status: int) -> bool:
        return self.scope["method"] == "HEAD" or status in BODYLESS_STATUSES

    def _framed(self, status: int, fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The fields with those that frame the message, and say whether the connection outlives it (RFC 9112 §9.6)."""
        length = _values(fields, b"content-length")
        closing = any(b"close" in value.lower() for value in _values(fields, b"connection"))
        if self._bodyless(status):
            self._left = 0
        elif length:
            self._left = int(length[0])
        elif self.scope["http_version"] == "1.0":
            self._until_close, self.keep_alive = True, False
        else:
            self._chunked = True
            if not _values(fields, b"transfer-encoding"):
                fields.append((b"transfer-encoding", b"chunked"))
        self.keep_alive = self.keep_alive and not closing
        if not self.keep_alive and not closing:
            fields.append((b"connection", b"close"))
        return fields


def _values(fields: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in fields if key == name]
