"""A running Swerve: uvicorn servers in one process, its signals, its first words and its last."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

import uvicorn

from app.asgi import Application, build
from app.banner import banner, origin_note, summary
from app.config_error import ConfigError
from app.console import Console, mode_of
from app.process import calm_collector, loop_factory, quiet_logs, raise_file_limit
from app.protocol import Protocol
from app.settings import Settings
from app.sockets import bind, bind_anywhere, bound_to, origin_of
from app.store.base import StoreError
from app.terminal import wants_color
from app.upstream.origin import Origin
from app.upstream.probe import failure_of

# uvicorn is told to end a little earlier than we must, so that what follows it (it looks every 0.1 s, then the tasks
# that it does not know of are ended) fits into `drain` too.
MARGIN = 0.8
LAST_WAIT = 0.3


class Server(uvicorn.Server):
    """uvicorn without handlers of its own: the servers of one process share its signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(settings: Settings, *, demo: bool = False) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code, 0; raises ConfigError when a port is taken."""
    quiet_logs()
    raise_file_limit()
    sockets = [bind(settings.listen, "listen"), bind(settings.admin, "admin")]
    settings = replace(
        settings, listen=bound_to(settings.listen, sockets[0]), admin=bound_to(settings.admin, sockets[1])
    )
    if demo:
        sockets.append(bind_anywhere())
        settings = replace(settings, origin=origin_of(sockets[-1]))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(serve(settings, sockets, demo=demo))


async def serve(settings: Settings, sockets: list[socket.socket], *, demo: bool) -> int:
    """Run the proxy, the admin side and perhaps the demo origin on these bound sockets, in this order."""
    application = build(settings)
    try:
        await application.open()
    except StoreError as error:
        raise ConfigError(f"store: {error}") from None
    color = wants_color(sys.stderr, os.environ)
    mode = mode_of(settings.log, sys.stderr)  # lines for people beside what else is said, JSON by itself on stdout
    console = Console(mode, sys.stdout if mode == "json" else sys.stderr, color, settings.dialect.name)
    if mode != "off":
        application.around.journal.listen(console, console.replayed, console.patience)
    servers = [Server(config) for config in configs(settings, application, demo=demo)]
    on_signals(application, servers)
    calm_collector()
    say(banner(settings, demo=demo, made_token=application.made_token, color=color))
    if not demo:
        looking = look_at(application.around.upstream.origin, settings.timeout_connect)
        application.around.tasks.start(looking, "look at the origin")
    await asyncio.gather(*(server.serve(sockets=[bound]) for server, bound in zip(servers, sockets, strict=True)))
    await application.around.tasks.drain(LAST_WAIT)
    await application.aclose()
    application.around.journal.settle()
    console.flush()
    say(summary(application.around.journal, demo=demo))
    return 0


def configs(settings: Settings, application: Application, *, demo: bool) -> Iterator[uvicorn.Config]:
    """`Date` and `Server` are ours to say, X-Forwarded-* ours to judge, and requests ours to log."""
    common: dict[str, Any] = {
        "lifespan": "off", "log_config": None, "access_log": False, "proxy_headers": False,
        "date_header": False, "server_header": False, "backlog": 4096,
        "timeout_graceful_shutdown": max(settings.drain - MARGIN, 0.1),
    }  # fmt: skip
    # Idle connections outlive the 60 s after which most load balancers close theirs, so that we are never the first.
    made = partial(Protocol, memo=application.memo, bans=application.proxy.purging is not None)
    protocol = cast(type[Protocol], made)  # all that uvicorn does is call it
    yield uvicorn.Config(
        application.proxy, http=protocol, ws="websockets-sansio", ws_max_size=2**30, ws_ping_interval=None,
        timeout_keep_alive=75, ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key, **common,
    )  # fmt: skip
    yield uvicorn.Config(application.admin, http=Protocol, ws="none", **common)
    if demo:
        from app.demo import demo_app  # noqa: PLC0415 - only the demo needs it

        yield uvicorn.Config(demo_app, http="httptools", ws="websockets-sansio", **common)


def on_signals(application: Application, servers: list[Server]) -> None:
    """The first SIGTERM or SIGINT drains, the second ends at once."""

    def stop() -> None:
        application.proxy.edge.stopping.set()
        for server in servers:
            server.force_exit = server.should_exit
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


async def look_at(origin: Origin, seconds: float) -> None:
    """Say at once when the origin does not answer; the start never depends on it."""
    failure = await failure_of(origin, seconds)
    if failure is not None:
        say(origin_note(origin, failure))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
