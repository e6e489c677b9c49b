"""Real processes for live tests: each in a group of its own, waited for by what it does, ended by its id."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
POLL = 0.02


class NotStartedError(Exception):
    """The process ended, or did nothing in time; carries what it printed."""


@dataclass(frozen=True, slots=True)
class Running:
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def printed(self) -> str:
        return self.output.read_text(errors="replace")

    def stop(self, patience: float = 10) -> int:
        """End the group that the process leads, gently at first; return its exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def listening(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(
    command: Sequence[str | Path],
    ready: Callable[[str], bool],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    patience: float = 60,
) -> Iterator[Running]:
    """Run a command until the block ends; `ready` sees what it printed so far. No environment: that of this process."""
    with tempfile.TemporaryDirectory() as place:
        output = Path(place) / "output"
        with output.open("wb") as sink:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = Running(process, output)
        try:
            _wait(started, ready, patience)
            yield started
        finally:
            started.stop()


def _wait(started: Running, ready: Callable[[str], bool], patience: float) -> None:
    process = started.process
    deadline = time.monotonic() + patience
    while not ready(started.printed):
        if process.poll() is not None:
            raise NotStartedError(f"{process.args!r} ended with {process.returncode}:\n{started.printed}")
        if time.monotonic() > deadline:
            raise NotStartedError(f"{process.args!r} was not ready after {patience} s:\n{started.printed}")
        time.sleep(POLL)
