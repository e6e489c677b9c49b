"""Free loopback ports, and when somebody listens there."""

import socket
from contextlib import suppress
from random import randrange

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Below those that the kernel gives to clients, so that no connection takes it before its server does."""
    while True:
        port = randrange(15_000, 32_000)
        with suppress(OSError), socket.create_server((LOOPBACK, port)):
            return port


def listening(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
