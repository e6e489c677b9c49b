"""Durations, sizes, switches and addresses as people write them."""

import re
from typing import Any

import pytest

from app.units import Address, parse_address, parse_count, parse_duration, parse_size, parse_switch


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("30s", 30), ("5m", 300), ("1h", 3600), ("2d", 172_800), ("1.5s", 1.5), (" 5S ", 5), ("0 s", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("4096", 4096), ("10kb", 10_240), ("256mb", 2**28), ("1GB", 2**30), ("10 mb", 10_485_760), ("7b", 7)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "host", "port", "printed"),
    [
        ("127.0.0.1:8080",  "127.0.0.1", 8080, "127.0.0.1:8080"),
        ("0.0.0.0:80",      "0.0.0.0",   80,   "0.0.0.0:80"),
        (":8080",           "127.0.0.1", 8080, "127.0.0.1:8080"),
        ("8080",            "127.0.0.1", 8080, "127.0.0.1:8080"),
        ("[::1]:80",        "::1",       80,   "[::1]:80"),
        ("[::]:0",          "::",        0,    "[::]:0"),
        ("localhost:65535", "localhost", 65535, "localhost:65535"),
    ],
)  # fmt: skip
def test_addresses(text: str, host: str, port: int, printed: str) -> None:
    address = parse_address(text)
    assert address == Address(host, port)
    assert str(address) == printed


@pytest.mark.parametrize(
    ("host", "loopback", "reached_at"),
    [
        ("127.0.0.1", True,  "127.0.0.1"),
        ("::1",       True,  "::1"),
        ("localhost", True,  "localhost"),
        ("0.0.0.0",   False, "127.0.0.1"),
        ("::",        False, "::1"),
        ("10.0.0.1",  False, "10.0.0.1"),
        ("web",       False, "web"),
    ],
)  # fmt: skip
def test_where_an_address_is_reached(host: str, loopback: bool, reached_at: str) -> None:
    assert Address(host, 1).is_loopback is loopback
    assert Address(host, 1).reachable.host == reached_at


@pytest.mark.parametrize(
    ("parse", "text", "fix"),
    [
        (parse_duration, "5",          "write it with its unit"),
        (parse_duration, "5 minutes",  "write it with its unit"),
        (parse_duration, "-5s",        "write it with its unit"),
        (parse_duration, "",           "write it with its unit"),
        (parse_size,     "256 m",      "write bytes or a unit"),
        (parse_size,     "1.5gb",      "write bytes or a unit"),
        (parse_size,     "-1",         "write bytes or a unit"),
        (parse_switch,   "maybe",      "write one of them"),
        (parse_count,    "0",          "a whole number from 1"),
        (parse_count,    "x",          "a whole number from 1"),
        (parse_address,  "80x",        "write HOST:PORT"),
        (parse_address,  "",           "write HOST:PORT"),
        (parse_address,  "host",       "write HOST:PORT"),
        (parse_address,  "::1:80",     "write HOST:PORT"),
        (parse_address,  "h:65536",    "from 0 to 65535"),
        (parse_address,  "[host]:80",  "write [::1]:80"),
        (parse_address,  "[1.2.3.4]:80", "write [::1]:80"),
        (parse_address,  "unix:/x",    "write HOST:PORT"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_what_to_write(parse: Any, text: str, fix: str) -> None:
    with pytest.raises(ValueError, match=re.escape(fix)) as caught:
        parse(text)
    assert repr(text) in str(caught.value)
