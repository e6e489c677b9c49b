"""Bodies pass through as they come, both ways, in bounded memory."""

from __future__ import annotations

import asyncio
from statistics import median
from time import perf_counter

import pytest

from tests.live.raw_client import calling, get
from tests.live.raw_origin import Wire
from tests.live.routed_origin import END, chunk, field, ok, response, says
from tests.live.routed_swerve import behind
from tests.live.streamed import BLOCK, CHUNKED, FRESH, GIB, NO_STORE
from tests.live.swerve import MIB, Swerve, within

pytestmark = pytest.mark.live


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
