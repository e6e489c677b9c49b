"""Heads pass untouched both ways, and every way to frame a response is read right (RFC 9112 §3 to §7)."""

from __future__ import annotations

import asyncio

import pytest

from app.upstream import ProxyError, UpstreamError
from tests.live.raw_origin import Wire, answers, closing, content, on_each_loop, serving

pytestmark = pytest.mark.live

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"


@on_each_loop
@pytest.mark.parametrize("target", [b"/a/../b", b"/%zz", b"/'?q=\"<>", b"/\xe4\xff", b"//x", b"/a?b?c#d", b"*"])
async def test_the_target_is_sent_as_it_came(target: bytes) -> None:
    async with serving(answers(EMPTY)) as (origin, client):
        await client.fetch(target)
    assert origin.requests == [b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"]


@on_each_loop
async def test_request_fields_keep_case_order_duplicates_and_bytes_and_nothing_is_added() -> None:
    async with serving(answers(EMPTY)) as (origin, client):
        await client.fetch(b"/", (b"x-B", b"\x80\xff"), (b"X-A", b"1"), (b"x-b", b""), (b"X-A", b"1"), method="pAtCh")
    assert origin.requests == [
        b"pAtCh / HTTP/1.1\r\nHost: localhost\r\nx-B: \x80\xff\r\nX-A: 1\r\nx-b: \r\nX-A: 1\r\n\r\n"
    ]


@on_each_loop
@pytest.mark.parametrize(
    ("method", "target", "field"),
    [
        ("GET", b"/a b", (b"A", b"1")),
        ("GET", b"/a\r\nb", (b"A", b"1")),
        ("G ET", b"/", (b"A", b"1")),
        ("GET", b"/", (b"A", b"1\r\nB: 2")),
        ("GET", b"/", (b"A", b"1\n2")),
        ("GET", b"/", (b"A", b"\0")),
    ],
)
async def test_what_would_split_a_request_is_refused(method: str, target: bytes, field: tuple[bytes, bytes]) -> None:
    async with serving(answers(EMPTY)) as (origin, client):
        with pytest.raises(UpstreamError) as caught:
            await client.fetch(target, field, method=method)
        assert (caught.value.error, caught.value.status) == (ProxyError.HTTP_REQUEST_ERROR, 400)
        assert origin.requests == []


@on_each_loop
async def test_response_fields_keep_case_order_duplicates_and_bytes() -> None:
    head = b"Set-Cookie: a=1\r\nx-odd:\t\xe4\x80\xff b\t \r\nset-cookie: b=2\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"
    async with serving(answers(b"HTTP/1.1 299 \xfcber\r\n" + head)) as (_, client):
        answer = await client.get()
        assert answer.status == 299
        assert answer.headers == [
            (b"Set-Cookie", b"a=1"),
            (b"x-odd", b"\xe4\x80\xff b"),
            (b"set-cookie", b"b=2"),
            (b"X-Empty", b""),
            (b"Content-Length", b"0"),
        ]
        assert await content(answer) == b""


GZIP = b"\x1f\x8b\x08\0not really"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

# method, response, its content, may the connection be used again
FRAMES = [
    ("GET", OK + b"Content-Length: 3\r\n\r\nabc", b"abc", True),
    ("GET", OK + b"Content-Encoding: gzip\r\nContent-Length: 14\r\n\r\n" + GZIP[:14], GZIP[:14], True),
    ("GET", OK + CHUNKED + b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n", b"abcde", True),
    ("GET", OK + b"Transfer-Encoding: gzip, Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc", True),
    ("GET", OK + b"Content-Length: 9\r\n" + CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", b"abc", False),
    ("GET", OK + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc", False),
    ("GET", OK + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    ("GET", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", b"abc", True),
    ("GET", b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", b"abc", True),
    ("GET", b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", b"", True),
    ("GET", b"HTTP/1.1 304 Not\r\nContent-Length: 3\r\n\r\n", b"", True),
    ("GET", b"HTTP/1.1 304 Not\r\n" + CHUNKED, b"", True),
    ("GET", b"HTTP/1.1 304 Not\r\n\r\n", b"", True),
    ("HEAD", OK + b"Content-Length: 3\r\n\r\n", b"", True),
    ("HEAD", OK + CHUNKED, b"", True),
    ("HEAD", OK + b"\r\n", b"", True),
    ("HEAD", OK + b"Connection: close\r\n\r\n", b"", False),
    ("HEAD", b"HTTP/1.0 200 OK\r\n\r\n", b"", False),
    ("GET", OK + b"Content-Length: 10\r\n\r\n" + b"0123456789" + b"x" * 26, b"0123456789", False),
    ("GET", OK + b"Content-Length: 2\r\n\r\nabH", b"ab", False),
    ("GET", OK + b"Content-Length: 2\r\n\r\nab" + EMPTY, b"ab", False),
    ("GET", OK + CHUNKED + b"0\r\n\r\nrest", b"", False),
    ("HEAD", OK + b"Content-Length: 3\r\n\r\nabc", b"", False),
    ("HEAD", OK + CHUNKED + b"3", b"", False),
    ("HEAD", OK + CHUNKED + b"0\r\n\r\n", b"", False),
    ("GET", b"HTTP/1.1 204 No\r\n\r\nabc", b"", False),
]


@on_each_loop
@pytest.mark.parametrize(("method", "response", "expected", "reusable"), FRAMES)
async def test_content_ends_where_it_should(method: str, response: bytes, expected: bytes, reusable: bool) -> None:
    async with serving(answers(response, response)) as (origin, client):
        for _ in range(2):
            assert await client.fetch(method=method) == expected
        assert origin.connections == (1 if reusable else 2)
        assert await client.settled() == (0, 1 if reusable else 0)


@on_each_loop
@pytest.mark.parametrize(("method", "response", "expected", "reusable"), FRAMES)
async def test_and_so_it_does_byte_by_byte(method: str, response: bytes, expected: bytes, reusable: bool) -> None:
    async def bytewise(wire: Wire) -> None:
        await wire.head()
        for i in range(len(response)):
            await wire.send(response[i : i + 1])
        await wire.closed()

    async with serving(bytewise) as (_, client):
        assert await client.fetch(method=method) == expected


@on_each_loop
@pytest.mark.parametrize(
    "response",
    [
        OK + b"\r\nall of it",
        b"HTTP/1.0 200 OK\r\n\r\nall of it",
        OK + b"Transfer-Encoding: FOO\r\n\r\nall of it",
        OK + b"Transfer-Encoding: chunked, FOO\r\nContent-Length: 3\r\n\r\nall of it",
    ],
)
async def test_content_may_end_with_the_connection(response: bytes) -> None:
    async with serving(closing(response)) as (origin, client):
        assert await client.fetch() == b"all of it"
        assert await client.fetch() == b"all of it"
    assert origin.connections == 2


@on_each_loop
@pytest.mark.parametrize(
    "response",
    [
        OK + b"Content-Length: 9\r\n\r\nabc",
        OK + CHUNKED + b"3\r\nabc\r\n",
        OK + CHUNKED + b"3\r\nabc\r\n0\r\n",
    ],
)
async def test_a_cut_response_gives_what_came_then_an_error(response: bytes) -> None:
    async with serving(closing(response)) as (_, client):
        answer = await client.get()
        assert await anext(answer.body) == b"abc"
        with pytest.raises(UpstreamError) as caught:
            await anext(answer.body)
        assert caught.value.error is ProxyError.HTTP_RESPONSE_INCOMPLETE
        assert caught.value.status == 502


@on_each_loop
async def test_a_reset_connection_is_no_end_of_content() -> None:
    go = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(OK + b"\r\nabc")
        await go.wait()
        wire.reset()

    async with serving(script) as (_, client):
        answer = await client.get()
        assert await anext(answer.body) == b"abc"
        go.set()
        with pytest.raises(UpstreamError) as caught:
            await anext(answer.body)
        assert caught.value.error is ProxyError.HTTP_RESPONSE_INCOMPLETE


@on_each_loop
@pytest.mark.parametrize("status", [200, 299, 418, 451, 499, 599])
async def test_odd_status_codes_pass(status: int) -> None:
    async with serving(answers(b"HTTP/1.1 %d\r\nContent-Length: 0\r\n\r\n" % status)) as (_, client):
        answer = await client.get()
        assert (answer.status, await content(answer)) == (status, b"")


@on_each_loop
@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20 X\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        OK + b"Content-Length: -3\r\n\r\n",
        OK + b"Bad Name: 1\r\n\r\n",
        OK + b"X: " + b"a" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
        OK + b"X: " + b"a" * 70_000,
        OK + b"X: 1\r\n" * 14_000 + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 3_000,
    ],
)
async def test_what_is_not_a_response_is_a_protocol_error(response: bytes) -> None:
    async with serving(answers(response)) as (_, client):
        with pytest.raises(UpstreamError) as caught:
            await client.get()
        assert (caught.value.error, caught.value.status) == (ProxyError.HTTP_PROTOCOL_ERROR, 502)


@on_each_loop
async def test_content_that_stops_being_chunked_is_a_protocol_error() -> None:
    async with serving(answers(OK + CHUNKED + b"3\r\nabc\r\nzz\r\n")) as (_, client):
        answer = await client.get()
        assert await anext(answer.body) == b"abc"
        with pytest.raises(UpstreamError) as caught:
            await anext(answer.body)
        assert caught.value.error is ProxyError.HTTP_PROTOCOL_ERROR


@on_each_loop
async def test_a_large_head_within_the_limit_passes() -> None:
    value = b"a" * 60_000
    async with serving(answers(OK + b"X: " + value + b"\r\nContent-Length: 100000\r\n\r\n" + b"b" * 100_000)) as (_, c):
        answer = await c.get()
        assert answer.headers[0] == (b"X", value)
        assert len(await content(answer)) == 100_000


@on_each_loop
async def test_informational_responses_are_offered_and_skipped() -> None:
    hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Go\r\n\r\n"
    seen: list[tuple[int, list[tuple[bytes, bytes]]]] = []
    async with serving(answers(hints + OK + b"Content-Length: 3\r\n\r\nabc")) as (_, client):
        headers = [(b"Host", b"x")]
        answer = await client.send("GET", b"/", headers, None, on_informational=lambda *one: seen.append(one))
        assert (answer.headers, await content(answer)) == ([(b"Content-Length", b"3")], b"abc")
        assert client.connections == (0, 1)
    assert seen == [(103, [(b"Link", b"</a>")]), (102, [])]


@on_each_loop
@pytest.mark.parametrize(
    ("method", "response", "whole"),
    [
        ("GET", OK + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        ("GET", OK + CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        ("GET", EMPTY, b""),
        ("HEAD", OK + b"Content-Length: 3\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 204 No\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 304 Not\r\n\r\n", b""),
        ("GET", OK + b"Content-Length: 4\r\n\r\nabc", None),
        ("GET", OK + CHUNKED + b"3\r\nabc\r\n", None),
        ("GET", OK + b"Content-Length: 3\r\n\r\n", None),
    ],
)
async def test_content_that_came_with_the_head_is_there_at_once(
    method: str, response: bytes, whole: bytes | None
) -> None:
    async with serving(answers(response)) as (_, client):
        answer = await client.get(method=method)
        assert answer.whole == whole
        assert client.connections == ((1, 0) if whole is None else (0, 1)), "nothing is left to close"
        if whole is not None:
            assert await content(answer) == whole
            assert await content(answer) == b""
        await answer.aclose()
