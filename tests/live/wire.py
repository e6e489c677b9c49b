"""The whole proxy in the test's own process, on real sockets: bytes in, bytes out, without the memo and with it.

A test is an `async def` of a World; `both_ways` runs it in one without the memo, and then in another with it, which
must have said the same to every client, byte for byte, have ended every connection in the same way, have asked the
origin for the same and have the same in its journal.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import re
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
import uvloop

from app.asgi import Application, build
from app.clock import ManualClock
from app.journal import Event
from app.server import proxy_server
from app.settings import load_settings
from tests.live.wire_answers import Answer, Fate, Heard
from tests.live.wire_client import LIMIT, PIECE_TURNS, Client, get, turns
from tests.origin import ScriptedOrigin

Test = Callable[..., Coroutine[Any, Any, None]]

TIMES = 4  # the memo learns from a hit, and answers later ones
HERE, ALSO_HERE = "127.0.0.1", "127.0.0.2"

IDENTITY = re.compile(rb"x-vercel-id: [^\r]*")

PAGE = "page of /%s\n"
FRESH = {"headers": {"cache-control": "max-age=60", "etag": '"1"', "content-type": "text/plain"}}
SITE: dict[str, Any] = {
    "/a": FRESH | {"body": PAGE % "a"},
    "/b": FRESH | {"body": PAGE % "b"},
    "/private": {"headers": {"cache-control": "private"}, "body": PAGE % "private"},
}


class World:
    """A Swerve in front of a scripted origin, with `/a` and `/b` fresh in its store and asked for before.

    `judged`: how many requests the engine was asked about.
    """

    def __init__(
        self, application: Application, config: uvicorn.Config, clock: ManualClock, origin: ScriptedOrigin, port: int
    ) -> None:
        self.application = application
        self.config = config
        self.clock = clock
        self.origin = origin
        self.port = port
        self.memo = False
        self.connections: set[Any] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.transcript: list[Heard] = []
        self.comparable = True
        self.judged = 0
        engine = cast(Any, application.serving.edge.engine)
        answer = engine.answer

        async def counted(*arguments: Any) -> Any:
            self.judged += 1
            return await answer(*arguments)

        engine.answer = counted

    @asynccontextmanager
    async def calling(self, address: str = HERE, own: str | None = None, **options: int) -> AsyncIterator[Client]:
        """A connection until the block ends, from and to an address. `options`: of the socket, by their constants."""
        with socket.socket() as raw:
            if own is not None:
                raw.bind((own, 0))
            for name, value in options.items():
                raw.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.setblocking(False)
            await asyncio.get_running_loop().sock_connect(raw, (address, self.port))
            yield Client(raw, self._tell)
        await turns(PIECE_TURNS)

    def _tell(self, data: bytes, fate: Fate) -> Heard:
        """Take down what a client has heard, without what is another each time."""
        heard = Heard(IDENTITY.sub(b"x-vercel-id: ID", data.replace(b":%d " % self.port, b":PORT ")), fate)
        self.transcript.append(heard)
        return heard

    async def told(self, *pieces: bytes) -> Heard:
        """What one client hears for these bytes, and whether its connection still serves then."""
        async with self.calling() as client:
            await client.send(*pieces)
            return await client.probe()

    async def settled(self, *pieces: bytes) -> Heard:
        """What the last of several clients hears, one after the other: what could be learnt from them, has been."""
        for _ in range(TIMES - 1):
            await self.told(*pieces)
        return await self.told(*pieces)

    async def asked(self, request: bytes) -> Answer:
        """The one answer to one request."""
        (answer,) = (await self.told(request)).answers(request.partition(b" ")[0].decode())
        return answer

    def seen(self) -> list[str]:
        """What the origin has been asked, with the body if there was one."""
        asked = zip(self.origin.requests, self.origin.bodies, strict=True)
        lines = (b" ".join([one.method.encode(), one.extensions["target"], body]) for one, body in asked)
        return [line.decode("latin-1").strip() for line in lines]

    def uncounted(self) -> None:
        """How much was said and counted depends on the machine: it is not compared."""
        self.comparable = False


def both_ways(
    seconds: float = 20, *, site: dict[str, Any] | None = None, **flags: str
) -> Callable[[Test], Callable[..., None]]:
    """Run a test of a World without the memo, or with it and compared to without; not for ever. `flags`: settings."""

    def decorate(test: Test) -> Callable[..., None]:
        @functools.wraps(test)
        def run(memo: bool, tmp_path: Path, **arguments: Any) -> None:
            def story(switch: str) -> tuple[Any, ...]:
                given = {"origin": "http://origin.test", "dialect": "standard", "log": "off", "memo": switch} | flags
                told = _told(test, arguments, SITE | (site or {}), given, tmp_path)
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    return runner.run(asyncio.wait_for(told, seconds))

            without = story("false")
            if memo:
                for one, other in zip(story("true"), without, strict=True):
                    assert one == other, _difference(one, other)

        own = [one for name, one in inspect.signature(test).parameters.items() if name != "world"]
        added = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("memo", "tmp_path")]
        cast(Any, run).__signature__ = inspect.Signature([*added, *own])
        marked = pytest.mark.parametrize("memo", [False, True], ids=["without", "with"])(run)
        return cast(Callable[..., None], marked)

    return decorate


async def _told(
    test: Test, arguments: dict[str, Any], site: dict[str, Any], flags: dict[str, str], folder: Path
) -> tuple[Any, ...]:
    """Everything that the outside has heard, what the origin was asked, and what the journal has of it."""
    async with _living(site, flags, folder) as world:
        await test(world, **arguments)
        await turns()
        if not world.comparable:
            return ()
        journal = world.application.around.journal
        events = [_told_of(event, world.port) for event in journal.events]
        return world.transcript, world.seen(), events, journal.counters


def _difference(one: Any, other: Any) -> str:
    """The first of two stories' parts that differ."""
    pairs = zip_longest(one, other) if isinstance(one, list) else [(one, other)]
    return next(f"with the memo {first}\n, without {second}" for first, second in pairs if first != second)


