"""Listening sockets, bound before anything else starts: a port that is taken is said at once, with the way out."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from app.config_error import ConfigError
from app.units import Address
from app.upstream.origin import Origin

BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Bound:
    """The sockets of one Swerve: one that listens for each process, the admin side's, and the demo origin's."""

    listening: Sequence[socket.socket]
    admin: socket.socket
    origin: socket.socket | None


def bind(address: Address, name: str) -> socket.socket:
    """A socket bound to the address that the setting `name` holds. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address.host, address.port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        free = Address(address.host, address.port + 10) if address.port < 65_000 else Address(address.host, 0)
        raise ConfigError(f"{name} {address}: {(error.strerror or str(error)).lower()}; try --{name} {free}") from None
    return bound


def bind_several(address: Address, name: str, count: int) -> list[socket.socket]:
    """That many sockets bound to the address, one for each process that accepts. Raises ConfigError.

    On Linux each has a queue of its own, and the kernel spreads connections over them evenly (SO_REUSEPORT). With one
    queue for all, the process that wakes up first takes whatever waits: most of it, most of the time. Elsewhere the
    option means something else, and all of them are the same socket.
    """
    first = bind(address, name)  # without the option: or whoever has it on this port already would go unnoticed
    if count == 1 or sys.platform != "linux":
        return [first] * count
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return [first, *(_beside(first) for _ in range(count - 1))]


def _beside(first: socket.socket) -> socket.socket:
    another = socket.socket(first.family, socket.SOCK_STREAM)
    another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    another.bind(first.getsockname())
    another.listen(BACKLOG)
    return another


def bind_anywhere() -> socket.socket:
    """A socket on a free loopback port."""
    return bind(Address("127.0.0.1", 0), "origin")


def bound_to(address: Address, bound: socket.socket) -> Address:
    """The address with the port that the system chose where it said 0."""
    return Address(address.host, bound.getsockname()[1])


def origin_of(bound: socket.socket) -> Origin:
    """The origin that listens there."""
    return Origin("http", "127.0.0.1", bound.getsockname()[1])
