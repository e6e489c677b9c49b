"""Finding a running Swerve by its admin address, and asking it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.terminal import harmless
from app.units import parse_address

# What it means that nobody answers.
SILENT = (OSError, http.client.HTTPException)
PATIENCE = 2.0  # seconds: less than any health check waits
LONG_PATIENCE = 60.0  # a large store takes its time to be looked through


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


class Unanswered(Exception):
    """The message says why there is no answer and what to do."""


class Absent(Unanswered):
    """It answers that there is no such thing."""


def connected(base: str, patience: float) -> http.client.HTTPConnection:
    """No proxy of the environment is asked. `patience` in seconds."""
    parts = urlsplit(base)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=patience)


def send(  # noqa: PLR0913 - what a request is made of
    base: str,
    path: str,
    body: str | None = None,
    fields: Mapping[str, str] | None = None,
    *,
    patience: float,
    method: str | None = None,
) -> tuple[int, bytes]:
    """The status and the body of the answer to a GET, or to a POST of `body`, unless the method is said.

    No redirect is followed. Raises one of SILENT.
    """
    connection = connected(base, patience)
    try:
        how = method or ("GET" if body is None else "POST")
        connection.request(how, urlsplit(base).path + path, body, fields or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class AdminSide:
    """The admin side of a running Swerve: its base URL, and the token that it wants, if it wants one."""

    base: str
    token: str | None = None

    @property
    def fields(self) -> dict[str, str]:
        return {"content-type": "application/json"} | ({"authorization": f"Bearer {self.token}"} if self.token else {})

    def ask(
        self, path: str, content: object = None, *, method: str | None = None, patience: float = LONG_PATIENCE
    ) -> dict[str, Any]:
        """What it answers to a GET, or to a POST of `content` as JSON. Raises Unanswered."""
        body = None if content is None else json.dumps(content)
        try:
            status, answered = send(self.base, path, body, self.fields, patience=patience, method=method)
        except SILENT as error:
            raise self.silent(error) from None
        return self.content(status, answered)

    def silent(self, error: Exception) -> Unanswered:
        fix = "is Swerve running? Name its admin side with --admin or SWERVE_ADMIN"
        return Unanswered(f"{self.base} does not answer ({error}); {fix}")

    def content(self, status: int, body: bytes) -> dict[str, Any]:
        """The JSON of a good answer. Raises Unanswered for any other."""
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict) or (status != 200 and "detail" not in content):
            said = f"it answered {status}"
            raise Unanswered(f"{self.base} is no admin side of Swerve ({said}); name it with --admin")
        if status == 401:
            fix = "set SWERVE_ADMIN_TOKEN to the one that it was started with"
            raise Unanswered(f"{self.base} wants its admin token; {fix}")
        if status != 200:
            kind = Absent if status == 404 else Unanswered
            raise kind(f"{self.base} refused: {harmless(content['detail'])}")
        return content


def is_healthy(base: str) -> tuple[bool, str]:
    """Whether it answers `GET /healthz` with 200, and that in words."""
    try:
        status, _ = send(base, "/healthz", patience=PATIENCE)
    except SILENT as error:
        return False, f"unhealthy: {base} does not answer: {error}"
    return status == 200, f"healthy: {base}" if status == 200 else f"unhealthy: {base} answered {status}"
