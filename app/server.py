"""uvicorn as a process of ours runs it: several servers on one loop, and what they log, stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import uvicorn

from app.asgi import Application
from app.banner import say
from app.config_error import ConfigError
from app.console import Console, mode_of
from app.protocol import Protocol
from app.reloading import NotTakenUp, in_words
from app.settings import Settings
from app.store.base import StoreError
from app.terminal import wants_color

log = logging.getLogger("swerve")

# uvicorn is told to end a little earlier than we must, so that what follows it (it looks every 0.1 s, then the tasks
# that it does not know of are ended) fits into `drain` too.
MARGIN = 0.8
LAST_WAIT = 0.3


class Server(uvicorn.Server):
    """uvicorn without handlers of its own: the servers of one process share its signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def renew(self, settings: Settings) -> None:
        """Have handshakes from now on show the certificate that is there now. Raises ConfigError."""
        if settings.tls_cert is not None and self.config.ssl is not None:
            try:
                self.config.ssl.load_cert_chain(settings.tls_cert, settings.tls_key)
            except (ssl.SSLError, OSError) as error:
                raise ConfigError(f"tls_cert: {settings.tls_cert} is refused ({error.strerror or error})") from None
        self.wait_for(settings)

    def wait_for(self, settings: Settings) -> None:
        """Wait so long for what is under way when we are told to end."""
        self.config.timeout_graceful_shutdown = graceful(settings)

    def stop(self, *, at_once: bool = False) -> None:
        """Let what is under way end; the second time, or `at_once`, it is given up."""
        self.force_exit = self.should_exit or at_once
        self.should_exit = True


def proxy_server(settings: Settings, application: Application) -> Server:
    # Idle connections outlive the 60 s after which most load balancers close theirs, so that we are never the first.
    protocol = cast(type[Protocol], partial(Protocol, front=application))  # all that uvicorn does is call it
    server = Server(uvicorn.Config(
        application.proxy, http=protocol, ws="websockets-sansio", ws_max_size=2**30, ws_ping_interval=None,
        timeout_keep_alive=75, ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key, **_common(settings),
    ))  # fmt: skip
    application.before_change.append(server.renew)
    return server


def admin_server(settings: Settings, application: Application) -> Server:
    server = Server(uvicorn.Config(application.admin, http=Protocol, ws="none", **_common(settings)))
    application.before_change.append(server.wait_for)
    return server


def demo_server(settings: Settings) -> Server:
    from app.demo import demo_app  # noqa: PLC0415 - only the demo needs it

    return Server(uvicorn.Config(demo_app, http="httptools", ws="websockets-sansio", **_common(settings)))


def graceful(settings: Settings) -> Any:
    """In seconds; uvicorn's types say whole ones."""
    return max(settings.drain - MARGIN, 0.1)


def _common(settings: Settings) -> dict[str, Any]:
    """`Date` and `Server` are ours to say, X-Forwarded-* ours to judge, and requests ours to log."""
    return {
        "lifespan": "off", "log_config": None, "access_log": False, "proxy_headers": False,
        "date_header": False, "server_header": False, "backlog": 4096,
        "timeout_graceful_shutdown": graceful(settings), "interface": "asgi3",
    }  # fmt: skip


class RequestLog:
    """The request log: lines for people beside what else is said, JSON by itself on stdout."""

    def __init__(self, settings: Settings, application: Application) -> None:
        self._journal = application.lasting.journal
        self._said = (settings.log, settings.dialect.name)
        self._console = self._speaking(settings)
        application.before_change.append(self.change)

    def _speaking(self, settings: Settings) -> Console:
        mode = mode_of(settings.log, sys.stderr)
        stream = sys.stdout if mode == "json" else sys.stderr
        console = Console(mode, stream, wants_color(sys.stderr, os.environ), settings.dialect.name)
        if mode != "off":
            self._journal.listen(console, console.replayed, console.patience)
        return console

    def change(self, settings: Settings) -> None:
        """Another mode, or another dialect's name."""
        said = (settings.log, settings.dialect.name)
        if said == self._said:
            return
        self._journal.unlisten(self._console)
        self._console.flush()
        self._console, self._said = self._speaking(settings), said

    def flush(self) -> None:
        """Write what waits."""
        self._console.flush()


def on_signals(numbers: Sequence[int], stop: Callable[[], None]) -> None:
    for number in numbers:
        asyncio.get_running_loop().add_signal_handler(number, stop)


STOPPING = (signal.SIGTERM, signal.SIGINT)
HANGUP = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []


def on_hangup(application: Application, stop: Callable[[], None]) -> None:
    """SIGHUP reads the settings again; but where it says that our terminal is gone, nobody is there to work for."""
    shown = [one for one in (1, 2) if os.isatty(one)]

    def hang_up() -> None:
        if not all(map(os.isatty, shown)):
            for one in shown:  # to write there would fail
                os.dup2(os.open(os.devnull, os.O_WRONLY), one)
            stop()
        else:
            application.lasting.tasks.start(reload(application), "reload")

    on_signals(HANGUP, hang_up)


async def reload(application: Application) -> None:
    """What has become of it goes to the log."""
    try:
        say(f"  {in_words(await application.reload())}")
    except (ConfigError, NotTakenUp) as error:
        log.error("not reloaded: %s", error)


async def begin(application: Application) -> None:
    """Have everything open before the first request. Raises ConfigError."""
    try:
        await application.open()
    except StoreError as error:
        raise ConfigError(f"store: {error}") from None


async def end(application: Application) -> None:
    """What follows when the servers have ended."""
    await application.lasting.tasks.drain(LAST_WAIT)
    await application.aclose()
    application.lasting.journal.settle()
