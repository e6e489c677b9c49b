"""Real Redis servers for tests, on loopback, each in a folder of its own; installed where that is allowed."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import randrange

from tests.live import debian
from tests.live.processes import LOOPBACK, NotStartedError, Running, running

SLOTS = 16_384


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `process` is ended, or killed, by the test that started it."""

    process: Running
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    def command(self, *words: str) -> str:
        """What redis-cli says to a command."""
        return asked(self.port, *words)

    def kill(self) -> None:
        """As a crash would."""
        self.process.process.kill()
        self.process.process.wait()


def program(name: str = "redis-server") -> str:
    """Where it is, or a failure or a skip."""
    return debian.program(name, "redis-server", "the Redis store")


@contextmanager
def redis_server(*settings: str, port: int | None = None, folder: Path | None = None) -> Iterator[Server]:
    """One that keeps nothing on disk, unless the settings (as on its command line) say otherwise."""
    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = _start(stack, settings, port, folder)
        yield server


def _start(stack: ExitStack, settings: Sequence[str], port: int | None, folder: Path) -> Server:
    for _ in range(5):
        chosen = free_port() if port is None else port
        words = [
            program(), "--port", str(chosen), "--bind", LOOPBACK, "--dir", str(folder), "--save", "",
            "--appendonly", "no", "--daemonize", "no", "--repl-diskless-sync-delay", "0", *settings,
        ]  # fmt: skip
        with suppress(NotStartedError):
            block = running(
                words, lambda printed: "ready to accept connections" in printed.lower(), folder=folder, patience=10
            )
            server = Server(stack.enter_context(block), chosen, folder)
            stack.callback(server.kill)  # a polite end takes it a fifth of a second
            return server
    raise NotStartedError(f"no redis-server would start: {words}")


def asked(port: int, *words: str) -> str:
    done = subprocess.run(
        [program("redis-cli"), "-h", LOOPBACK, "-p", str(port), *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=10,
    )  # fmt: skip
    return done.stdout.strip()


@contextmanager
def redis_cluster(masters: int = 3) -> Iterator[str]:
    """A Redis Cluster without replicas, until the block ends. Yields its URL."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(redis_server("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"))
            for _ in range(masters)
        ]
        nodes = [f"{LOOPBACK}:{server.port}" for server in servers]
        subprocess.run(
            [program("redis-cli"), "--cluster", "create", *nodes, "--cluster-replicas", "0", "--cluster-yes"],
            stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        for server in servers:
            while "cluster_state:ok" not in server.command("cluster", "info"):
                pass  # it takes a second until each has heard of the others
        yield f"redis+cluster://{nodes[0]}"


def free_port() -> int:
    """Below those that the kernel gives to clients, and with room for a cluster's second port, 10,000 above."""
    while True:
        with socket.socket() as one, socket.socket() as other, suppress(OSError):
            port = randrange(15_000, 22_000)
            one.bind((LOOPBACK, port))
            other.bind((LOOPBACK, port + 10_000))
            return port
