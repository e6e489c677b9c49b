"""A running Swerve: its sockets, its signals, its first words and its last, in one process or several."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from dataclasses import replace

from app.asgi import build
from app.banner import banner, note_on_clock, note_on_origin, say, summary
from app.process import calm_collector, keep_memory, loop_factory, quiet_logs, raise_file_limit
from app.server import STOPPING, admin_server, begin, demo_server, end, logging_to, on_signals, proxy_server
from app.settings import Settings
from app.sockets import bind, bind_anywhere, bind_several, bound_to, origin_of
from app.terminal import wants_color


def run(settings: Settings, *, demo: bool = False) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code: 0, or 1 where no worker can be kept alive. Raises
    ConfigError when a port is taken, or the store cannot be opened."""
    raise_file_limit()
    listening = bind_several(settings.listen, "listen", settings.workers)
    admin = bind(settings.admin, "admin")
    settings = replace(settings, listen=bound_to(settings.listen, listening[0]), admin=bound_to(settings.admin, admin))
    origin = bind_anywhere() if demo else None
    if origin is not None:
        settings = replace(settings, origin=origin_of(origin))
    if settings.workers > 1:
        from app.workers.supervisor import supervise  # noqa: PLC0415 - one process needs none of it

        return supervise(settings, listening, admin, origin)
    quiet_logs()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(serve(settings, listening[0], admin, origin))


async def serve(
    settings: Settings, listening: socket.socket, admin: socket.socket, origin: socket.socket | None
) -> int:
    """Run the proxy, the admin side and perhaps the demo `origin` on these bound sockets, in this process alone."""
    application = build(settings)
    await begin(application)
    console = logging_to(settings, application)
    servers = [(proxy_server(settings, application), listening), (admin_server(settings, application), admin)]
    if origin is not None:
        servers.append((demo_server(settings), origin))

    def stop() -> None:
        """The first SIGTERM or SIGINT drains, the second ends at once."""
        application.proxy.edge.stopping.set()
        for server, _ in servers:
            server.stop()

    on_signals(STOPPING, stop)
    calm_collector()
    keep_memory()
    demo, color = origin is not None, wants_color(sys.stderr, os.environ)
    say(banner(settings, demo=demo, made_token=application.made_token, color=color))
    note_on_clock(application.around.clock.offset)
    if not demo:
        looking = note_on_origin(application.around.upstream.origin, settings.timeout_connect)
        application.around.tasks.start(looking, "look at the origin")
    await asyncio.gather(*(server.serve(sockets=[bound]) for server, bound in servers))
    await end(application)
    console.flush()
    say(summary(application.around.journal.counters, demo=demo))
    return 0
