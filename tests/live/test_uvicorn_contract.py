"""What app/protocol.py needs of uvicorn. When one of these fails, uvicorn has changed: read its `http=` anew."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.protocol import Protocol
from app.server import Server
from tests.live.wire_client import turns

pytestmark = pytest.mark.live


async def hello(_scope: dict[str, Any], _receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


def parameters(made: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(made).parameters)


def test_our_protocol_is_called_as_uvicorn_calls_its_own() -> None:
    theirs = parameters(HttpToolsProtocol)
    assert theirs == ["config", "server_state", "app_state", "_loop"]
    assert parameters(Protocol)[:4] == theirs
    assert "http_protocol_class(" in inspect.getsource(uvicorn.Server.startup)


def test_websocket_protocols_are_made_as_we_make_them() -> None:
    assert parameters(WebSocketsSansIOProtocol)[:3] == ["config", "server_state", "app_state"]
    assert {"connection_made", "data_received"} <= set(dir(WebSocketsSansIOProtocol))


def test_what_we_read_of_the_configuration_and_the_servers_state_is_there() -> None:
    config = uvicorn.Config(hello, http=cast(Any, partial(Protocol, front=None)), ws="none", timeout_keep_alive=7)
    config.load()
    assert (config.timeout_keep_alive, config.ws_protocol_class, config.asgi_version) == (7, None, "3.0")
    assert callable(config.loaded_app)
    assert cast(Any, config.http_protocol_class).func is Protocol, "a callable is as good as a class"
    state = uvicorn.Server(config).server_state
    assert (state.connections, state.tasks) == (set(), set())


def test_the_words_for_addresses_are_there() -> None:
    assert all(map(callable, (get_local_addr, get_remote_addr, is_ssl)))


def test_a_server_starts_it_asks_it_to_shut_down_and_waits_for_it() -> None:
    asked: list[Protocol] = []

    class Watched(Protocol):
        def shutdown(self) -> None:
            asked.append(self)
            super().shutdown()

    async def life() -> None:
        config = uvicorn.Config(hello, port=0, http=Watched, lifespan="off", log_config=None, access_log=False)
        server = Server(config)
        running = asyncio.ensure_future(server.serve())
        while not server.started:
            await turns(1)
        reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 OK\r\n")
        server.should_exit = True
        assert await reader.read() == b""
        writer.close()
        await running

    asyncio.run(asyncio.wait_for(life(), 20))
    assert len(asked) == 1
