"""An origin scripted in raw bytes, on a real socket: what it reads and writes is exactly what the test says."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, cast

import pytest
import uvloop

from app.upstream import Answer, Origin, OriginTransport, Timeouts, Upstream

TEST_SECONDS = 20
_LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def on_each_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an `async def` test under the stock loop and under uvloop. A forgotten task or callback error fails it."""

    @pytest.mark.parametrize("loop", list(_LOOPS))
    @functools.wraps(test)
    def run(loop: str, **arguments: Any) -> None:
        complaints: list[dict[str, Any]] = []

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
            await asyncio.wait_for(test(**arguments), TEST_SECONDS)

        with asyncio.Runner(loop_factory=_LOOPS[loop]) as runner:
            runner.run(main())
        assert complaints == []

    wanted = inspect.signature(test)
    loop = inspect.Parameter("loop", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    # pytest looks here for what it has to pass.
    vars(run)["__signature__"] = wanted.replace(parameters=[loop, *wanted.parameters.values()])
    return cast(Callable[..., None], run)


class Wire:
    """The origin's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: list[bytes]) -> None:
        self.reader = reader
        self.writer = writer
        self._requests = requests

    async def head(self) -> bytes:
        """The next request head, up to and with its empty line. It is also noted in `RawOrigin.requests`."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self._requests.append(head)
        return head

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def closed(self) -> bytes:
        """Wait until the other end is gone; what it sent until then."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def reset(self) -> None:
        """Break the connection without an orderly end: RST, not FIN."""
        with socket.socket(fileno=os.dup(self.writer.get_extra_info("socket").fileno())) as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Wire], Awaitable[None]]


def answers(*responses: bytes) -> Script:
    """Answer the requests of each connection with these in turn, then wait for its end."""

    async def script(wire: Wire) -> None:
        for response in responses:
            await wire.head()
            await wire.send(response)
        await wire.closed()

    return script


def closing(response: bytes) -> Script:
    """Answer the one request of each connection, then close it."""

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send(response)

    return script


class RawOrigin:
    """Runs `scripts` in the order of connections, the last one for all further ones. A script's end closes its own."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, uds: str | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self._scripts = scripts
        self._tls = tls
        self._uds = uds
        self._failure: Exception | None = None
        self._ended = asyncio.Condition()

    @property
    def url(self) -> str:
        if self._uds is not None:
            return f"unix:{self._uds}"
        return f"{'https' if self._tls else 'http'}://localhost:{self._port}"

    async def all_closed(self) -> None:
        """Wait until no connection is open."""
        async with self._ended:
            await self._ended.wait_for(lambda: self.open == 0)

    async def __aenter__(self) -> RawOrigin:
        if self._uds is not None:
            self._server = await asyncio.start_unix_server(self._serve, self._uds)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
            self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        if error is None:
            await self.all_closed()
            if self._failure is not None:
                raise self._failure

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        self.open += 1
        try:
            await script(Wire(reader, writer, self.requests))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other end left, as it may
        except Exception as error:
            self._failure = error
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            async with self._ended:
                self.open -= 1
                self._ended.notify_all()


class Client(Upstream):
    """An upstream whose pool can be looked into."""

    def __init__(self, url: str, timeouts: Timeouts, **options: Any) -> None:
        origin = Origin.parse(url)
        self.transport = OriginTransport(origin, **options)
        super().__init__(origin, self.transport, timeouts)

    async def get(self, target: bytes = b"/", *headers: tuple[bytes, bytes], method: str = "GET") -> Answer:
        return await self.send(method, target, [(b"Host", b"localhost"), *headers], None)

    async def fetch(self, target: bytes = b"/", *headers: tuple[bytes, bytes], method: str = "GET") -> bytes:
        return await content(await self.get(target, *headers, method=method))

    @property
    def connections(self) -> tuple[int, int]:
        """Busy, idle."""
        return self.transport.pool.busy, self.transport.pool.idle

    async def settled(self) -> tuple[int, int]:
        """`connections`, after the loop's next turns: then what was aborted is gone, and what was released is back."""
        for _ in range(3):
            await asyncio.sleep(0)
        return self.connections


async def content(answer: Answer) -> bytes:
    try:
        return b"".join([piece async for piece in answer.body])
    finally:
        await answer.aclose()


@asynccontextmanager
async def serving(
    *scripts: Script,
    timeouts: Timeouts | None = None,
    tls: ssl.SSLContext | None = None,
    uds: str | None = None,
    **options: Any,
) -> AsyncIterator[tuple[RawOrigin, Client]]:
    """An origin and a client of it. At the end no connection may be left busy, and none open."""
    async with RawOrigin(*scripts, tls=tls, uds=uds) as origin:
        client = Client(origin.url, timeouts or Timeouts(), **options)
        try:
            yield origin, client
            assert (await client.settled())[0] == 0, "a connection was left busy"
        finally:
            await client.aclose()
        assert client.connections == (0, 0)
