"""The clients that vendors publish, installed once per lock file, and a process with all of one registry's at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

from tests.live import node

HERE = Path(__file__).parent
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Clients:
    process: subprocess.Popen[str]

    def call(self, name: str, **options: object) -> Any:
        """What the client returned. Raises Failed."""
        told = self.exchange([name, options])
        if "error" in told:
            raise Failed(told["error"], told.get("status"))
        return told["value"]

    def exchange(self, line: object) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return self.next()

    def next(self) -> Any:
        """Not for ever: a client that hangs is ended, and there is no line."""
        assert self.process.stdout is not None
        timer = Timer(PATIENCE, self.process.kill)
        timer.start()
        try:
            line = self.process.stdout.readline()
        finally:
            timer.cancel()
        assert line, "the clients have ended"
        return json.loads(line)


class Failed(Exception):
    """A client has raised: what it said, and the status that it saw."""

    def __init__(self, words: str, status: int | None) -> None:
        super().__init__(words)
        self.status = status


def of_npm() -> list[str]:
    node.install(HERE)
    return ["node", "--no-warnings", str(HERE / "npm_clients.mjs")]


def of_pypi() -> list[str]:
    """In a virtual environment beside the lock file."""
    lock, made = HERE / "requirements.lock", HERE / ".venv"
    python = made / "bin" / "python"
    node.once(made / ".stamp-made", [lock], [sys.executable, "-m", "venv", "--clear", str(made)], HERE)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
    node.once(made / ".stamp-lock", [lock], pip, HERE)
    return [str(python), str(HERE / "pypi_clients.py")]


@contextmanager
def running(command: list[str], admin: str, site: str, token: str) -> Iterator[Clients]:
    """The clients, told where the admin side and the site are, and the token, until the block ends."""
    process = subprocess.Popen(
        [*command, admin, site, token], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=node.environment()
    )
    try:
        clients = Clients(process)
        assert clients.next() == "ready"
        yield clients
    finally:
        process.kill()
        process.communicate()
