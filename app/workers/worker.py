"""One worker: a cache that answers clients on a socket it was given, and its supervisor on another."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from dataclasses import replace
from math import ceil
from typing import cast

from app.asgi import Application, Company, build
from app.config_error import ConfigError
from app.fleet import Report
from app.process import calm_collector, keep_memory, loop_factory, quiet_logs, raise_file_limit
from app.server import HANGUP, RequestLog, Server, end, on_signals, proxy_server
from app.settings import Settings
from app.store.redis.address import is_redis
from app.workers.channel import (
    Answer,
    Ask,
    Change,
    Channel,
    News,
    Question,
    Ready,
    ReportNow,
    Reset,
    Setup,
    Stop,
    TellAbout,
    TellEvents,
    TellNewest,
    Told,
    ToWorker,
    packed,
)
from app.workers.lines import shared

# How often the supervisor hears what was counted: so much of it is lost when a worker is killed.
NEWS_EVERY = 0.1

log = logging.getLogger("swerve")


def main(channel: int, listening: int, lock: int) -> int:
    """Serve until the supervisor says stop, or is gone. Returns the exit code."""
    for number in (signal.SIGINT, *HANGUP):  # for the supervisor, which then tells us
        signal.signal(number, signal.SIG_IGN)
    sys.stdout, sys.stderr = shared(sys.stdout, lock), shared(sys.stderr, lock)
    quiet_logs()
    raise_file_limit()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work(socket.socket(fileno=channel), socket.socket(fileno=listening)))


async def work(end_of_channel: socket.socket, listening: socket.socket) -> int:
    channel = await Channel.over(end_of_channel)
    setup = await channel.receive()
    if not isinstance(setup, Setup):  # the supervisor has gone meanwhile
        return 0
    settings = _part_of(setup.settings)
    application = build(settings, company=Company(setup.node))
    await application.around.store.open()  # what has to be told to all who share it, the supervisor has told
    worker = Worker(application, proxy_server(settings, application), channel)
    request_log = RequestLog(settings, application)
    on_signals((signal.SIGTERM,), worker.stop)
    application.around.tasks.start(worker.listen(), "listen to the supervisor")
    calm_collector()
    keep_memory()
    channel.send(Ready())
    worker.tell_news()
    await worker.server.serve(sockets=[listening])
    await end(application)
    request_log.flush()
    channel.send(News(worker.present()))
    await channel.aclose()
    return 0


def _part_of(settings: Settings) -> Settings:
    """Settings for one of several: what bounds all of them together is shared out, such as the memory in front of
    Redis; a folder is one for all."""
    several = settings.workers
    return replace(
        settings,
        max_size=ceil(settings.max_size / several) if is_redis(settings.store) else settings.max_size,
        max_connections_upstream=ceil(settings.max_connections_upstream / several),
        max_refreshes=ceil(settings.max_refreshes / several),
    )


class Worker:
    """What the supervisor sees of it."""

    def __init__(self, application: Application, server: Server, channel: Channel) -> None:
        self.server = server
        self._application, self._one = application, application.process
        self._loop, self._channel = asyncio.get_running_loop(), channel
        self._told = b""

    def stop(self) -> None:
        """Let what is under way end. However often one is told: the whole group may get a signal, and then a message
        follows."""
        self._application.stopping.set()
        self.server.should_exit = True

    async def listen(self) -> None:
        """Do what the supervisor says. When it is gone there is nobody to work for."""
        while (message := cast(ToWorker | None, await self._channel.receive())) is not None:
            match message:
                case Setup():
                    raise AssertionError("once is enough")
                case Ask(number, question):
                    self._channel.send(Answer(number, await self._answer(question)))
                case Stop(at_once):
                    self.stop()
                    self.server.force_exit = at_once
        self.stop()

    async def _answer(self, question: Question) -> Told:
        match question:
            case ReportNow():
                return self.present()
            case TellEvents(limit):
                return await self._one.events(limit)
            case TellNewest(after, most):
                return self._one.newest(after, most)
            case TellAbout(key):
                return await self._one.about(key)
            case Reset():
                await self._one.reset()
                return None
            case Change(settings):
                return self._change(_part_of(settings))

    def _change(self, settings: Settings) -> str | None:
        """Why it cannot be, if so."""
        try:
            self._application.change(settings)
        except ConfigError as error:
            return str(error)
        return None

    def present(self) -> Report:
        return self._one.present()

    def tell_news(self) -> None:
        """Tell what was counted, if that is any news, and come back."""
        if not self._channel.full:
            news = packed(News(self.present()))
            if news != self._told:
                self._told = news
                self._channel.write(news)
        self._loop.call_later(NEWS_EVERY, self.tell_news)
