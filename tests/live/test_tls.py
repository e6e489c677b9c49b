"""TLS on both sides: ours from a certificate file, the origin's verified unless somebody says otherwise."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tests.live.processes import LOOPBACK
from tests.live.raw_client import calling, get
from tests.live.raw_origin import RawOrigin, Wire
from tests.live.routed_origin import RoutedOrigin, field, ok, says
from tests.live.swerve import swerve, within

pytestmark = pytest.mark.live

AUTHORITY = trustme.CA()
FRESH = "Cache-Control: s-maxage=60"


def server_context(authority: trustme.CA = AUTHORITY, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def certificate(folder: Path) -> tuple[str, ...]:
    """The flags that make Swerve speak TLS."""
    issued = AUTHORITY.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for part in issued.cert_chain_pems:
        part.write_to_path(folder / "cert.pem", append=True)
    return "--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem")


async def schemes(wire: Wire, head: bytes) -> None:
    found = {name: field(head, name) for name in ("x-forwarded-proto", "forwarded", "host")}
    await wire.send(ok(json.dumps(found).encode(), FRESH))


@within(20)
async def test_clients_speak_tls_with_us(tmp_path: Path) -> None:
    async with (
        RoutedOrigin({"/": schemes}) as origin,
        swerve(origin.url, *certificate(tmp_path)) as proxy,
        calling(proxy.port, tls=trusting()) as client,
    ):
        found = json.loads((await client.get("/")).body)
        print(found)
        assert found["x-forwarded-proto"] == "https"
        assert "proto=https" in found["forwarded"]
        assert found["host"] == f"localhost:{proxy.port}"
        assert "detail=fresh" in ((await client.get("/")).header("cache-status") or "")
        assert origin.count("/") == 1
        assert f"https://localhost:{proxy.port}" in proxy.printed
        with pytest.raises(ssl.SSLError):
            async with calling(proxy.port, tls=ssl.create_default_context()):
                pass


@within(20)
async def test_plain_clients_are_plain() -> None:
    async with RoutedOrigin({"/": schemes}) as origin, swerve(origin.url) as proxy:
        answer = await get(proxy.port, "/", "X-Forwarded-Proto: https", "Forwarded: proto=https")
        found = json.loads(answer.body)
        assert found["x-forwarded-proto"] == "http"
        assert "proto=https" not in found["forwarded"]


@within(20)
async def test_a_websocket_over_our_tls(tmp_path: Path) -> None:
    async def tell(connection: ServerConnection) -> None:
        assert connection.request is not None
        await connection.send(connection.request.headers["X-Forwarded-Proto"])

    async with serve(tell, LOOPBACK, 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with (
            swerve(f"http://{LOOPBACK}:{port}", *certificate(tmp_path)) as proxy,
            connect(f"wss://localhost:{proxy.port}/", ssl=trusting()) as client,
        ):
            assert await client.recv() == "https"


SELF_SIGNED = {"unknown": server_context(trustme.CA()), "other name": server_context(name="example.com")}


@within(20)
@pytest.mark.parametrize("kind", list(SELF_SIGNED))
async def test_an_origin_is_verified(kind: str, tmp_path: Path) -> None:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    variables = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    async with (
        RoutedOrigin({"/": schemes}, tls=SELF_SIGNED[kind]) as origin,
        swerve(origin.url, variables=variables) as proxy,
    ):
        answer = await get(proxy.port, "/")
        print(answer.status, answer.header("proxy-status"))
        assert answer.status == 502
        assert "error=tls_certificate_error" in (answer.header("proxy-status") or "")
        assert origin.requests == []


@within(20)
async def test_an_origin_of_a_known_authority_is_trusted(tmp_path: Path) -> None:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    variables = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    async with (
        RoutedOrigin({"/": says(ok(b"page", FRESH))}, tls=server_context()) as origin,
        swerve(origin.url, variables=variables) as proxy,
    ):
        assert (await get(proxy.port, "/")).body == b"page"


@within(20)
@pytest.mark.parametrize("kind", list(SELF_SIGNED))
async def test_an_origin_is_not_verified_where_somebody_says_so(kind: str) -> None:
    async with (
        RoutedOrigin({"/": says(ok(b"page", FRESH))}, tls=SELF_SIGNED[kind]) as origin,
        swerve(origin.url, "--no-origin-verify") as proxy,
    ):
        assert (await get(proxy.port, "/")).body == b"page"
        assert origin.count("/") == 1


@within(20)
async def test_an_origin_that_speaks_no_tls() -> None:
    async def plain(wire: Wire) -> None:
        await wire.reader.read(1)
        await wire.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with RawOrigin(plain) as origin, swerve(origin.url.replace("http://", "https://")) as proxy:
        answer = await get(proxy.port, "/")
        print(answer.status, answer.header("proxy-status"))
        assert answer.status == 502
        assert "error=tls_protocol_error" in (answer.header("proxy-status") or "")
