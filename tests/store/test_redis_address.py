"""Where Redis is: what a URL says, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config_error import ConfigError
from app.store.redis.address import Address, is_redis
from tests.core.build import row

READ = [
    row("a host alone",            "redis://cache",                       Address("cache")),
    row("nothing at all",          "redis://",                            Address()),
    row("port and database",       "redis://cache:7000/3",                Address("cache", 7000, db=3)),
    row("an IPv6 address",         "redis://[::1]:7000",                  Address("::1", 7000)),
    row("TLS",                     "rediss://cache",                      Address("cache", tls=True)),
    row("a password",              "redis://:p%40ss@cache",               Address("cache", password="p@ss")),
    row("a user",                  "redis://ann:no@c",                    Address("c", username="ann", password="no")),
    row("a namespace",             "redis://cache?namespace=staging.2",   Address("cache", namespace="staging.2")),
    row("a cluster",               "redis+cluster://cache:7000",          Address("cache", 7000, cluster=True)),
    row("a cluster by TLS",        "rediss+cluster://cache",              Address("cache", tls=True, cluster=True)),
    row("a unix socket",           "redis+unix:///run/r%20s.sock?db=2",   Address(path="/run/r s.sock", db=2)),
    row("one with a password",     "redis+unix://:no@/run/r.sock",        Address(path="/run/r.sock", password="no")),
]  # fmt: skip


@pytest.mark.parametrize(("url", "address"), READ)
def test_what_is_read(url: str, address: Address) -> None:
    assert Address.of(url) == address


SHOWN = [
    row("host, port and database",  "redis://ann:secret@cache",            "redis://cache:6379/0"),
    row("an IPv6 address",          "rediss://:secret@[::1]/2",            "rediss://[::1]:6379/2"),
    row("a cluster",                "redis+cluster://:secret@cache",       "redis+cluster://cache:6379"),
    row("a unix socket",            "redis+unix://:secret@/run/r.sock",    "redis+unix:///run/r.sock?db=0"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "shown"), SHOWN)
def test_what_is_shown_has_no_secrets(url: str, shown: str) -> None:
    address = Address.of(url)
    assert address.shown == shown
    assert "secret" not in repr(address)


WRONG = [
    row("another scheme",          "redi://cache",                      "did you mean redis?"),
    row("a port that is none",     "redis://:secret@cache:x",           "write redis://host:6379/0"),
    row("an unknown option",       "redis://:secret@cache?namespac=a",  "did you mean namespace?"),
    row("a namespace that could be a pattern", "redis://:secret@cache?namespace=a*", "letters, digits"),
    row("an empty namespace",      "redis://:secret@cache?namespace=",  "1 to 64"),
    row("a database by name",      "redis://:secret@cache/main",        "write a number"),
    row("a database as an option", "redis://:secret@cache?db=3",        "stands in the path"),
    row("a database of a cluster", "redis+cluster://:secret@cache/1",   "no other than 0"),
    row("no path of a socket",     "redis+unix://run/r.sock",           "three slashes"),
    row("a file without TLS",      "redis://:secret@cache?ca=/etc/ca",  "rediss://"),
    row("a file that is not there", "rediss://:secret@cache?ca=/no/ca", "no such file"),
    row("a password with #",       "redis://:sec#secret@cache",         "%23"),
    row("a password with / and @", "redis://:se@cret/secret@cache",     "redis://…@cache: in a password write %2F"),
    row("a fragment",              "redis://:secret@cache#main",        "# begins"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "advice"), WRONG)
def test_what_is_wrong_is_said_with_what_to_write_and_without_secrets(url: str, advice: str) -> None:
    with pytest.raises(ConfigError) as told:
        Address.of(url)
    assert advice in str(told.value)
    assert "secret" not in str(told.value)


def test_files_for_tls(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    assert Address.of(f"rediss://cache?ca={tmp_path}/ca.pem").ca == f"{tmp_path}/ca.pem"


def test_what_means_redis() -> None:
    assert all(map(is_redis, ("redis://cache", "rediss://x", "redis+cluster://x", "redis+unix:///x", "redis:oops")))
    assert not any(map(is_redis, ("memory", "/var/redis", "redis", "./redis://x", "C:\\redis")))
