"""A running Swerve: its sockets, its signals, its first words and its last, in one process or several."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace

from app.asgi import build
from app.banner import banner, note_on_clock, note_on_origin, say, summary
from app.process import calm_collector, keep_memory, loop_factory, quiet_logs, raise_file_limit
from app.reloading import Reloading
from app.server import STOPPING, RequestLog, admin_server, begin, demo_server, end, on_hangup, on_signals, proxy_server
from app.settings import Settings, Sources
from app.sockets import Bound, bind, bind_anywhere, bind_several, bound_to, origin_of
from app.terminal import wants_color


def run(settings: Settings, sources: Sources, *, demo: bool = False) -> int:
    """Serve until SIGTERM or SIGINT by these settings, which were read from these sources. Returns the exit code: 0, or
    1 where no worker can be kept alive. Raises ConfigError when a port is taken, or the store cannot be opened."""
    raise_file_limit()
    reloading = Reloading(settings, sources)
    listening = bind_several(settings.listen, "listen", settings.workers)
    bound = Bound(listening, bind(settings.admin, "admin"), bind_anywhere() if demo else None)
    here, admin = bound_to(settings.listen, listening[0]), bound_to(settings.admin, bound.admin)
    settings = replace(settings, listen=here, admin=admin)
    if bound.origin is not None:
        settings = replace(settings, origin=origin_of(bound.origin))
    if settings.workers > 1:
        from app.workers.supervisor import supervise  # noqa: PLC0415 - one process needs none of it

        return supervise(settings, reloading, bound)
    quiet_logs()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(serve(settings, reloading, bound))


async def serve(settings: Settings, reloading: Reloading, bound: Bound) -> int:
    """Run the proxy, the admin side and perhaps the demo origin on these sockets, in this process alone."""
    application = build(settings, reloading=reloading)
    await begin(application)
    servers = [
        (proxy_server(settings, application), bound.listening[0]),
        (admin_server(settings, application), bound.admin),
    ]
    request_log = RequestLog(settings, application)
    if bound.origin is not None:
        servers.append((demo_server(settings), bound.origin))

    def stop() -> None:
        """The first SIGTERM or SIGINT drains, the second ends at once."""
        application.stopping.set()
        for server, _ in servers:
            server.stop()

    on_signals(STOPPING, stop)
    on_hangup(application, stop)
    calm_collector()
    keep_memory()
    demo, color = bound.origin is not None, wants_color(sys.stderr, os.environ)
    say(banner(settings, demo=demo, made_token=application.made_token, color=color))
    note_on_clock(application.around.clock.offset)
    if not demo:
        looking = note_on_origin(application.around.upstream.origin, settings.timeout_connect)
        application.around.tasks.start(looking, "look at the origin")
    await asyncio.gather(*(server.serve(sockets=[one]) for server, one in servers))
    await end(application)
    request_log.flush()
    say(summary(application.around.journal.counters, demo=demo))
    return 0
