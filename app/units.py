"""Durations, sizes, switches and addresses as people write them.

Every parser raises ValueError, whose message names the value, what is wrong with it, and what to write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+) ?(b|kb|mb|gb)?")
_BYTES = {None: 1, "b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30}  # as nginx and Redis count
_SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_ADDRESS = re.compile(r"(?:\[(?P<six>[^\[\]]*)\]:|(?P<host>[^\[\]:/\s]*):)?(?P<port>\d{1,5})")
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def parse_duration(text: str) -> float:
    """`250ms`, `30s`, `1.5m`, `1h` or `1d` in seconds."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is no duration; write it with its unit, like 250ms, 30s, 5m or 1h")
    return float(match[1]) * _SECONDS[match[2]]


def parse_size(text: str) -> int:
    """`10kb`, `256mb`, `1gb` or plain bytes, in bytes; a kb is 1024 bytes."""
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is no size; write bytes or a unit, like 10kb, 256mb or 1gb")
    return int(match[1]) * _BYTES[match[2]]


def parse_switch(text: str) -> bool:
    """Whether it is on."""
    switch = _SWITCHES.get(text.strip().lower())
    if switch is None:
        raise ValueError(f"{text!r} is neither true nor false; write one of them")
    return switch


def parse_count(text: str) -> int:
    """A whole number from 1."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise ValueError(f"{text!r} is no count; write a whole number from 1")
    return int(text)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; `host` without brackets, port 0 for any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def reachable(self) -> Address:
        """Where a client on this machine finds it: «every address» is none to connect to."""
        return Address(_LOOPBACK_OF.get(self.host, self.host), self.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """`HOST:PORT`, `[::1]:80`, and `:8080` or `8080` on loopback: to be reached from elsewhere has to be said."""
    match = _ADDRESS.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no address to listen on; write HOST:PORT, like 127.0.0.1:8080 or 0.0.0.0:8080")
    port = int(match["port"])
    if port > 65535:
        raise ValueError(f"{text!r} has port {port}; write a port from 0 to 65535")
    if match["six"] is not None and not _is_version_six(match["six"]):
        raise ValueError(f"{text!r} has no IPv6 address in its brackets; write [::1]:{port}")
    return Address(match["six"] or match["host"] or "127.0.0.1", port)


def _is_version_six(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False
