"""Every setting once: its names, its default as one would write it, how it is read, and why it is there."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.fields import AUTHORITY, TOKEN
from app.core.speech import Environment
from app.store.redis.address import Address, is_redis
from app.units import parse_address, parse_count, parse_duration, parse_size, parse_switch
from app.upstream.origin import Origin

MOST_WORKERS = 128
LOG_MODES = ("auto", "text", "json", "off")
PURGE_METHODS = ("off", "open", "token")

# What a deployment may be called: it stands with every response that belongs to it.
LONGEST_DEPLOYMENT = 128

_HOST_PORT = re.compile(r"(?P<host>[^/:@\s\[\]]*|\[[0-9A-Fa-f:.]+\]):\d{1,5}/?")


def parse_origin(text: str) -> Origin:
    """A URL or `unix:/path.sock`; `localhost:3000` and `:3000` are taken as http://localhost:3000."""
    bare = _HOST_PORT.fullmatch(text)
    if bare is None:
        return Origin.parse(text)
    return Origin.parse(f"http://{text}" if bare["host"] else f"http://localhost{text}")


def parse_store(text: str) -> str:
    """`memory`, or a folder, which has a slash in it so that a slip of the pen makes none."""
    if is_redis(text):
        Address.of(text)
        return text
    if "://" in text or text.startswith("memory:"):
        raise ValueError(f"{text!r} is no store; write memory, a folder like ./cache, or redis://HOST")
    if text != "memory" and "/" not in text and os.sep not in text:
        raise ValueError(f"{text!r} is neither memory nor a folder; write a folder with a slash in it, like ./{text}")
    return text


def parse_workers(text: str) -> int:
    count = parse_count(text)
    if count > 1 and sys.platform == "win32":
        raise ValueError(f"{text!r}: on Windows there is one process only; write 1")
    if count > MOST_WORKERS:
        raise ValueError(f"{text!r} are more than {MOST_WORKERS}; write about as many as there are CPU cores")
    return count


def parse_log(text: str) -> str:
    if text not in LOG_MODES:
        raise ValueError(f"{text!r} is no way to log; write one of {', '.join(LOG_MODES)}")
    return text


def parse_purge_method(text: str) -> str:
    if text not in PURGE_METHODS:
        raise ValueError(f"{text!r} is no way to let purges in; write one of {', '.join(PURGE_METHODS)}")
    return text


def parse_environment(text: str) -> Environment:
    if text not in list(Environment):
        raise ValueError(f"{text!r} is no environment; write one of {', '.join(Environment)}")
    return Environment(text)


def parse_timeout(text: str) -> float:
    seconds = parse_duration(text)
    if seconds == 0:
        raise ValueError(f"{text!r} would give up at once; write a longer duration, like 60s")
    return seconds


def parse_host_header(text: str) -> str:
    if AUTHORITY.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no host; write preserve, origin, or the host to send, like example.com")
    return text


def parse_token(text: str) -> str:
    """The message leaves the value out: it is a secret."""
    if not (text and text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("it is empty, or has a space or a character that no header carries; write letters and digits")
    return text


def parse_deployment(text: str) -> str:
    if not (text.isascii() and text.isprintable() and " " not in text and len(text) <= LONGEST_DEPLOYMENT):
        raise ValueError(f"{text!r} is no deployment; write at most {LONGEST_DEPLOYMENT} letters, digits, - or _")
    return text


def parse_field_name(text: str) -> str:
    if TOKEN.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no field name; write one as in RFC 9110 §5.1, like x-deployment-id")
    return text.lower()


@dataclass(frozen=True, slots=True)
class Setting:
    """`default` is None where nothing is set; `flag` where the command line has none. `env` in order of precedence.
    `restart`: a running Swerve cannot change it."""

    name: str
    flag: str | None
    env: tuple[str, ...]
    default: str | None
    parse: Callable[[str], Any]
    help: str
    restart: bool = False


def _row(name: str, default: str | None, parse: Callable[[str], Any], help: str, *, restart: bool = False) -> Setting:
    """A setting whose flag and variable are named after it."""
    return Setting(name, f"--{name.replace('_', '-')}", (f"SWERVE_{name.upper()}",), default, parse, help, restart)


SETTINGS: tuple[Setting, ...] = (
    Setting("origin", None, ("SWERVE_ORIGIN",), None, parse_origin,
        "the one server that is ever asked: a URL, or unix:/path.sock", restart=True),
    Setting("listen", "--listen", ("SWERVE_LISTEN",), "127.0.0.1:8080", parse_address,
        "where clients connect; 0.0.0.0:8080 to be reached from other machines", restart=True),
    _row("admin", "127.0.0.1:8081", parse_address,
        "where health, counters and the reasons are told; elsewhere than on loopback it needs a token", restart=True),
    Setting("admin_token", None, ("SWERVE_ADMIN_TOKEN",), None, parse_token,
        "what admin clients must show; has no flag, because other users see the flags of processes"),
    _row("dialect", "vercel", str, "whose rules and words to follow: a name, or a .toml file of your own"),
    _row("environment", "production", parse_environment,
        "what this stands in front of: production, or preview, which some CDNs keep out of search engines"),
    Setting("preview_token", None, ("SWERVE_PREVIEW_TOKEN",), None, parse_token,
        "who shows it, in fields that the dialect names, sees drafts and has pages made anew; has no flag"),
    _row("store", "memory", parse_store,
        "where responses are kept: memory, a folder like ./cache that outlives restarts, or redis://…", restart=True),
    _row("max_size", "256mb", parse_size, "how much the store keeps; the least recently used go first", restart=True),
    _row("max_object", None, parse_size, "larger responses are passed on, never stored; unset: the dialect's limit"),
    _row("workers", "1", parse_workers, "how many processes answer", restart=True),
    _row("log", "auto", parse_log, "one line a request: text, json or off; auto: text on a terminal, json otherwise"),
    _row("tls_cert", None, Path, "a PEM file with the certificate chain, to speak HTTPS; with tls_key"),
    _row("tls_key", None, Path, "the PEM file with the key of tls_cert"),
    _row("host_header", "preserve", parse_host_header,
        "the Host that the origin sees: preserve the client's, origin for its own, or a literal host"),
    _row("trust_forwarded", "false", parse_switch,
        "append to X-Forwarded-* instead of overwriting them; only behind a proxy that sets them"),
    _row("timeout_connect", "5s", parse_timeout, "how long connecting to the origin may take"),
    _row("timeout_first_byte", "60s", parse_timeout, "how long the origin may think before it answers"),
    _row("timeout_idle", "60s", parse_timeout, "how long the origin may pause in the middle of an answer"),
    _row("drain", "5s", parse_duration, "how long requests may take to end once Swerve is told to stop"),
    _row("max_connections_upstream", "1024", parse_count, "how many connections to the origin at most", restart=True),
    _row("origin_verify", "true", parse_switch, "check the origin's TLS certificate; false for one that signed itself",
        restart=True),
    _row("max_refreshes", "100", parse_count, "how many background refreshes at a time at most"),
    _row("deployment", None, parse_deployment,
        "whose responses are served: another deployment starts cold. unset: none are told apart"),
    _row("deployment_header", None, parse_field_name,
        "the response field in which the origin says its deployment; one that is new becomes the current one"),
    _row("purge_method", "off", parse_purge_method,
        "PURGE and BAN on the proxy's port: off passes them on, open obeys all, token those who show admin_token"),
    _row("memo", "true", parse_switch,
        "give finished answers again, byte for byte, while they stand; false to have each request judged anew"),
)  # fmt: skip
