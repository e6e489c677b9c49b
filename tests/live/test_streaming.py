"""Bodies pass through as they come, both ways, in bounded memory; framing is right for old and odd peers (RFC 9112)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from time import perf_counter

import pytest

from tests.live.raw_client import Caller, calling, get
from tests.live.raw_origin import Wire
from tests.live.routed_origin import END, Handler, RoutedOrigin, chunk, field, ok, response, says
from tests.live.swerve import MIB, Swerve, swerve, within

pytestmark = pytest.mark.live

GIB = 2**30
BLOCK = b"0123456789abcdef" * (MIB // 16)
FRESH = "Cache-Control: s-maxage=60"
NO_STORE = "Cache-Control: no-store"
CHUNKED = "Transfer-Encoding: chunked"


@asynccontextmanager
async def behind(handlers: dict[str, Handler], *flags: str) -> AsyncIterator[tuple[RoutedOrigin, Swerve]]:
    """An origin and a Swerve, which must still answer when the test is done."""
    ping = says(ok(b"pong", NO_STORE))
    async with RoutedOrigin({**handlers, "/ping": ping}) as origin, swerve(origin.url, *flags) as proxy:
        yield origin, proxy
        assert (await get(proxy.port, "/ping")).body == b"pong"


# As it comes.


@within(20)
@pytest.mark.parametrize(
    "lines",
    [("Content-Type: text/event-stream", "Cache-Control: no-cache"), (NO_STORE,), (FRESH,)],
    ids=["events", "unshared", "stored"],
)
async def test_each_piece_arrives_before_the_next_is_sent(lines: tuple[str, ...]) -> None:
    pieces = [b"data: %d\n\n" % number for number in range(50)]
    wanted, sent, latencies = asyncio.Semaphore(1), [0.0], []

    async def handler(wire: Wire, _: bytes) -> None:
        head = response(b"", CHUNKED, *lines)
        for piece in pieces:
            await wanted.acquire()
            sent[0] = perf_counter()
            await wire.send(head + chunk(piece))
            head = b""
        await wire.send(END)

    async with behind({"/stream": handler}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/stream")
        received = []
        async for piece in client.pieces(await client.head()):
            latencies.append(perf_counter() - sent[0])
            received.append(piece)
            wanted.release()
        assert received == pieces
        first, rest = latencies[0] * 1000, sorted(value * 1000 for value in latencies[1:])
        print(f"first byte after {first:.1f} ms; later pieces median {median(rest):.2f} ms, worst {rest[-1]:.2f} ms")
        assert first < 50
        assert median(rest) < 50


@within(20)
async def test_an_event_stream_ends_with_its_client() -> None:
    left, ended = [0.0], asyncio.get_running_loop().create_future()

    async def handler(wire: Wire, _: bytes) -> None:
        await wire.send(response(chunk(b"data: 1\n\n"), CHUNKED, "Content-Type: text/event-stream"))
        await wire.closed()
        ended.set_result(perf_counter() - left[0])

    async with behind({"/events": handler}) as (_, proxy):
        async with calling(proxy.port) as client:
            await client.ask("/events")
            await anext(client.pieces(await client.head()))
            left[0] = perf_counter()
        print(f"the origin's connection closed {await ended * 1000:.1f} ms after the client had left")
        assert await ended < 1


@within(20)
async def test_both_directions_stream_at_once() -> None:
    async def echo(wire: Wire, _: bytes) -> None:
        await wire.send(response(b"", CHUNKED, NO_STORE))
        while size := int(await wire.reader.readuntil(b"\r\n"), 16):
            await wire.send(chunk(await wire.reader.readexactly(size)))
            await wire.reader.readexactly(2)
        await wire.reader.readexactly(2)
        await wire.send(END)

    async with behind({"/echo": echo}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/echo", CHUNKED, method="POST")
        pieces = client.pieces(await client.head())
        for number in range(20):
            await client.send(chunk(b"word %d" % number))
            assert await anext(pieces) == b"word %d" % number
        await client.send(END)
        assert [piece async for piece in pieces] == []


@within(20)
async def test_a_client_may_leave_while_both_directions_stream() -> None:
    closed = asyncio.Event()

    async def answer_and_wait(wire: Wire, _: bytes) -> None:
        await wire.send(response(chunk(b"word"), CHUNKED, NO_STORE))
        await wire.closed()
        closed.set()

    async with behind({"/echo": answer_and_wait}) as (_, proxy), calling(proxy.port) as client:
        await client.ask("/echo", CHUNKED, method="POST")
        assert await anext(client.pieces(await client.head())) == b"word"
        client.leave()
        await closed.wait()


# In bounded memory.


def report(what: str, grown: int, took: float, size: int = GIB) -> None:
    print(f"{what}: {size / MIB / took:.0f} MiB/s, peak memory grew by {grown / MIB:.1f} MiB")


@within(60)
@pytest.mark.parametrize(
    "lines",
    [(f"Content-Length: {GIB}", NO_STORE), (f"Content-Length: {GIB}", FRESH), (CHUNKED, NO_STORE), (CHUNKED, FRESH)],
    ids=["length", "length-storable", "chunked", "chunked-storable"],
)
async def test_a_large_download_passes_through(lines: tuple[str, ...]) -> None:
    chunked = CHUNKED in lines

    async def handler(wire: Wire, _: bytes) -> None:
        await wire.send(response(b"", *lines))
        block = chunk(BLOCK) if chunked else BLOCK
        for _number in range(GIB // MIB):
            await wire.send(block)
        await wire.send(END if chunked else b"")

    async with behind({"/large": handler, "/small": says(ok(BLOCK, FRESH))}) as (origin, proxy):
        await get(proxy.port, "/small")
        before, started = proxy.memory(), perf_counter()
        async with calling(proxy.port) as client:
            await client.ask("/large")
            size = 0
            async for piece in client.pieces(await client.head()):
                if size % MIB == 0:
                    assert piece[:16] == BLOCK[:16]
                size += len(piece)
        assert size == GIB
        grown = proxy.memory() - before
        report(" ".join(lines), grown, perf_counter() - started)
        assert grown < 64 * MIB
        assert origin.count("/large") == 1


@within(60)
@pytest.mark.parametrize("framing", [f"Content-Length: {GIB}", CHUNKED], ids=["length", "chunked"])
async def test_a_large_upload_passes_through(framing: str) -> None:
    chunked = framing == CHUNKED

    async def read(wire: Wire, size: int) -> int:
        left = size
        while left:
            piece = await wire.reader.read(min(left, 2**18))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
        return size

    async def handler(wire: Wire, head: bytes) -> None:
        size = 0
        if field(head, "transfer-encoding") == "chunked":
            while length := int(await wire.reader.readuntil(b"\r\n"), 16):
                size += await read(wire, length)
                assert await wire.reader.readexactly(2) == b"\r\n"
            assert await wire.reader.readexactly(2) == b"\r\n"
        else:
            size = await read(wire, int(field(head, "content-length") or 0))
        await wire.send(ok(b"%d" % size))

    async with behind({"/large": handler}) as (_, proxy):
        await post(proxy, BLOCK)
        before, started = proxy.memory(), perf_counter()
        async with calling(proxy.port) as client:
            await client.ask("/large", framing, method="POST")
            block = chunk(BLOCK) if chunked else BLOCK
            for _ in range(GIB // MIB):
                await client.send(block)
            await client.send(END if chunked else b"")
            assert (await client.answer()).body == b"%d" % GIB
        grown = proxy.memory() - before
        report(f"POST {framing}", grown, perf_counter() - started)
        assert grown < 64 * MIB


async def post(proxy: Swerve, body: bytes) -> None:
    async with calling(proxy.port) as client:
        assert (await client.post("/large", body)).status == 200


@within(40)
@pytest.mark.parametrize("control", [NO_STORE, FRESH])
async def test_a_reader_that_stops_stops_the_origin(control: str) -> None:
    total, sent = 256 * MIB, [0]
    stalled = asyncio.Event()

    async def handler(wire: Wire, _: bytes) -> None:
        await wire.send(response(b"", f"Content-Length: {total}" if control == NO_STORE else CHUNKED, control))
        while sent[0] < total:
            sent[0] += MIB
            wire.writer.write(BLOCK if control == NO_STORE else chunk(BLOCK))
            try:
                await asyncio.wait_for(wire.writer.drain(), 1)  # nothing moves for a second: it has come to a halt
            except TimeoutError:
                stalled.set()
                await wire.writer.drain()
        if control != NO_STORE:
            await wire.send(END)

    async with behind({"/large": handler, "/small": says(ok(BLOCK))}) as (_, proxy):
        await get(proxy.port, "/small")
        before = proxy.memory()
        async with calling(proxy.port, SO_RCVBUF=2**16) as client:
            await client.ask("/large")
            head = await client.head()
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await stalled.wait()
            grown = proxy.memory() - before
            print(f"{control}: the origin could send {sent[0] / MIB:.0f} MiB, the proxy grew by {grown / MIB:.1f} MiB")
            assert sent[0] < 48 * MIB  # most of it in the kernel's buffers on the way
            assert grown < 32 * MIB
            client.writer.transport.resume_reading()  # type: ignore[attr-defined]
            assert sum([len(piece) async for piece in client.pieces(head)]) == total


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
        caller = Caller(reader, None, "localhost")  # type: ignore[arg-type]
        with pytest.raises(asyncio.IncompleteReadError):
            await caller.answer()

    asyncio.run(main())
