"""One running worker, as its supervisor knows it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any, cast

from app.fleet import Report
from app.workers.channel import Answer, Ask, Channel, News, Question, Ready, Setup, Stop, ToSupervisor

# One that has said its last word has so many seconds to be gone.
LAST_SECONDS = 5.0


class Unanswered(Exception):
    """A worker has not answered in time."""


class Gone(Unanswered):
    """It has ended meanwhile."""


class Peer:
    """`last` is what it has told of its counts, `serves` whether it has been ready. `heard`: the number of the last of
    its events that is known here."""

    def __init__(self, process: Process, channel: Channel, number: int) -> None:
        self.number = number
        self.last: Report | None = None
        self.serves = False
        self.heard = 0
        self._gone = False
        self._process, self._channel = process, channel
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    @property
    def name(self) -> str:
        return f"worker {self.number} (process {self._process.pid})"

    def tell(self, message: Setup | Stop) -> None:
        self._channel.send(message)

    async def ask(self, question: Question, seconds: float) -> Any:
        """Its answer. Raises Unanswered."""
        if self._gone:
            raise Gone(f"{self.name} has ended")
        number = next(self._numbers)
        self._waiting[number] = answered = asyncio.get_running_loop().create_future()
        self._channel.send(Ask(number, question))
        try:
            async with asyncio.timeout(seconds):
                return await answered
        except TimeoutError:
            raise Unanswered(f"{self.name} has not answered within {seconds:g} s") from None
        finally:
            del self._waiting[number]

    async def ended(self, on_ready: Callable[[], None]) -> int:
        """Hear what it says until it ends. Returns its exit code, below 0 for a signal."""
        while (message := cast(ToSupervisor | None, await self._channel.receive())) is not None:
            match message:
                case Ready():
                    self.serves = True
                    on_ready()
                case News(report):
                    self.last = report
                case Answer(number, value):
                    self._answered(number, value)
        self._gone = True
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(Gone(f"{self.name} has ended"))
        await self._channel.aclose()
        try:
            async with asyncio.timeout(LAST_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            self.kill()
            return await self._process.wait()

    def _answered(self, number: int, value: object) -> None:
        if isinstance(value, Report):
            self.last = value
        answered = self._waiting.get(number)
        if answered is not None and not answered.done():
            answered.set_result(value)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()


async def started(number: int, listening: socket.socket, lock: int) -> Peer:
    """Start a worker, which waits to be told its Setup: a new interpreter that finds modules where this one does, and
    has nothing open of ours but the ends that it is given. It leads a session of its own: what a terminal sends to all
    of a group, we tell it. Raises OSError where the system has no room for another process."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    ends = (theirs.fileno(), listening.fileno(), lock)
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "app.workers", *map(str, ends),
            pass_fds=ends, start_new_session=True, stdin=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    return Peer(process, await Channel.over(ours), number)
