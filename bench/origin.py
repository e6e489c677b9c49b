"""The origin that every proxy stands before, and how many requests it has seen."""

import re
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ports import LOOPBACK, free_port
from bench.processes import Where, await_port, running
from bench.templates import HERE, filled, nginx_user

PAGES = {"0k": 0, "1k": 1_024, "1k.css": 1_024, "10k": 10_240, "100k": 102_400}


@dataclass(frozen=True, slots=True)
class Origin:
    port: int
    roots: tuple[int, ...]

    def seen(self) -> int:
        """Requests until now, without those that asked for it."""
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/counted", timeout=10) as response:
            numbers = re.findall(r"\d+", response.read().decode())
        # Active connections, then accepted, handled, requests.
        return int(numbers[3])


@contextmanager
def origin(where: Where, nginx: str) -> Iterator[Origin]:
    folder, port, slow = where.folder, free_port(), free_port()
    _write_pages(folder / "pages")
    config = filled("config/origin.conf", folder=folder, port=port, slow=slow, user=nginx_user())
    (folder / "nginx.conf").write_text(config)
    slowly = Where(folder / "slow", where.core)
    with (
        running([sys.executable, str(HERE / "slow_origin.py"), str(slow)], slowly) as second,
        running([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], where) as first,
    ):
        await_port(second, slow, slowly)
        await_port(first, port, where)
        yield Origin(port, (first.pid, second.pid))


def _write_pages(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, size in PAGES.items():
        (folder / name).write_bytes(b"x" * size)
