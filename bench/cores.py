"""Two cores: one for the servers, the proxy and its origin, and the other for the load alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.refusal import CannotRunError


@dataclass(frozen=True, slots=True)
class Cores:
    servers: int
    load: int


def cores() -> Cores:
    """The first two that this process may use."""
    match sorted(os.sched_getaffinity(0)):
        case [servers, load, *_]:
            return Cores(servers, load)
        case _:
            raise CannotRunError("two CPU cores are needed: one for the servers, one for the load")


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started inside the block stays on this core: children inherit it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
