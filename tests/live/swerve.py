"""A Swerve of its own for a test: a real process in front of an origin, on free ports, ended by its id."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import randrange
from typing import Any, cast

import uvloop

from tests.live.processes import LOOPBACK, Running, listening, running

ROOT = Path(__file__).parents[2]
MIB = 2**20


def within(seconds: float) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], Callable[..., None]]:
    """Run an `async def` test, on a fast loop, and not for ever."""

    def decorate(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(**arguments: Any) -> None:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(asyncio.wait_for(test(**arguments), seconds))

        return cast(Callable[..., None], run)

    return decorate


@dataclass(frozen=True, slots=True)
class Swerve:
    """A running Swerve: its clients connect to `port`."""

    running: Running
    port: int
    admin: int

    @property
    def pid(self) -> int:
        return self.running.process.pid

    @property
    def printed(self) -> str:
        return self.running.printed

    async def ended(self, patience: float = 10) -> int:
        """Wait until the process has ended by itself; its exit code."""
        return await asyncio.to_thread(self.running.process.wait, patience)

    def memory(self, name: str = "VmHWM") -> int:
        """Bytes, as the kernel counts them: VmHWM is the most that was ever resident, VmRSS what is now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise LookupError(name)


def free_ports() -> tuple[int, int]:
    """Two that differ, below those that the kernel gives to clients: a herd of them cannot take one in between."""
    while True:
        first, second = (socket.socket(), socket.socket())
        with first, second, suppress(OSError):
            for one in (first, second):
                one.bind((LOOPBACK, randrange(15_000, 32_000)))
            return first.getsockname()[1], second.getsockname()[1]


def command(origin: str, port: int, admin: int, *flags: str, dialect: str = "standard") -> list[str]:
    ports = ["--listen", f"{LOOPBACK}:{port}", "--admin", f"{LOOPBACK}:{admin}"]
    return [sys.executable, "-m", "app", origin, *ports, "--dialect", dialect, "--log", "off", *flags]


def environment() -> dict[str, str]:
    """This process's, without the settings that somebody may have in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SWERVE_") and name != "PORT"}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH"))))}


@contextmanager
def started(
    origin: str, *flags: str, dialect: str = "standard", variables: Mapping[str, str] | None = None, quiet: bool = True,
    ports: tuple[int, int] | None = None,
) -> Iterator[Swerve]:  # fmt: skip
    """A Swerve until the block ends, on the `ports` of its proxy and its admin side, where the origin had to be told
    those before. An exception that it let out fails the test where `quiet` says so."""
    port, admin = ports or free_ports()
    words = command(origin, port, admin, *flags, dialect=dialect)
    with (
        tempfile.TemporaryDirectory() as folder,  # where no swerve.toml lies
        running(
            words, lambda _: listening(port), folder=Path(folder), environment={**environment(), **(variables or {})}
        ) as process,
    ):
        try:
            yield Swerve(process, port, admin)
        except BaseException:
            print(process.printed)
            raise
        process.stop()
        assert not quiet or "Traceback" not in process.printed, process.printed


@asynccontextmanager
async def swerve(
    origin: str, *flags: str, dialect: str = "standard", variables: Mapping[str, str] | None = None, quiet: bool = True
) -> AsyncIterator[Swerve]:
    """The same for tests whose own loop plays the origin: it goes on while Swerve starts and ends."""
    block = started(origin, *flags, dialect=dialect, variables=variables, quiet=quiet)
    one = await asyncio.to_thread(block.__enter__)
    try:
        yield one
    except BaseException:
        await asyncio.to_thread(block.__exit__, *sys.exc_info())
        raise
    await asyncio.to_thread(block.__exit__, None, None, None)
