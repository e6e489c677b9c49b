"""Processes of the benchmark's own: each leads a group, stays on one core, and is ended by its id."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.cores import on_core
from bench.ports import listening
from bench.refusal import CannotRunError

POLL = 0.02
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Where:
    """A folder of its own, and the core that it stays on."""

    folder: Path
    core: int


@contextmanager
def running(
    command: Sequence[str], where: Where, *, output: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the block ends; stdout goes to `output`, what it complains of beside it."""
    where.folder.mkdir(parents=True, exist_ok=True)
    complaints = where.folder / "stderr"
    with (output or where.folder / "stdout").open("ab") as out, complaints.open("ab") as err, on_core(where.core):
        process = subprocess.Popen(
            command,
            cwd=where.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End the group that the process leads, gently at first."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    # What it left behind in its group, if anything, ends now.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def await_port(process: subprocess.Popen[bytes], port: int, where: Where) -> None:
    deadline = time.monotonic() + PATIENCE
    while not listening(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotRunError(f"{where.folder.name} did not start: {_last_words(where)}")
        time.sleep(POLL)


def _last_words(where: Where) -> str:
    said = (where.folder / "stderr").read_text(errors="replace").split("\n")
    return next((line for line in reversed(said) if line.strip()), "it said nothing")
