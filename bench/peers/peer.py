"""A proxy under test, whichever it is."""

from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from bench.processes import Where


@dataclass(frozen=True, slots=True)
class Site:
    """Where a proxy is started, and what for."""

    where: Where
    origin: int
    program: str
    logs: bool = False
    dialect: str = "standard"
    flags: tuple[str, ...] = ()

    @property
    def log(self) -> Path | None:
        """The file that gets a line a request, if any."""
        return self.where.folder / "requests.log" if self.logs else None


@dataclass(frozen=True, slots=True)
class Peer:
    """One that runs; `hit` says by a response's fields whether it came from the store."""

    name: str
    port: int
    roots: tuple[int, ...]
    hit: Callable[[Message], bool]
    log: Path | None
