"""A head that is none is refused and its connection closed, whatever is stored for it (RFC 9112 §2.2, §3, §5)."""

from __future__ import annotations

import pytest

from tests.live.wire import World, both_ways
from tests.live.wire_client import get

BAD = "400 closed"
HIT = "200 HIT open"
LINE = "GET /a HTTP/1.1\r\nHost: h\r\n"


def with_line(line: str) -> bytes:
    return f"{LINE}{line}\r\n\r\n".encode("latin-1")


LINE_ENDS = {
    "LF alone": (b"GET /a HTTP/1.1\nHost: h\n\n", f"{BAD} or {HIT}"),
    "LF after the request line": (b"GET /a HTTP/1.1\nHost: h\r\n\r\n", f"{BAD} or {HIT}"),
    "LF after a field": (b"GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", f"{BAD} or {HIT}"),
    "LF at the end": (b"GET /a HTTP/1.1\r\nHost: h\r\n\n", f"{BAD} or {HIT}"),
    "LF twice at the end": (b"GET /a HTTP/1.1\r\nHost: h\n\n", f"{BAD} or {HIT}"),
    "CR alone": (b"GET /a HTTP/1.1\rHost: h\r\r", BAD),
    "CR after the request line": (b"GET /a HTTP/1.1\rHost: h\r\n\r\n", BAD),
    "CR in a value": (with_line("X: a\rb"), BAD),
    "CR in a name": (with_line("X\ry: a"), BAD),
    "CR before the colon": (with_line("X\r: a"), BAD),
    "CR after the colon": (with_line("X:\ra"), BAD),
    "CR at the end of a value": (with_line("X: a\r"), BAD),
    "CR in the target": (b"GET /a\rb HTTP/1.1\r\nHost: h\r\n\r\n", BAD),
}

CHARACTERS = {
    "NUL in the target": (get("/a\0b"), BAD),
    "NUL in a name": (with_line("X\0: a"), BAD),
    "NUL in a value": (with_line("X: a\0b"), BAD),
    "NUL in the method": (b"G\0T /a HTTP/1.1\r\nHost: h\r\n\r\n", BAD),
    "NUL in the version": (b"GET /a HTTP/1.1\0\r\nHost: h\r\n\r\n", BAD),
    "NUL before it all": (b"\0" + get(), BAD),
    "a control character in a value": (with_line("X: a\x01b"), f"{BAD} or {HIT}"),
    "DEL in a value": (with_line("X: a\x7fb"), f"{BAD} or {HIT}"),
    "a control character in a name": (with_line("X\x01: a"), BAD),
    "a control character in the target": (get("/a\x01"), BAD),
    "a tab in the target": (get("/a\tb"), BAD),
    "bytes beyond ASCII in a value": (with_line("X: \xff\xe4"), HIT),
    "bytes beyond ASCII in a name": (with_line("X\xe4: a"), BAD),
    "bytes beyond ASCII in the target": (get("/a\xe4"), BAD),
    "bytes beyond ASCII in the query": (get("/a?\xe4"), BAD),
    "bytes beyond ASCII in the method": (get(method="G\xcbT"), BAD),
}

FIELDS = {
    "a folded value": (with_line("X: a\r\n b"), f"{BAD} or {HIT}"),
    "a value folded by a tab": (with_line("X: a\r\n\tb"), f"{BAD} or {HIT}"),
    "a folded Host": (b"GET /a HTTP/1.1\r\nHost:\r\n h\r\n\r\n", f"{BAD} or {HIT}"),
    "a space before the first field": (b"GET /a HTTP/1.1\r\n Host: other\r\nHost: h\r\n\r\n", f"{BAD} or {HIT}"),
    "a space before the colon": (with_line("X : a"), BAD),
    "a tab before the colon": (with_line("X\t: a"), BAD),
    "a space in a name": (with_line("X y: a"), BAD),
    "no name": (with_line(": a"), BAD),
    "no colon": (with_line("X"), BAD),
    "no name and no value": (with_line(":"), BAD),
    "a separator in a name": (with_line("X(y): a"), BAD),
    "a slash in a name": (with_line("X/y: a"), BAD),
    "a quote in a name": (with_line('"X": a'), BAD),
    "an empty value": (with_line("X:"), HIT),
    "no space after the colon": (with_line("X:a"), HIT),
    "white space around a value": (with_line("X: \t a \t "), HIT),
    "odd but right characters in a name": (with_line("!#$%&'*+.^`|~9: a"), HIT),
}

