"""A request on the wire: its head as exact bytes, its content framed as its own fields say (RFC 9112 §3, §5, §6)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass

from app.upstream.errors import ProxyError, UpstreamError
from app.upstream.messages import Outgoing


@dataclass(slots=True)
class Framed:
    """`head` ends with the empty line; `last` on its connection, as it says itself (RFC 9112 §9.6)."""

    head: bytes
    body: RequestBody | None
    last: bool


class RequestBody:
    """Content to send: `length` bytes if Content-Length said so, chunked if `length` is None.

    `expects_continue`: the stream is not pulled before the origin had its say (RFC 9110 §10.1.1).
    """

    def __init__(self, stream: AsyncIterable[bytes], length: int | None, expects_continue: bool) -> None:
        self.stream = stream
        self.expects_continue = expects_continue
        self._chunked = length is None
        self._left = length or 0

    @property
    def wants_more(self) -> bool:
        """False once Content-Length bytes are framed: nothing may follow them on this connection."""
        return self._chunked or self._left > 0

    def frame(self, data: bytes) -> Iterable[bytes]:
        """The pieces to write for `data` (not empty: an empty chunk would end the message). Raises UpstreamError."""
        if self._chunked:
            return (b"%x\r\n" % len(data), data, b"\r\n")
        self._left -= len(data)
        if self._left < 0:
            raise UpstreamError(ProxyError.HTTP_REQUEST_ERROR, "its content is longer than its Content-Length")
        return (data,)

    def last(self) -> bytes:
        """What ends the message. Raises UpstreamError if content is missing."""
        if self._left:
            raise UpstreamError(ProxyError.HTTP_REQUEST_ERROR, "its content is shorter than its Content-Length")
        return b"0\r\n\r\n" if self._chunked else b""


def framed(request: Outgoing) -> Framed:
    """Raises UpstreamError (http_request_error) for what two readers could understand differently."""
    head = _head(request)
    folded = head.lower()
    if _FRAMING.search(folded) is None:  # as in nearly every request
        return Framed(head, None, False)
    return Framed(head, _body(folded, request.body), b"close" in _values(folded, b"connection"))


# The fields that matter to a connection.
_FRAMING = re.compile(rb"\r\n(?:content-length|transfer-encoding|connection):")


def _head(request: Outgoing) -> bytes:
    """Nothing added, nothing removed."""
    first = b"%b %b HTTP/1.1" % (request.method.encode("latin-1", "replace"), request.target)
    lines = [first, *map(b": ".join, request.fields), b"", b""]
    head = b"\r\n".join(lines)
    ends = len(lines) - 1
    if first.count(b" ") != 2 or head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise UpstreamError(ProxyError.HTTP_REQUEST_ERROR, "a line break, NUL or space where none may be")
    return head


def _body(folded: bytes, stream: AsyncIterable[bytes] | None) -> RequestBody | None:
    """The content that the head announces (RFC 9112 §6: only these two fields do), or None."""
    lengths, codings = _values(folded, b"content-length"), _values(folded, b"transfer-encoding")
    if not lengths and not codings:
        return None
    expects_continue = b"100-continue" in _values(folded, b"expect")
    stream = _nothing() if stream is None else stream
    if codings:
        if lengths or codings[-1] != b"chunked" or b"chunked" in codings[:-1]:
            raise UpstreamError(ProxyError.HTTP_REQUEST_ERROR, "its framing is ambiguous")
        return RequestBody(stream, None, expects_continue)
    if len(lengths) != 1 or not lengths[0].isdigit():
        raise UpstreamError(ProxyError.HTTP_REQUEST_ERROR, "its Content-Length is not one number")
    length = int(lengths[0])
    return RequestBody(stream, length, expects_continue) if length else None


def _values(folded: bytes, name: bytes) -> list[bytes]:
    """The members of every such field line of a lower-cased head, in order."""
    values: list[bytes] = []
    for line in folded.split(b"\r\n")[1:]:
        if line.startswith(name + b":"):
            values += [member.strip() for member in line[len(name) + 1 :].split(b",")]
    return values


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
