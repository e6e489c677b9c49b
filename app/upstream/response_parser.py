"""Bytes of one response to its head and content, without I/O (RFC 9112 §4, §6.3, §7).

httptools does the grammar; the framing rules around it are here, and its quirks end here: it never skips the content
of a HEAD response, knows no end of input, and says nothing of surplus bytes but the beginning of another message.
"""

from __future__ import annotations

import httptools

from app.upstream.errors import ProxyError, UpstreamError, translate
from app.upstream.messages import Fields, OnInformational

HEAD_LIMIT = 64 * 1024


class ResponseParser:
    """One response. `chunks` is the content so far: whoever reads it empties it.

    `fields` keep case, order and duplicates. `continues` tells that 100 came (RFC 9110 §15.2.1), `surplus` that bytes
    came after the end, `persistent` whether the connection outlives the message (RFC 9112 §9.3), `ends_with_input`
    that the message is as long as its connection lives (§6.3): then whoever feeds it sets `complete`.
    """

    def __init__(self, method: str, on_informational: OnInformational | None = None) -> None:
        self.status = 0
        self.reason = b""
        self.version = ""
        self.started = False
        self.continues = False
        self.head_complete = False
        self.complete = False
        self.persistent = False
        self.surplus = False
        self.ends_with_input = False
        self._interim = False
        self._invalid = ""
        self.fields: Fields = []
        self.chunks: list[bytes] = []
        self._to_head = method == "HEAD"
        self._on_informational = on_informational
        self._head_received = 0
        # Transfer-Encoding beside Content-Length wins (RFC 9112 §6.3); a bare LF ends a line (§2.2).
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_chunked_length=True, lenient_optional_cr_before_lf=True)

    def feed(self, data: bytes) -> None:
        """Take more bytes. Raises UpstreamError (http_protocol_error) for what is not a response."""
        self.started = True
        if not self.head_complete:
            self._head_received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete and not self._invalid:
                raise translate(error) from error
            self.surplus = True
        if not self.head_complete and self._head_received > HEAD_LIMIT:
            self._invalid = "its head is too large"
        if self._invalid:
            raise UpstreamError(ProxyError.HTTP_PROTOCOL_ERROR, self._invalid)
        if self.complete and self._to_head and not data.endswith(b"\n"):
            self.surplus = True  # the start of content that a HEAD response may not have

    def release(self) -> None:
        """Break the cycle between this object and its parser, so that neither waits for the collector."""
        del self._parser

    # What httptools calls while it is fed.

    def on_message_begin(self) -> None:
        self.surplus = self.complete

    def on_status(self, reason: bytes) -> None:
        if not self.head_complete:
            self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_complete:  # else a trailer field: dropped (RFC 9110 §6.5.1)
            self.fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        if self.head_complete:
            return
        self.status = self._parser.get_status_code()
        self._interim = 100 <= self.status < 200
        if self.status == 101:
            self._invalid = "it switches protocols and nobody asked"
        elif self._interim:
            self._informational()
        elif not 200 <= self.status <= 599:
            self._invalid = f"its status is {self.status}"
        elif self._head_received > HEAD_LIMIT and self._head_size() > HEAD_LIMIT:
            self._invalid = "its head is too large"
        else:
            self._final()

    def on_chunk_header(self) -> None:
        self.surplus = self.surplus or self.complete

    def on_body(self, data: bytes) -> None:
        if self.complete:
            self.surplus = True
        else:
            self.chunks.append(data)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        elif self.head_complete:
            self.complete = True

    def _informational(self) -> None:
        """1xx (RFC 9110 §15.2): 100 answers Expect, all others are offered and skipped."""
        if self.status == 100:
            self.continues = True
        elif self._on_informational is not None:
            self._on_informational(self.status, self.fields)
        self.fields, self.reason = [], b""

    def _final(self) -> None:
        names = [name.lower() for name, _ in self.fields]
        coded, sized = b"transfer-encoding" in names, b"content-length" in names
        unframed = not coded and not sized
        self.version = self._parser.get_http_version()
        self.head_complete = True
        self.complete = self._to_head or self.status in (204, 304)
        # httptools expects content until close after a HEAD response that states no length: there is none.
        keeps = self._keeps_alive() if self.complete and unframed else self._parser.should_keep_alive()
        self.persistent = keeps and not (coded and sized)
        self.ends_with_input = unframed or (coded and self._members(b"transfer-encoding")[-1] != b"chunked")

    def _keeps_alive(self) -> bool:
        """RFC 9112 §9.3, for messages of which httptools thinks otherwise."""
        return self.version == "1.1" and b"close" not in self._members(b"connection")

    def _members(self, name: bytes) -> list[bytes]:
        joined = b",".join(value for key, value in self.fields if key.lower() == name)
        return [member.strip().lower() for member in joined.split(b",")]

    def _head_size(self) -> int:
        """Bytes of the fields: what has arrived may be content too."""
        return sum(len(name) + len(value) + len(b": \r\n") for name, value in self.fields)