def _told_of(event: Event, port: int) -> tuple[Any, ...]:
    """What does not depend on how fast the machine is, and on which port it was given."""
    verdict = replace(event.verdict, key=event.verdict.key.replace(f":{port}", ":PORT"), number=0)
    request = event.request
    authority = request.authority.replace(f":{port}", ":PORT")
    who = (request.client, request.method, request.scheme, authority, request.target)
    return *who, event.at, event.status, verdict, event.size, event.broken


@asynccontextmanager
async def _living(site: dict[str, Any], flags: dict[str, str], folder: Path) -> AsyncIterator[World]:
    clock, origin = ManualClock(), ScriptedOrigin()
    origin.script(site)
    settings = load_settings(flags, {}, folder)
    application = build(settings, clock=clock, transport=origin)
    server = proxy_server(settings, application)
    config, state = server.config, server.server_state
    config.load()
    protocol = cast(Any, config.http_protocol_class)
    servers = [
        await asyncio.get_running_loop().create_server(
            lambda: protocol(config=config, server_state=state, app_state={}), sock=one
        )
        for one in _two_sockets()
    ]
    world = World(application, config, clock, origin, servers[0].sockets[0].getsockname()[1])
    world.memo = flags["memo"] == "true"
    world.connections, world.tasks = cast(Any, state.connections), state.tasks
    try:
        await world.settled(get("/a") + get("/b"))
        origin.requests.clear()
        origin.bodies.clear()
        yield world
    finally:
        for one in servers:
            one.close()
        for connection in list(state.connections):
            cast(Any, connection).transport.abort()
        origin.gate.set()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        await application.around.tasks.drain(LIMIT)
        await turns(PIECE_TURNS)


def _two_sockets() -> tuple[socket.socket, socket.socket]:
    """Of two addresses of this machine, with the same port."""
    while True:
        here, also_here = socket.socket(), socket.socket()
        for one in (here, also_here):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        here.bind((HERE, 0))
        with suppress(OSError):  # somebody has it at the other address
            also_here.bind((ALSO_HERE, here.getsockname()[1]))
            return here, also_here
        here.close()
        also_here.close()
