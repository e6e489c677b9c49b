"""A request on the wire: its head as exact bytes, its content framed as its own fields say (RFC 9112 §3, §5, §6)."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence

from app.upstream.errors import ProxyError, UpstreamError


def request_head(method: str, target: bytes, fields: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Nothing added, nothing removed. Raises UpstreamError (http_request_error) for what would split the request."""
    lines = [b"%b %b HTTP/1.1\r\n" % (method.encode("latin-1", "replace"), target)]
    lines += [b"%b: %b\r\n" % field for field in fields]
    lines.append(b"\r\n")
    head = b"".join(lines)
    ends = len(lines)
    if lines[0].count(b" ") != 2 or head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise UpstreamError(ProxyError.HTTP_REQUEST_ERROR, "a line break, NUL or space where none may be")
    return head


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


def request_body(head: bytes, stream: AsyncIterable[bytes]) -> RequestBody | None:
    """The content that the head announces (RFC 9112 §6: only these two fields do), or None.

    Raises UpstreamError (http_request_error) for framing that two readers could understand differently.
    """
    folded = head.lower()
    if b"\r\ncontent-length:" not in folded and b"\r\ntransfer-encoding:" not in folded:
        return None
    lengths, codings = _values(folded, b"content-length"), _values(folded, b"transfer-encoding")
    expects_continue = b"100-continue" in _values(folded, b"expect")
    if codings:
        if lengths or codings[-1] != b"chunked" or b"chunked" in codings[:-1]:
            raise UpstreamError(ProxyError.HTTP_REQUEST_ERROR, "its framing is ambiguous")
        return RequestBody(stream, None, expects_continue)
    if len(lengths) != 1 or not lengths[0].isdigit():
        raise UpstreamError(ProxyError.HTTP_REQUEST_ERROR, "its Content-Length is not one number")
    length = int(lengths[0])
    return RequestBody(stream, length, expects_continue) if length else None


def closes_connection(head: bytes) -> bool:
    """Whether the request itself says that it is the last on its connection (RFC 9112 §9.6)."""
    folded = head.lower()
    return b"\r\nconnection:" in folded and b"close" in _values(folded, b"connection")


def _values(folded: bytes, name: bytes) -> list[bytes]:
    """The members of every such field line of a lower-cased head, in order."""
    values: list[bytes] = []
    for line in folded.split(b"\r\n")[1:]:
        if line.startswith(name + b":"):
            values += [member.strip() for member in line[len(name) + 1 :].split(b",")]
    return values
