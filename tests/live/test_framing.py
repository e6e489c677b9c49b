"""Heads and framing for peers that are old, odd or wary (RFC 9110 §10.1.1, RFC 9112)."""

from __future__ import annotations

import asyncio

import pytest

from tests.live.raw_client import Caller, calling, get
from tests.live.raw_origin import Wire
from tests.live.routed_origin import END, chunk, field, ok, response, says
from tests.live.routed_swerve import behind
from tests.live.streamed import BLOCK, CHUNKED, FRESH, GIB, NO_STORE
from tests.live.swerve import MIB, within

pytestmark = pytest.mark.live


# Expect: 100-continue (RFC 9110 §10.1.1).


@within(20)
async def test_the_client_is_told_to_continue_when_the_origin_says_so() -> None:
    asked, allowed = asyncio.Event(), asyncio.Event()

    async def handler(wire: Wire, head: bytes) -> None:
        assert field(head, "expect") == "100-continue"
        asked.set()
        await allowed.wait()
        await wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await wire.send(ok(await wire.reader.readexactly(5)))

    async with behind({"/upload": handler}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/upload", "Content-Length: 5", "Expect: 100-continue", method="PUT")
        first = asyncio.ensure_future(client.one_head())
        await asked.wait()
        await get(proxy.port, "/ping")
        assert not first.done(), "100 before the origin said so"
        allowed.set()
        assert (await first).status == 100
        await client.send(b"hello")
        answer = await client.answer()
        assert (answer.status, answer.interim, answer.body) == (200, [], b"hello")


@within(20)
@pytest.mark.parametrize("status", ["413 Content Too Large", "417 Expectation Failed", "401 Unauthorized"])
async def test_a_refusal_comes_instead_of_100(status: str) -> None:
    refuse = says(response(b"no", "Content-Length: 2", status=status))
    async with behind({"/upload": refuse}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/upload", "Content-Length: 5000000", "Expect: 100-continue", method="PUT")
        answer = await client.answer()
        assert (answer.status, answer.interim, answer.body) == (int(status[:3]), [], b"no")


@within(20)
async def test_an_origin_that_knows_no_100_gets_the_body_a_little_later() -> None:
    async def handler(wire: Wire, _: bytes) -> None:
        await wire.send(ok(await wire.reader.readexactly(5)))

    async with behind({"/upload": handler}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/upload", "Content-Length: 5", "Expect: 100-continue", method="PUT")
        assert (await client.one_head()).status == 100
        await client.send(b"hello")
        assert (await client.answer()).body == b"hello"


@within(20)
async def test_an_early_refusal_reaches_a_client_that_is_still_sending() -> None:
    refuse = says(response(b"no", "Content-Length: 2", "Connection: close", status="413 Content Too Large"))
    async with behind({"/upload": refuse}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/upload", f"Content-Length: {GIB}", method="PUT")
        await client.send(BLOCK)
        answer = await client.answer()
        assert (answer.status, answer.body) == (413, b"no")


# Old and odd peers.


@within(20)
@pytest.mark.parametrize(
    "version",
    [
        "1.0",
        "1.1",
    ],
)
async def test_a_client_that_knows_no_chunks_gets_none(version: str) -> None:
    stream = says(response(chunk(b"hello ") + chunk(b"world") + END, CHUNKED, NO_STORE))
    async with behind({"/stream": stream}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/stream", version=version)
        head = await client.head()
        if version == "1.0":
            assert head.header("transfer-encoding") is None, "RFC 9112 §6.1"
        assert b"".join([piece async for piece in client.pieces(head)]) == b"hello world"


@within(20)
async def test_a_client_of_http_1_0_is_answered_and_the_connection_closed() -> None:
    async with behind({"/page": says(ok(b"page", FRESH))}) as (origin, proxy):
        for _ in range(2):
            async with calling(proxy.port) as client:
                await client.send(b"GET /page HTTP/1.0\r\n\r\n")
                assert (await client.answer()).body == b"page"
                assert await client.closed() == b""
        assert origin.count("/page") == 1


@within(20)
@pytest.mark.parametrize("length", ["", "Content-Length: 5\r\n"])
async def test_an_origin_of_http_1_0_is_understood(length: str) -> None:
    async def handler(wire: Wire, _: bytes) -> None:
        await wire.send(f"HTTP/1.0 200 OK\r\n{FRESH}\r\n{length}\r\nhello".encode())
        wire.writer.close()

    async with behind({"/page": handler}) as (origin, proxy), calling(proxy.port) as client:
        for _ in range(3):
            answer = await client.get("/page")
            assert (answer.version, answer.status, answer.body) == ("HTTP/1.1", 200, b"hello")
        assert origin.count("/page") == 1


@within(20)
async def test_large_heads_pass_both_ways() -> None:
    cookie, policy = "c" * 30_000, "p" * 60_000

    async def handler(wire: Wire, head: bytes) -> None:
        assert field(head, "cookie") == cookie
        await wire.send(ok(b"ok", f"Content-Security-Policy: {policy}", NO_STORE))

    async with behind({"/large": handler}) as (_, proxy):
        answer = await get(proxy.port, "/large", f"Cookie: {cookie}")
        assert answer.header("content-security-policy") == policy


@within(20)
async def test_a_request_head_has_a_bound() -> None:
    """Design §10: everything has one."""
    async with behind({}) as (_, proxy), calling(proxy.port) as client:
        before = proxy.memory()
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        refused = asyncio.ensure_future(client.head())
        try:
            for number in range(32):
                await client.send(b"X-%d: %b\r\n" % (number, BLOCK))
                if refused.done():
                    break
        except ConnectionError:
            pass
        grown = proxy.memory() - before
        print(f"after {number + 1} MiB of head the proxy had grown by {grown / MIB:.1f} MiB")
        refused.cancel()
        await asyncio.gather(refused, return_exceptions=True)
        assert grown < 8 * MIB


@within(20)
async def test_trailers_stop_here() -> None:
    async def handler(wire: Wire, _: bytes) -> None:
        body = await wire.reader.readuntil(END)
        assert body == chunk(b"up") + END
        await wire.send(response(chunk(b"down") + b"0\r\nX-Trailer: evil\r\n\r\n", CHUNKED, NO_STORE))

    async with behind({"/trailers": handler}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/trailers", CHUNKED, method="POST")
        await client.send(chunk(b"up") + b"0\r\nX-Trailer: evil\r\n\r\n")
        assert (await client.answer()).body == b"down"
        assert (await client.get("/ping")).body == b"pong"


@within(20)
@pytest.mark.parametrize("control", [NO_STORE, FRESH])
async def test_answers_without_a_body_keep_the_connection(control: str) -> None:
    async def page(wire: Wire, head: bytes) -> None:
        answer = ok(b"page", control, 'ETag: "1"')
        await wire.send(answer.removesuffix(b"page") if head.startswith(b"HEAD") else answer)

    handlers = {
        "/page": page,
        "/empty": says(response(b"", control, status="204 No Content")),
        "/same": says(response(b"", control, 'ETag: "1"', status="304 Not Modified")),
    }
    async with behind(handlers) as (_, proxy), calling(proxy.port) as client:
        for _ in range(2):
            head = await client.get("/page", method="HEAD")
            assert (head.status, head.header("content-length"), head.body) == (200, "4", b"")
            assert (await client.get("/page")).body == b"page"
            empty = await client.get("/empty")
            assert (empty.status, empty.header("content-length"), empty.header("transfer-encoding")) == (
                204,
                None,
                None,
            )
            same = await client.get("/same", 'If-None-Match: "1"')
            assert (same.status, same.header("etag")) == (304, '"1"')
            unchanged = await client.get("/page", 'If-None-Match: "1"')
            assert (unchanged.status, unchanged.header("etag")) == (304, '"1"')
        assert (await client.get("/ping")).body == b"pong"


@within(20)
async def test_requests_sent_together_are_answered_in_order() -> None:
    handlers = {f"/{name}": says(ok(name.encode(), FRESH)) for name in ("a", "b", "c")}
    async with behind(handlers) as (_, proxy), calling(proxy.port) as client:
        for _ in range(2):
            await asyncio.gather(*(client.ask(path) for path in ("/a", "/b", "/c", "/a")))
            assert [(await client.answer()).body for _ in range(4)] == [b"a", b"b", b"c", b"a"]


def test_the_caller_is_strict() -> None:
    """What the tests above rely on."""

    async def main() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")
        reader.feed_eof()
        caller = Caller(reader, None, "localhost")  # type: ignore[arg-type]  # it only reads here
        with pytest.raises(asyncio.IncompleteReadError):
            await caller.answer()

    asyncio.run(main())
