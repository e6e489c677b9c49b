"""Swerve as anybody starts it, in a process of its own."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message

from bench.peers.peer import Peer, Site
from bench.ports import LOOPBACK, free_port
from bench.processes import await_port, running
from bench.templates import HERE


def hit(fields: Message) -> bool:
    return re.search(r";\s*hit\b", fields.get("Cache-Status", "")) is not None


@contextmanager
def swerve(site: Site) -> Iterator[Peer]:
    port = free_port()
    command = [sys.executable, "-m", "app", f"http://{LOOPBACK}:{site.origin}", "--listen", f"{LOOPBACK}:{port}"]
    command += ["--admin", f"{LOOPBACK}:{free_port()}", "--dialect", site.dialect, "--max-size", "1gb"]
    command += ["--log", "json" if site.log else "off", *site.flags]
    with running(command, site.where, output=site.log, environment=environment()) as process:
        await_port(process, port, site.where)
        yield Peer("swerve", port, (process.pid,), hit, site.log)


def environment() -> dict[str, str]:
    """This process's, without the settings that somebody may have in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SWERVE_") and name != "PORT"}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE.parent), kept.get("PYTHONPATH"))))}
