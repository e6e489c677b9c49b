"""Raw bytes against the server's protocol: what uvicorn alone would get wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from app import protocol
from app.heads import without_upgrade
from app.protocol import Protocol
from app.server import Server

REQUEST = b"GET /%s HTTP/1.1\r\nHost: h\r\n"


@asynccontextmanager
async def serving(app: Callable[..., Any]) -> AsyncIterator[int]:
    """An application behind the protocol, in this process, on a free port."""
    config = uvicorn.Config(
        app, port=0, http=Protocol, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    config.load()
    loop = asyncio.get_running_loop()
    state = Server(config).server_state
    server = await loop.create_server(lambda: Protocol(config, state, {}), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)


async def echo(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Answers with the names of the fields and with the body that came."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    said = b" ".join(name for name, _ in scope["headers"]) + b"|" + body
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said, "more_body": False})


async def exchanged(port: int, *pieces: bytes, until: bytes | None = None) -> bytes:
    """What comes back for these bytes, until the connection closes or `until` has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        for _ in range(4):  # so that the server reads it before the next one comes
            await asyncio.sleep(0)
    async with asyncio.timeout(10):
        received = await (reader.read() if until is None else reader.readuntil(until))
    writer.close()
    return received


def answered(*pieces: bytes, until: bytes | None = None) -> bytes:
    async def conversation() -> bytes:
        async with serving(echo) as port:
            return await exchanged(port, *pieces, until=until)

    return asyncio.run(conversation())


@pytest.mark.parametrize("head", [
    REQUEST % b"many" + b"a:\r\n" * 1_000 + b"\r\n",
    REQUEST % b"large" + b"a: " + b"b" * 110_000,
    REQUEST % b"endless" + b"a: b\r\n" * 19_000,
], ids=["many lines", "one large field", "no end"])  # fmt: skip
def test_a_head_that_is_too_large_is_refused(head: bytes) -> None:
    assert answered(head).startswith(b"HTTP/1.1 431 ")


def test_a_head_that_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    assert answered(b"GET / HT").startswith(b"HTTP/1.1 408 ")


def test_trailers_are_no_fields() -> None:
    chunked = (
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nAuthorization: x\r\n\r\n"
    )
    assert answered(chunked, until=b"|ok").endswith(b"host transfer-encoding|ok")


def test_an_upgrade_that_nobody_takes_up_is_a_request_like_any_other() -> None:
    post = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello"
    assert answered(post, until=b"|hello").endswith(b"host connection content-length|hello")
    pipelined = answered(post + REQUEST % b"next" + b"\r\n", until=b"\n\r\nhost|")
    assert pipelined.count(b"HTTP/1.1 200") == 2


def test_how_a_request_is_cut_into_segments_makes_no_difference() -> None:
    body = b"foo\r\nUpgrade: h2c\r\n\r\nbar"
    head = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    whole = head + body

    async def conversation() -> None:
        async with serving(echo) as port:
            for cut in range(1, len(whole)):
                answer = await exchanged(port, whole[:cut], whole[cut:], until=body)
                assert answer.endswith(b"host connection content-length|" + body), cut

    asyncio.run(conversation())


def test_a_websocket_handshake_may_come_in_segments() -> None:
    handshake = (
        b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUpgrade: websocket\r\n\r\n"
    )

    async def accepts(_scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    async def conversation() -> None:
        async with serving(accepts) as port:
            for cut in range(1, len(handshake), 7):
                answer = await exchanged(port, handshake[:cut], handshake[cut:], until=b"\r\n\r\n")
                assert answer.startswith(b"HTTP/1.1 101 "), cut

    asyncio.run(conversation())


def test_trailers_without_end_end_the_connection() -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: "
    with pytest.raises(ConnectionError):
        answered(head, *[b"a" * 60_000] * 20)


@pytest.mark.parametrize(("data", "declined"), [
    (b"GET / HTTP/1.1\r\nupgrade: WebSocket\r\n\r\n", False),
    (b"POST / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", True),
    (b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", True),
    (b"GET / HTTP/1.1\r\nHost: h\r\nx-upgrade: h2c\r\n\r\n", False),
    (b"GET / HTTP/1.1\r\nUPGRADE: h2c\r\n\r\n", True),
    (b"GET / HTTP/1.1\r\nUpgrade: foo\r\nUpgrade: websocket\r\n\r\n", True),
])  # fmt: skip
def test_which_upgrades_are_declined(data: bytes, declined: bool) -> None:
    assert (without_upgrade(data) != data) is declined


def test_every_request_of_a_pipeline_hears_that_its_client_has_left() -> None:
    async def conversation() -> None:
        came, left = asyncio.Event(), asyncio.Event()

        async def waits(_scope: dict[str, Any], receive: Callable[[], Any], _send: Callable[[Any], Any]) -> None:
            came.set()
            while (await receive())["type"] != "http.disconnect":
                pass
            left.set()

        async with serving(waits) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(REQUEST % b"first" + b"\r\n" + REQUEST % b"second" + b"\r\n")
            await came.wait()
            writer.close()
            async with asyncio.timeout(10):
                await left.wait()

    asyncio.run(conversation())
