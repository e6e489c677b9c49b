"""Finding a running Swerve by its admin address, and asking whether it is well."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

from app.units import parse_address

# What it means that nobody answers.
SILENT = (OSError, http.client.HTTPException)
PATIENCE = 2.0  # seconds: less than any health check waits


class AdminAddressError(Exception):
    """The message says what to write."""


def admin_url(text: str) -> str:
    """The base URL of an admin side: from HOST:PORT as it listens (0.0.0.0 is reached on loopback), or from a URL."""
    if text.startswith(("http://", "https://")):
        if not urlsplit(text).hostname:
            raise AdminAddressError(f"{text!r} names no host; write http://HOST:PORT")
        return text.rstrip("/")
    try:
        return f"http://{parse_address(text).reachable}"
    except ValueError as error:
        raise AdminAddressError(str(error)) from None


def send(
    base: str, path: str, body: str | None = None, fields: Mapping[str, str] | None = None, *, patience: float
) -> tuple[int, bytes]:
    """The status and the body of the answer to a GET, or to a POST of `body`; `patience` in seconds.

    No proxy of the environment is asked, no redirect followed. Raises one of SILENT.
    """
    parts = urlsplit(base)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=patience)
    try:
        connection.request("GET" if body is None else "POST", parts.path + path, body, fields or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def is_healthy(base: str) -> tuple[bool, str]:
    """Whether it answers `GET /healthz` with 200, and that in words."""
    try:
        status, _ = send(base, "/healthz", patience=PATIENCE)
    except SILENT as error:
        return False, f"unhealthy: {base} does not answer: {error}"
    return status == 200, f"healthy: {base}" if status == 200 else f"unhealthy: {base} answered {status}"