REQUEST_LINES = {
    "HTTP/0.9": (b"GET /a\r\n\r\n", f"{BAD} or 505 closed"),
    "HTTP/0.9 with a space": (b"GET /a \r\n\r\n", f"{BAD} or 505 closed"),
    "HTTP/0.9 that says so": (get(version="0.9"), f"{BAD} or 505 closed"),
    "a method in lower case": (get(method="get"), f"{BAD} or 501 closed or 501 open"),
    "a method in mixed case": (get(method="Get"), f"{BAD} or 501 closed or 501 open"),
    "no target": (b"GET HTTP/1.1\r\nHost: h\r\n\r\n", BAD),
    "an empty target": (b"GET  HTTP/1.1\r\nHost: h\r\n\r\n", BAD),
    "a space in the target": (get("/a b"), BAD),
    "a word too many": (b"GET /a HTTP/1.1 x\r\nHost: h\r\n\r\n", BAD),
    "a space before it": (b" " + get(), f"{BAD} or {HIT}"),
    "a space after it": (b"GET /a HTTP/1.1 \r\nHost: h\r\n\r\n", f"{BAD} or {HIT}"),
    "two spaces": (b"GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", f"{BAD} or {HIT}"),
    "tabs": (b"GET\t/a\tHTTP/1.1\r\nHost: h\r\n\r\n", f"{BAD} or {HIT}"),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", f"{BAD} or 505 closed"),
    "HTTP/2.0": (get(version="2.0"), f"{BAD} or 505 closed"),
    "HTTP/3.0": (get(version="3.0"), f"{BAD} or 505 closed"),
    "HTTP/1.2": (get(version="1.2"), f"{BAD} or {HIT}"),
    "HTTP/1": (get(version="1"), BAD),
    "HTTP/1.10": (get(version="1.10"), BAD),
    "HTTP/01.1": (get(version="01.1"), BAD),
    "HTTP/1.1x": (get(version="1.1x"), BAD),
    "HTTP/1,1": (get(version="1,1"), BAD),
    "http/1.1": (b"GET /a http/1.1\r\nHost: h\r\n\r\n", BAD),
    "another protocol": (b"GET /a RTSP/1.0\r\nHost: h\r\n\r\n", BAD),
    "another protocol's method": (b"SOURCE /a ICE/1.0\r\nHost: h\r\n\r\n", BAD),
    "a TLS handshake": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", BAD),
    "another protocol altogether": (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", BAD),
}

CASES = LINE_ENDS | CHARACTERS | FIELDS | REQUEST_LINES


@both_ways()
@pytest.mark.parametrize(("data", "right"), CASES.values(), ids=CASES)
async def test_a_head_that_is_none_is_refused(world: World, data: bytes, right: str) -> None:
    assert (await world.settled(data)).said() in right.split(" or ")
    assert world.seen() == []
    assert (await world.told(get())).said() == HIT, "and nobody else is the worse for it"


GARBAGE = ["CR in a value", "NUL in the target", "no colon", "HTTP/0.9", "a method in lower case", "a TLS handshake"]


@both_ways()
@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("count", [1, 3])
async def test_what_comes_before_garbage_is_answered_and_the_garbage_refused(
    world: World, name: str, count: int
) -> None:
    hits, (garbage, right) = get() * count, CASES[name]
    before = ", ".join(["200 HIT"] * count)
    cut = await world.settled(hits, garbage, get("/b"))
    assert cut.said() in [f"{before}, {one}" for one in right.split(" or ")]
    joined = await world.settled(hits + garbage + get("/b"))
    assert joined.said() in (cut.said(), f"{before} closed")
    assert world.seen() == []


@both_ways()
@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage_is_refused_however_it_is_cut(world: World, name: str) -> None:
    garbage, right = CASES[name]
    for cut in range(1, len(garbage)):
        assert (await world.told(garbage[:cut], garbage[cut:])).said() in right.split(" or "), cut
