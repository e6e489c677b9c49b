"""The supervisor: it has workers started and replaced, and runs what there is one of: the admin side, the first words
and the last."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from app.asgi import SHARED_MEMORY, Application, build, new_node
from app.banner import banner, note_on_clock, note_on_origin, say, summary
from app.fleet import OneProcess
from app.process import calm_collector, loop_factory, quiet_logs
from app.server import STOPPING, admin_server, begin, demo_server, end, on_signals
from app.settings import Settings
from app.store.disk.temporary import temporary_folder
from app.terminal import wants_color
from app.workers.channel import Setup
from app.workers.fleet import Workers
from app.workers.lines import lock_file, shared
from app.workers.staff import Staff


def supervise(
    settings: Settings, listening: Sequence[socket.socket], admin: socket.socket, origin: socket.socket | None
) -> int:
    """Serve by as many workers as there are sockets that listen, until SIGTERM or SIGINT. Returns the exit code: 1 when
    no worker can be kept alive."""
    with lock_file() as lock, _shared_by_all(settings) as shared_settings:
        sys.stderr = shared(sys.stderr, lock)
        quiet_logs()
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_supervise(shared_settings, listening, admin, origin, lock))


@contextmanager
def _shared_by_all(settings: Settings) -> Iterator[Settings]:
    """The settings with a store that several processes can share: for `memory`, a folder that is in memory."""
    if settings.store != "memory":
        yield settings
        return
    with temporary_folder(settings.max_size) as (folder, note):
        if note is not None:
            say(f"  {note}")
        yield replace(settings, store=f"{SHARED_MEMORY}{folder}")


async def _supervise(
    settings: Settings, listening: Sequence[socket.socket], admin: socket.socket, origin: socket.socket | None,
    lock: int,
) -> int:  # fmt: skip
    node, demo = new_node(), origin is not None
    staff = Staff(Setup(0, settings, node), listening, lock)
    application = build(settings, node=node, fleet=partial(Workers, staff))
    await begin(application)
    servers = [(admin_server(settings, application), admin)]
    if origin is not None:
        servers.append((demo_server(settings), origin))

    def stop() -> None:
        """The first SIGTERM or SIGINT drains, the second ends at once."""
        application.proxy.edge.stopping.set()
        staff.stop()
        for server, _ in servers:
            server.stop()

    async def work() -> None:
        await staff.work()
        for server, _ in servers:
            server.should_exit = True  # also where the workers have failed, and nobody was told to stop

    on_signals(STOPPING, stop)
    calm_collector()
    application.around.tasks.start(_greet(settings, application, staff, demo=demo), "greet")
    await asyncio.gather(work(), *(server.serve(sockets=[bound]) for server, bound in servers))
    report = await Workers(staff, OneProcess(application.proxy.edge.engine.fetcher)).report()
    await end(application)
    say(summary(report.counters, demo=demo))
    return int(staff.failed)


async def _greet(settings: Settings, application: Application, staff: Staff, *, demo: bool) -> None:
    """The first words, once there is somebody to answer."""
    if not await staff.ready():
        return
    color = wants_color(sys.stderr, os.environ)
    say(banner(settings, demo=demo, made_token=application.made_token, color=color))
    note_on_clock(application.around.clock.offset)
    if not demo:
        await note_on_origin(application.around.upstream.origin, settings.timeout_connect)
