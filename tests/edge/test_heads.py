"""Heads that need no parser (app/heads.py)."""

from __future__ import annotations

from app.core.messages import Headers
from app.heads import fields_of, first_line, is_plain

HEAD = b"GET /a HTTP/1.1\r\nHost: h\r\nX-Request-Id:  7\t\r\nAccept: a\r\naccept: b\r\n\r\n"


def test_the_fields_of_a_plain_head() -> None:
    assert (is_plain(HEAD), first_line(HEAD)) == (True, b"GET /a HTTP/1.1")
    assert fields_of(HEAD) == ((b"host", b"h"), (b"x-request-id", b"7"), (b"accept", b"a"), (b"accept", b"b"))
    headers = Headers.lowered(fields_of(HEAD))
    assert (headers.lines("cookie"), headers.get("x-request-id"), headers.lines("accept")) == ([], "7", ["a", "b"])
    assert "host" in headers
