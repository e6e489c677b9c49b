"""uvicorn as a process of ours runs it: several servers on one loop, and what they log, stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import uvicorn

from app.asgi import Application
from app.config_error import ConfigError
from app.console import Console, mode_of
from app.protocol import Protocol
from app.settings import Settings
from app.store.base import StoreError
from app.terminal import wants_color

# uvicorn is told to end a little earlier than we must, so that what follows it (it looks every 0.1 s, then the tasks
# that it does not know of are ended) fits into `drain` too.
MARGIN = 0.8
LAST_WAIT = 0.3


class Server(uvicorn.Server):
    """uvicorn without handlers of its own: the servers of one process share its signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self, *, at_once: bool = False) -> None:
        """Let what is under way end; the second time, or `at_once`, it is given up."""
        self.force_exit = self.should_exit or at_once
        self.should_exit = True


def proxy_server(settings: Settings, application: Application) -> Server:
    # Idle connections outlive the 60 s after which most load balancers close theirs, so that we are never the first.
    made = partial(Protocol, memo=application.memo, bans=application.proxy.purging is not None)
    protocol = cast(type[Protocol], made)  # all that uvicorn does is call it
    return Server(uvicorn.Config(
        application.proxy, http=protocol, ws="websockets-sansio", ws_max_size=2**30, ws_ping_interval=None,
        timeout_keep_alive=75, ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key, **_common(settings),
    ))  # fmt: skip


def admin_server(settings: Settings, application: Application) -> Server:
    return Server(uvicorn.Config(application.admin, http=Protocol, ws="none", **_common(settings)))


def demo_server(settings: Settings) -> Server:
    from app.demo import demo_app  # noqa: PLC0415 - only the demo needs it

    return Server(uvicorn.Config(demo_app, http="httptools", ws="websockets-sansio", **_common(settings)))


def _common(settings: Settings) -> dict[str, Any]:
    """`Date` and `Server` are ours to say, X-Forwarded-* ours to judge, and requests ours to log."""
    return {
        "lifespan": "off", "log_config": None, "access_log": False, "proxy_headers": False,
        "date_header": False, "server_header": False, "backlog": 4096,
        "timeout_graceful_shutdown": max(settings.drain - MARGIN, 0.1),
    }  # fmt: skip


def logging_to(settings: Settings, application: Application) -> Console:
    """The request log: lines for people beside what else is said, JSON by itself on stdout."""
    mode = mode_of(settings.log, sys.stderr)
    stream = sys.stdout if mode == "json" else sys.stderr
    console = Console(mode, stream, wants_color(sys.stderr, os.environ), settings.dialect.name)
    if mode != "off":
        application.around.journal.listen(console, console.replayed, console.patience)
    return console


def on_signals(numbers: Sequence[int], stop: Callable[[], None]) -> None:
    for number in numbers:
        asyncio.get_running_loop().add_signal_handler(number, stop)


STOPPING = (signal.SIGTERM, signal.SIGINT)


async def begin(application: Application) -> None:
    """Have everything open before the first request. Raises ConfigError."""
    try:
        await application.open()
    except StoreError as error:
        raise ConfigError(f"store: {error}") from None


async def end(application: Application) -> None:
    """What follows when the servers have ended."""
    await application.around.tasks.drain(LAST_WAIT)
    await application.aclose()
    application.around.journal.settle()
