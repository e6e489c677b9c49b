"""Any httpx2 transport can stand in for ours, and ours for any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from app.upstream import Origin, OriginTransport, ProxyError, Timeouts, Upstream, UpstreamError
from tests.live.raw_origin import RawOrigin, Script, Wire, answers, closing, content, on_each_loop

pytestmark = pytest.mark.live

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def silent(wire: Wire) -> None:
    await wire.head()
    await wire.closed()


@on_each_loop
async def test_the_stock_transport_fits() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"abc"

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(OK)
        await wire.head()
        assert await wire.reader.readexactly(3) == b"abc"
        await wire.send(b"HTTP/1.1 201 Made\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n")
        await wire.closed()

    async with RawOrigin(script) as origin:
        upstream = Upstream(Origin.parse(origin.url), httpx2.AsyncHTTPTransport(), Timeouts())
        assert await content(await upstream.send("GET", b"/a/../b", [(b"Host", b"x")], None)) == b"ok"
        answer = await upstream.send("POST", b"/", [(b"Host", b"x"), (b"Content-Length", b"3")], body())
        assert answer.headers == [(b"Set-Cookie", b"a"), (b"set-cookie", b"b"), (b"Content-Length", b"0")]
        assert answer.whole is None, "only our own transport knows"
        await content(answer)
        await upstream.aclose()
    assert origin.requests[0] == b"GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n"


@on_each_loop
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (closing(b"garbage\r\n\r\n"), ProxyError.HTTP_PROTOCOL_ERROR),
        (closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), ProxyError.HTTP_PROTOCOL_ERROR),
        (silent, ProxyError.CONNECTION_READ_TIMEOUT),
    ],
)
async def test_the_stock_transports_errors_are_translated(script: Script, expected: ProxyError) -> None:
    async with RawOrigin(script) as origin:
        upstream = Upstream(Origin.parse(origin.url), httpx2.AsyncHTTPTransport(), Timeouts(idle=0.05))
        with pytest.raises(UpstreamError) as caught:
            await content(await upstream.send("GET", b"/", [(b"Host", b"x")], None))
        await upstream.aclose()
    assert caught.value.error is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://nonexistent.invalid", ProxyError.DNS_ERROR),
        ("http://127.0.0.1:1", ProxyError.CONNECTION_REFUSED),
    ],
)
def test_the_stock_transports_connect_errors_are_told_apart(url: str, expected: ProxyError) -> None:
    async def main() -> ProxyError:
        upstream = Upstream(Origin.parse(url), httpx2.AsyncHTTPTransport(), Timeouts())
        with pytest.raises(UpstreamError) as caught:
            await upstream.send("GET", b"/", [(b"Host", b"x")], None)
        await upstream.aclose()
        return caught.value.error

    assert asyncio.run(main()) is expected


@on_each_loop
async def test_our_transport_serves_an_httpx2_client() -> None:
    async with RawOrigin(answers(OK)) as origin:
        transport = OriginTransport(Origin.parse(origin.url))
        async with httpx2.AsyncClient(transport=transport, base_url=origin.url) as client:
            response = await client.get("/x")
        assert (response.status_code, response.text) == (200, "ok")
        assert response.extensions["http_version"] == b"HTTP/1.1"
        assert response.extensions["reason_phrase"] == b"OK"
        assert response.extensions["raw_headers"] == [(b"Content-Length", b"2")]
