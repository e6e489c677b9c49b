"""What we change in uvicorn's HTTP protocol: a bound on heads, and no chunks for HTTP/1.0 (RFC 9112 §6.1, RFC 6585 §5).

What it needs of uvicorn's inside, and tests/live/test_streaming.py fails without: HttpToolsProtocol has `transport`,
`cycle` and the callbacks of httptools; a cycle has `send`, `run_asgi`, `chunked_encoding`, `expected_content_length`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.core.refusing import LONGEST_HEAD, LONGEST_TARGET

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGISendEvent

# Room for both, and for the names, colons and line ends that their limits do not count.
LONGEST = LONGEST_HEAD + LONGEST_TARGET + 16 * 2**10
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-type: text/plain\r\n"
    b"content-length: 32\r\n\r\nswerve: the head never came full"
)


class Protocol(HttpToolsProtocol):
    """One connection of a client."""

    _head_bytes = 0
    _in_head = True

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > LONGEST and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
        if self.parser.get_http_version() == "1.0" and self.cycle is not None:
            self.cycle.__class__ = UntilClose

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._head_bytes = True, 0


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
