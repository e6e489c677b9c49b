"""The supervisor: it has workers started and replaced, and runs what there is one of: the admin side, the first words
and the last."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from app.asgi import SHARED_MEMORY, Application, Company, build, new_node
from app.banner import banner, note_on_clock, note_on_origin, say, summary
from app.process import calm_collector, loop_factory, quiet_logs
from app.reloading import Reloading
from app.server import STOPPING, admin_server, begin, demo_server, end, on_hangup, on_signals
from app.settings import Settings
from app.sockets import Bound
from app.store.disk.temporary import temporary_folder
from app.terminal import wants_color
from app.workers.channel import Setup
from app.workers.fleet import Workers
from app.workers.lines import lock_file, shared
from app.workers.staff import Staff


def supervise(settings: Settings, reloading: Reloading, bound: Bound) -> int:
    """Serve by as many workers as there are sockets that listen, until SIGTERM or SIGINT. Returns the exit code: 1 when
    no worker can be kept alive."""
    with lock_file() as lock, _shared_by_all(settings) as shared_settings:
        sys.stderr = shared(sys.stderr, lock)
        quiet_logs()
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_supervise(shared_settings, reloading, bound, lock))


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


async def _supervise(settings: Settings, reloading: Reloading, bound: Bound, lock: int) -> int:
    node, demo = new_node(), bound.origin is not None
    staff = Staff(Setup(0, settings, node), bound.listening, lock)
    application = build(settings, reloading=reloading, company=Company(node, partial(Workers, staff), staff.change))
    await begin(application)
    servers = [(admin_server(settings, application), bound.admin)]
    if bound.origin is not None:
        servers.append((demo_server(settings), bound.origin))

    def stop() -> None:
        """The first SIGTERM or SIGINT drains, the second ends at once."""
        application.stopping.set()
        staff.stop()
        for server, _ in servers:
            server.stop()

    async def work() -> None:
        await staff.work()
        for server, _ in servers:
            server.should_exit = True  # also where the workers have failed, and nobody was told to stop

    on_signals(STOPPING, stop)
    on_hangup(application, stop)
    calm_collector()
    application.around.tasks.start(_greet(settings, application, staff, demo=demo), "greet")
    await asyncio.gather(work(), *(server.serve(sockets=[one]) for server, one in servers))
    report = await application.desk.fleet.report()
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
