"""What a process needs before it serves: its loop, its file descriptors, its warnings."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
from collections.abc import Callable

# What uvicorn says when a body is left unfinished on purpose, so that the client sees a broken transfer; when a request
# is given up at the end of a drain; of a handshake that was refused with a response of its own; and of garbage, which
# is answered with 400: any client could fill the log with it.
EXPECTED = frozenset(
    {
        "ASGI callable returned without completing response.",
        "ASGI callable returned without starting response.",
        "ASGI callable returned without completing handshake.",
        "Invalid HTTP request received.",
    }
)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop where there is one (not on Windows)."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    return uvloop.new_event_loop


def quiet_logs() -> None:
    """Warnings and errors on stderr, one line each; the request log is the console's."""
    logging.basicConfig(level=logging.WARNING, format="  %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.getMessage() not in EXPECTED)


def calm_collector() -> None:
    """Look for cycles a tenth as often, and never among what is there for good: a cache is many objects that live long
    and hardly any cycle. With the usual thresholds it took a fifth of the time of a miss."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(7_000, 20, 50)


def keep_memory() -> None:
    """Have the C library keep up to 8 MiB that is free. By itself glibc gives back what is more than 128 KiB of it, and
    has the kernel make pages of zeros anew for the answers of the next turn of the loop, which took longer than all
    else. It learns in what sizes memory is wanted from a large piece that comes back, and from then on keeps twice as
    much (mallopt(3), M_MMAP_THRESHOLD). Other libraries take no notice."""
    bytes(4 * 2**20)


def raise_file_limit() -> None:
    """A proxy holds two sockets a request: take as many file descriptors as the system grants."""
    try:
        import resource  # noqa: PLC0415 - not there on Windows
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
