"""What cannot be reached, verified or waited for is named in the words of RFC 9209; any httpx2 transport will do."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from app.upstream import ProxyError, Timeouts, UpstreamError
from tests.live.raw_origin import Client, RawOrigin, Wire, answers, closing, content, on_each_loop, serving

pytestmark = pytest.mark.live

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def failure(url: str, timeouts: Timeouts | None = None) -> UpstreamError:
    client = Client(url, timeouts or Timeouts())
    with pytest.raises(UpstreamError) as caught:
        await client.get()
    assert client.connections == (0, 0)
    await client.aclose()
    return caught.value


async def silent(wire: Wire) -> None:
    await wire.head()
    await wire.closed()


@on_each_loop
async def test_a_name_that_does_not_exist() -> None:
    error = await failure("http://nonexistent.invalid")
    assert (error.error, error.status) == (ProxyError.DNS_ERROR, 502)
    assert "cannot be resolved" in error.detail


@on_each_loop
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_nobody_listens(host: str) -> None:
    with socket.socket() as bound:  # bound, not listening
        bound.bind(("127.0.0.1", 0))
        error = await failure(f"http://{host}:{bound.getsockname()[1]}")
    assert (error.error, error.status) == (ProxyError.CONNECTION_REFUSED, 502)


@on_each_loop
async def test_no_unix_socket(tmp_path: Path) -> None:
    error = await failure(f"unix:{tmp_path}/none.sock")
    assert error.error is ProxyError.CONNECTION_REFUSED


@on_each_loop
async def test_connecting_takes_too_long() -> None:
    """A listener whose queue is full: the kernel leaves further connections without an answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        loop = asyncio.get_running_loop()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        await loop.run_in_executor(None, lambda: None)
        error = await failure(f"http://127.0.0.1:{address[1]}", Timeouts(connect=0.05))
        for filler in fillers:
            filler.close()
    assert (error.error, error.status) == (ProxyError.CONNECTION_TIMEOUT, 504)


@on_each_loop
async def test_no_first_byte() -> None:
    async with serving(silent, timeouts=Timeouts(first_byte=0.05)) as (origin, client):
        with pytest.raises(UpstreamError) as caught:
            await client.get()
        await origin.all_closed()
    assert (caught.value.error, caught.value.status) == (ProxyError.HTTP_RESPONSE_TIMEOUT, 504)


@on_each_loop
async def test_the_first_byte_is_waited_for_from_the_end_of_the_request_on() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"abc"
        await asyncio.sleep(0.1)
        yield b"def"

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.reader.readexactly(6)
        await wire.send(OK)
        await wire.head()
        await wire.closed()

    async with serving(script, timeouts=Timeouts(first_byte=0.05)) as (_, client):
        headers = [(b"Host", b"x"), (b"Content-Length", b"6")]
        assert await content(await client.send("POST", b"/", headers, slow())) == b"ok"
        with pytest.raises(UpstreamError) as caught:
            await client.send("POST", b"/", headers, slow())
    assert caught.value.error is ProxyError.HTTP_RESPONSE_TIMEOUT


@on_each_loop
async def test_content_that_stops_coming() -> None:
    async with serving(
        answers(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), timeouts=Timeouts(first_byte=None, idle=0.05)
    ) as (_, client):
        answer = await client.get()
        assert await anext(answer.body) == b"abc"
        with pytest.raises(UpstreamError) as caught:
            await anext(answer.body)
    assert (caught.value.error, caught.value.status) == (ProxyError.CONNECTION_READ_TIMEOUT, 504)


@on_each_loop
async def test_a_timeout_is_no_end_of_content() -> None:
    async with serving(answers(b"HTTP/1.1 200 OK\r\n\r\nabc"), timeouts=Timeouts(idle=0.05)) as (_, client):
        answer = await client.get()
        with pytest.raises(UpstreamError):
            await content(answer)


@on_each_loop
async def test_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "origin.sock")
    async with serving(answers(OK, OK), uds=path) as (origin, client):
        assert [await client.fetch(), await client.fetch()] == [b"ok", b"ok"]
    assert origin.connections == 1


AUTHORITY = trustme.CA()


def server_context(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    return context


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@on_each_loop
async def test_tls() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 4_000_000
    async with serving(answers(OK, long), tls=server_context("localhost"), verify=trusting()) as (origin, client):
        assert await client.fetch() == b"ok"
        assert await client.fetch() == b"x" * 4_000_000
        assert client.connections == (0, 1)
    assert origin.connections == 1


@on_each_loop
async def test_tls_content_until_close() -> None:
    script = closing(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    async with serving(script, tls=server_context("localhost"), verify=trusting()) as (_, client):
        assert await client.fetch() == b"all of it"


@on_each_loop
@pytest.mark.parametrize("name", ["localhost", "elsewhere.example"], ids=["unknown authority", "other name"])
async def test_a_certificate_that_cannot_be_verified(name: str) -> None:
    verify = True if name == "localhost" else trusting()
    async with serving(answers(OK), tls=server_context(name), verify=verify) as (_, client):
        with pytest.raises(UpstreamError) as caught:
            await client.get()
    assert (caught.value.error, caught.value.status) == (ProxyError.TLS_CERTIFICATE_ERROR, 502)


@on_each_loop
async def test_verification_can_be_switched_off() -> None:
    async with serving(answers(OK), tls=server_context("elsewhere.example"), verify=False) as (_, client):
        assert await client.fetch() == b"ok"


@on_each_loop
async def test_tls_to_somebody_who_speaks_none() -> None:
    async def plain(wire: Wire) -> None:
        await wire.reader.read(1)
        await wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with RawOrigin(plain) as origin:
        error = await failure(origin.url.replace("http:", "https:"))
    assert (error.error, error.status) == (ProxyError.TLS_PROTOCOL_ERROR, 502)


@on_each_loop
async def test_the_wait_for_the_first_byte_begins_anew_with_each_request() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(OK)
        await wire.head()
        await asyncio.sleep(0.25)
        await wire.send(OK)
        await wire.closed()

    async with serving(script, timeouts=Timeouts(first_byte=0.4)) as (origin, client):
        await client.fetch()
        await asyncio.sleep(0.25)
        assert await client.fetch() == b"ok", "0.5 s after the first request, 0.25 s after its own"
    assert origin.connections == 1


@on_each_loop
async def test_an_answered_request_does_not_end_the_wait_of_the_next_one_on_its_connection() -> None:
    """The second request is on its way before the first requester has seen its answer."""

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(OK)
        await wire.head()
        await wire.closed()

    async with serving(script, limit=1, timeouts=Timeouts(first_byte=0.05)) as (origin, client):
        first, second = await asyncio.gather(client.fetch(), client.fetch(), return_exceptions=True)
    assert first == b"ok"
    assert isinstance(second, UpstreamError)
    assert second.error is ProxyError.HTTP_RESPONSE_TIMEOUT
    assert origin.connections == 1
