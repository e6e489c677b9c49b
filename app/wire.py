"""Responses as they go on the wire (RFC 9112 §4, §5)."""

from __future__ import annotations

import http
from collections.abc import Iterable, Sequence

Pairs = Iterable[tuple[bytes, bytes]]

# Less of a response's body than this is dearer to hand over by itself than to copy behind the head.
SMALL = 16 * 2**10
# The same where it is copied for each response.
SMALL_ANEW = 4 * 2**10


def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


STATUS_LINES = {status: _status_line(status) for status in range(100, 600)}


def written_head(status: int, pairs: Pairs, *, late: bool = False) -> bytes:
    """A response's head as it goes on the wire. Raises RuntimeError for what would end a line or the head early.

    `late`: there may be slots in it that are filled when it leaves (app/core/speech.py)."""
    lines = [b"%b: %b\r\n" % pair for pair in pairs]
    head = b"".join((STATUS_LINES[status], *lines, b"\r\n"))
    if head.count(b"\n") != len(lines) + 2 or head.count(b"\r") != len(lines) + 2 or (not late and b"\0" in head):
        raise RuntimeError("a header field has a line end or NUL in it")
    return head


def written(head: bytes, parts: Sequence[bytes], small: int = SMALL) -> list[bytes]:
    """A head and its body as they are handed over: a small body in one piece with the head, a large one uncopied."""
    if sum(map(len, parts)) <= small:
        return [b"".join((head, *parts))]
    return [head, *parts]
