"""What the supervisor and a worker say to each other, over a socket that nobody else has an end of.

Each message is a length and a pickle. Pickle runs what it is told to: that is why it is never used for what is stored,
or comes from outside. Here both ends are one program, started by one user, and the socket has no name.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
from dataclasses import dataclass
from typing import Any

from app.fleet import About, Report
from app.journal import Event, Page
from app.settings import Settings

_LENGTH = 4
# What may wait to be read by the other end before news that will come again is left out.
HIGH_WATER = 2**18


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message to a worker: which of how many it is, and what they all have in common."""

    number: int
    settings: Settings
    node: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker serves from now on."""


@dataclass(frozen=True, slots=True)
class News:
    """What a worker has counted up to now, told now and then without being asked."""

    report: Report


@dataclass(frozen=True, slots=True)
class Stop:
    """Let what is under way end, or end `at_once`."""

    at_once: bool = False


@dataclass(frozen=True, slots=True)
class ReportNow:
    """A question that Report answers."""


@dataclass(frozen=True, slots=True)
class TellEvents:
    """A question that a list of events answers, the newest at the end."""

    limit: int


@dataclass(frozen=True, slots=True)
class TellNewest:
    """A question that a Page answers: the last `most` events after the number `after`."""

    after: int
    most: int


@dataclass(frozen=True, slots=True)
class TellAbout:
    """A question that About answers."""

    key: str


@dataclass(frozen=True, slots=True)
class Reset:
    """A request to forget, which None answers."""


@dataclass(frozen=True, slots=True)
class Change:
    """A request to answer by these settings from now on, which None answers; or text, where that cannot be."""

    settings: Settings


Question = ReportNow | TellEvents | TellNewest | TellAbout | Reset | Change
Told = Report | list[Event] | Page | About | str | None


@dataclass(frozen=True, slots=True)
class Ask:
    number: int
    question: Question


@dataclass(frozen=True, slots=True)
class Answer:
    number: int
    value: Told


ToWorker = Setup | Ask | Stop
ToSupervisor = Ready | News | Answer


def packed(message: ToWorker | ToSupervisor) -> bytes:
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(_LENGTH, "big") + body


class Channel:
    """One end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def over(cls, end: socket.socket) -> Channel:
        return cls(*await asyncio.open_unix_connection(sock=end))

    @property
    def full(self) -> bool:
        """Whether the other end does not keep up."""
        return self._writer.transport.get_write_buffer_size() > HIGH_WATER

    def send(self, message: ToWorker | ToSupervisor) -> None:
        """Say it, if the other end is still there to hear it."""
        self.write(packed(message))

    def write(self, message: bytes) -> None:
        if not self._writer.transport.is_closing():
            self._writer.write(message)

    async def receive(self) -> Any:
        """The next message; None once the other end has gone."""
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH), "big")
            return pickle.loads(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, OSError):
            return None

    async def aclose(self) -> None:
        """Let go of it, once the other end has what was said, or is gone."""
        try:
            await self._writer.drain()
            self._writer.close()
            await self._writer.wait_closed()
        except OSError:
            pass
