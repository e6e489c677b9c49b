"""WebSockets through a real proxy, between a real client and a real server: nothing is lost on the way (RFC 6455)."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve, unix_serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response
from websockets.typing import Origin, Subprotocol

from tests.live.processes import LOOPBACK
from tests.live.raw_client import calling, get
from tests.live.swerve import Swerve, free_ports, swerve, within

pytestmark = pytest.mark.live

LARGE = 5_000_000
AUTHORITY = trustme.CA()


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    return context


class Peer:
    """The origin's side: what `/wait` was closed with is in `closed`."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[tuple[int | None, str | None]] = asyncio.get_running_loop().create_future()

    async def __call__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        with suppress(ConnectionClosed):
            match connection.request.path.partition("?")[0]:
                case "/echo":
                    async for message in connection:
                        await connection.send(message)
                case "/head":
                    lines = [connection.request.path, *map(list, connection.request.headers.raw_items())]
                    await connection.send(json.dumps(lines))
                case "/bye":
                    await connection.close(4001, "bye")
                case "/abort":
                    connection.transport.abort()
                case "/wait":
                    await connection.wait_closed()
                    self.closed.set_result((connection.close_code, connection.close_reason))
                case _:
                    pass

    def choose(self, _: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        """The one it likes best, and none for a client that knows none (the library would refuse that one)."""
        return next((Subprotocol(name) for name in ("chat.v2", "chat.v1") if name in offered), None)

    def refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path != "/refused":
            return None
        refusal = connection.respond(HTTPStatus.FORBIDDEN, "no entry\n")
        refusal.headers["X-Why"] = "members only"
        return refusal


@asynccontextmanager
async def behind(
    *flags: str,
    tls: ssl.SSLContext | None = None,
    uds: Path | None = None,
    quiet: bool = True,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[tuple[Peer, Swerve]]:
    """An origin that speaks WebSocket, and a Swerve before it. `quiet`: its log may hold no traceback."""
    peer = Peer()
    options: dict[str, Any] = {"select_subprotocol": peer.choose, "process_request": peer.refuse, "max_size": None}
    if uds is not None:
        server = await unix_serve(peer, str(uds), **options)
        url = f"unix:{uds}"
    else:
        server = await serve(peer, LOOPBACK, 0, ssl=tls, **options)
        url = f"{'https' if tls else 'http'}://localhost:{next(iter(server.sockets)).getsockname()[1]}"
    async with server, swerve(url, *flags, variables=variables, quiet=quiet) as proxy:
        yield peer, proxy


def through(proxy: Swerve, path: str, subprotocols: Sequence[str] = (), **options: str) -> connect:
    lines = [(name.replace("_", "-"), value) for name, value in options.items() if name != "origin"]
    return connect(
        f"ws://{LOOPBACK}:{proxy.port}{path}",
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        origin=Origin(options["origin"]) if "origin" in options else None,
        additional_headers=lines,
        max_size=None,
    )


async def echoes(client: ClientConnection) -> None:
    for message in ("text: grüße", b"binary: \x00\xff", "", b"", "x" * LARGE, b"y" * LARGE):
        await client.send(message)
        assert await client.recv() == message


@within(30)
async def test_messages_of_every_kind() -> None:
    async with behind() as (_, proxy), through(proxy, "/echo") as client:
        await echoes(client)


@within(30)
async def test_a_close_by_the_client_is_no_traceback_in_the_log() -> None:
    async with behind() as (_, proxy), through(proxy, "/echo") as client:
        await client.send("hello")
        assert await client.recv() == "hello"


@within(30)
async def test_many_messages_keep_their_order() -> None:
    async with behind() as (_, proxy), through(proxy, "/echo") as client:

        async def send() -> None:
            for number in range(2_000):
                await client.send(str(number))

        sending = asyncio.ensure_future(send())
        assert [await client.recv() for _ in range(2_000)] == [str(number) for number in range(2_000)]
        await sending


@within(30)
async def test_an_origin_on_a_unix_socket(tmp_path: Path) -> None:
    async with behind(uds=tmp_path / "origin.sock") as (_, proxy), through(proxy, "/echo") as client:
        await echoes(client)


@within(30)
async def test_an_origin_that_speaks_tls() -> None:
    async with behind("--no-origin-verify", tls=server_context()) as (_, proxy), through(proxy, "/echo") as client:
        await echoes(client)


@within(30)
async def test_an_origin_of_a_known_authority_is_trusted(tmp_path: Path) -> None:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    variables = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    async with behind(tls=server_context(), variables=variables) as (_, proxy), through(proxy, "/echo") as client:
        await echoes(client)


@within(30)
async def test_an_origin_whose_certificate_is_not_trusted() -> None:
    async with behind(tls=server_context()) as (_, proxy):
        with pytest.raises(InvalidStatus) as refused:
            await through(proxy, "/echo")
        assert refused.value.response.status_code == 502


@within(30)
@pytest.mark.parametrize(
    ("offered", "chosen"),
    [((), None), (("chat.v1",), "chat.v1"), (("chat.v1", "chat.v2"), "chat.v2"), (("other", "chat.v1"), "chat.v1")],
)
async def test_the_origin_chooses_the_subprotocol(offered: tuple[str, ...], chosen: str | None) -> None:
    async with behind() as (_, proxy), through(proxy, "/echo", offered) as client:
        assert client.subprotocol == chosen


@within(30)
async def test_the_origin_closes() -> None:
    async with behind() as (_, proxy), through(proxy, "/bye") as client:
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert (client.close_code, client.close_reason) == (4001, "bye")


@within(30)
@pytest.mark.parametrize("code", [1000, 1001, 4001])
async def test_the_client_closes(code: int) -> None:
    async with behind() as (peer, proxy):
        async with through(proxy, "/wait") as client:
            await client.close(code, "bye")
            assert client.close_code == code
        assert await peer.closed == (code, "bye")


@within(30)
async def test_a_client_that_goes_without_a_word_is_no_good_end() -> None:
    async with behind() as (peer, proxy), through(proxy, "/wait") as client:
        client.transport.abort()
        code, _ = await peer.closed
        print(f"the origin was told {code}")
        assert code not in (1000, 1005)


@within(30)
async def test_an_origin_that_goes_without_a_word_is_no_good_end() -> None:
    async with behind() as (_, proxy), through(proxy, "/abort") as client:
        with pytest.raises(ConnectionClosed):
            await client.recv()
        print(f"the client was told {client.close_code}")
        assert client.close_code not in (1000, 1005)


@within(30)
async def test_the_origin_refuses() -> None:
    async with behind() as (_, proxy):
        with pytest.raises(InvalidStatus) as refused:
            await through(proxy, "/refused")
        response = refused.value.response
        assert (response.status_code, response.body) == (403, b"no entry\n")
        assert response.headers["X-Why"] == "members only"


@within(30)
async def test_a_path_that_a_route_says_is_none(tmp_path: Path) -> None:
    settings = tmp_path / "swerve.toml"
    settings.write_text('[[routes]]\npath = "*"\nonly = ["/echo"]\n')
    async with behind("-c", str(settings)) as (_, proxy):
        async with through(proxy, "/echo") as client:
            await echoes(client)
        with pytest.raises(InvalidStatus) as refused:
            await through(proxy, "/other")
        assert refused.value.response.status_code == 404


@within(30)
async def test_a_refusal_is_no_error_in_the_log() -> None:
    async with behind() as (_, proxy):
        with pytest.raises(InvalidStatus):
            await through(proxy, "/refused")
        await get(proxy.port, "/echo")  # by now all is written
        assert "ERROR" not in proxy.printed


@within(30)
async def test_what_the_client_says_of_itself_reaches_the_origin() -> None:
    async with behind() as (_, proxy):
        async with through(
            proxy, "/head?a=1&b=%2F", Cookie="session=1; theme=dark", origin="http://localhost:3000",
            Authorization="Bearer t", X_Forwarded_For="6.6.6.6", User_Agent="probe/1",
        ) as client:  # fmt: skip
            path, *lines = json.loads(await client.recv())
        fields = {name.lower(): value for name, value in lines}
        print(path, fields)
        assert path == "/head?a=1&b=%2F"
        assert fields["cookie"] == "session=1; theme=dark"
        assert fields["origin"] == "http://localhost:3000"
        assert fields["authorization"] == "Bearer t"
        assert fields["x-forwarded-for"] == LOOPBACK
        assert fields["host"] == f"{LOOPBACK}:{proxy.port}"


@within(30)
async def test_the_origin_sees_each_field_once() -> None:
    """Above all Host: a server must answer 400 to two of them (RFC 9112 §3.2)."""
    async with behind() as (_, proxy):
        async with through(proxy, "/head") as client:
            _, *lines = json.loads(await client.recv())
        names = Counter(name.lower() for name, _ in lines)
        assert [name for name, count in names.items() if count > 1] == []


@within(30)
async def test_nobody_listens() -> None:
    async with swerve(f"http://{LOOPBACK}:{free_ports()[0]}") as proxy:
        with pytest.raises(InvalidStatus) as refused:
            await through(proxy, "/echo")
        print(f"refused with {refused.value.response.status_code}")
        assert refused.value.response.status_code == 502
        assert (await get(proxy.port, "/")).status == 502


@within(30)
async def test_a_page_and_a_websocket_side_by_side() -> None:
    """A request without Upgrade on the same URL is plain HTTP: the origin's own refusal comes back."""
    async with behind() as (_, proxy), through(proxy, "/echo") as client:
        async with calling(proxy.port) as plain:
            assert (await plain.get("/echo")).status == 426
        await client.send("still there")
        assert await client.recv() == "still there"
