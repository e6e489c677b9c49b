"""What we change in uvicorn's HTTP protocol: bounds on heads and on the time they take, no chunks for HTTP/1.0, no
trailers among the fields, and clients that are noticed when they leave (RFC 9112 §6.1, §9.3.2, RFC 9110 §6.5, §15.5.9).

What it needs of uvicorn's inside, without which tests/live/test_protocol.py fails: HttpToolsProtocol has `transport`,
`loop`, `parser`, `cycle`, `pipeline`, `_start_asgi_task` and the callbacks of httptools; a cycle has `send`,
`run_asgi`, `disconnected`, `message_event`, `response_complete`, `chunked_encoding`, `expected_content_length`.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.arrival import ABORT
from app.core.refusing import LONGEST_HEAD, LONGEST_TARGET

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGISendEvent

# Room for both limits, and for the line ends that they do not count; and how many field lines may share it.
LONGEST = LONGEST_HEAD + LONGEST_TARGET + 16 * 2**10
MOST_LINES = 500
# How long a head may take to come, from the first byte of the connection or of the request.
HEAD_SECONDS = 60.0

DECLINED = b"x-declined-upgrade"


def _refusal(status: bytes, page: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(page)) + page


TOO_LARGE = _refusal(b"431 Request Header Fields Too Large", b"swerve: the request's head is too large\n")
TOO_LATE = _refusal(b"408 Request Timeout", b"swerve: the request's head did not come in time\n")


class HeadRefused(Exception):
    """Ends the parsing of a head that has been answered."""


class Protocol(HttpToolsProtocol):
    """One connection of a client."""

    _in_head = True
    _head_bytes = 0
    _quiet_bytes = 0
    _lines = 0
    _late: asyncio.TimerHandle | None = None
    _serving: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        self._kept = bytearray()
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn tells only the last request of a pipeline that its client has left; all of them must know."""
        self._head_came()
        waiting = [cycle for cycle, _ in self.pipeline]
        self.pipeline.clear()
        for cycle in (self._serving, *waiting):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_received(data)
            return
        self._quiet_bytes += len(data)
        super().data_received(data)
        if self._quiet_bytes > LONGEST and not self._in_head:
            self.transport.abort()  # trailers without end: the parser would keep all of them

    def _head_received(self, data: bytes) -> None:
        """Heads reach the parser whole, so that an Upgrade can be judged by the whole of it."""
        self._unset_keepalive_if_required()
        self._expect_head()
        self._head_bytes += len(data)
        searched = max(0, len(self._kept) - 3)
        self._kept += data if self._kept else data.lstrip(b"\r\n")
        if self._kept.find(b"\r\n\r\n", searched) < 0:
            if self._head_bytes > LONGEST:
                self._refuse(TOO_LARGE)
            return
        whole, self._kept = bytes(self._kept), bytearray()
        super().data_received(without_upgrade(whole))

    def handle_websocket_upgrade(self) -> None:
        if self._busy():
            self.transport.close()  # behind a request that is being answered there is no place for another protocol
        else:
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        if self._busy():
            self.cycle.keep_alive = False  # what comes after garbage is lost; what came before it is answered
        elif not self.transport.is_closing():
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        self._in_head, self._lines = True, 0
        self._expect_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer: never to be taken for a field of the head
        self._lines += 1
        if self._lines <= MOST_LINES and name.lower() != DECLINED:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_came()
        if self._lines > MOST_LINES:
            self._refuse(TOO_LARGE)
            raise HeadRefused
        self.scope["extensions"] = cast(Any, {ABORT: self.transport.abort})  # an extension of our own
        super().on_headers_complete()
        if self.parser.get_http_version() == "1.0" and self.cycle is not None:
            self.cycle.__class__ = UntilClose

    def on_body(self, body: bytes) -> None:
        self._quiet_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._head_bytes, self._quiet_bytes = True, 0, 0

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._serving = cycle
        super()._start_asgi_task(cycle, app)

    def _busy(self) -> bool:
        """Whether a response is under way, into which nothing else may be written."""
        return bool(self.pipeline) or (self._serving is not None and not self._serving.response_complete)

    def _expect_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        self._late = None
        if self._busy():  # we may be the ones who do not read
            self._expect_head()
        else:
            self._refuse(TOO_LATE)

    def _head_came(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, response: bytes) -> None:
        if self._busy():
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.write(response)
            self.transport.close()


def without_upgrade(data: bytes) -> bytes:
    """A whole head and what follows it, its Upgrade declined if it is none to a WebSocket (RFC 9110 §7.8).

    The parser takes whatever follows an Upgrade for another protocol, the body included; clients that offer h2c with
    each request (curl --http2, Java's) mean HTTP/1.1 when nobody takes it up.
    """
    if b"pgrade" not in data:
        return data
    head = data.partition(b"\r\n\r\n")[0].lower()
    at = head.find(b"\r\nupgrade:")
    if at < 0 or (head.startswith(b"get ") and head[at + 10 :].partition(b"\r\n")[0].strip() == b"websocket"):
        return data
    return data[: at + 2] + DECLINED + data[at + 9 :]


class UntilClose(RequestResponseCycle):
    """The answer to an HTTP/1.0 client: a body without a length ends where the connection does."""

    until_close = False

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            names = {name for name, _ in message.get("headers", ())}
            self.until_close = b"content-length" not in names
            if self.until_close:
                self.chunked_encoding, self.expected_content_length = False, cast(int, math.inf)
        elif message["type"] == "http.response.body" and self.until_close and not message.get("more_body", False):
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)

    async def run_asgi(self, app: ASGI3Application) -> None:
        await super().run_asgi(app)
        if self.until_close and not self.response_complete:
            self.transport.abort()  # the only way to tell that the body broke off
