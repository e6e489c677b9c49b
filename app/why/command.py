"""Ask the admin side of a running Swerve, and print what it answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from app.admin_client import SILENT, send
from app.terminal import wants_color
from app.why.text import rendered

PATIENCE = 10.0


class Unanswered(Exception):
    """The message says why there is no answer and what to do."""


def why_command(  # noqa: PLR0913, PLR0917 - what the command line gives
    admin: str, token: str | None, url: str, method: str, headers: Sequence[tuple[str, str]], as_json: bool
) -> int:
    """`admin` is the admin side's URL. Returns the exit code: 2 when there is no answer."""
    try:
        reasoning = ask(admin, token, {"url": url, "method": method, "headers": list(headers)})
    except Unanswered as error:
        print(f"swerve: {error}", file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps(reasoning, indent=2))
    else:
        print(rendered(harmless(reasoning), colour=wants_color(sys.stdout, os.environ)))
    return 0


def ask(admin: str, token: str | None, question: dict[str, Any]) -> dict[str, Any]:
    """The answer of /v1/why. Raises Unanswered."""
    fields = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    try:
        status, body = send(admin, "/v1/why", json.dumps(question), fields, patience=PATIENCE)
    except SILENT as error:
        fix = "is Swerve running? Name its admin side with --admin or SWERVE_ADMIN"
        raise Unanswered(f"{admin} does not answer ({error}); {fix}") from None
    return _content(admin, status, body)


def _content(admin: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not ("answer" in content or "detail" in content):
        raise Unanswered(f"{admin} is no admin side of Swerve (it answered {status}); name it with --admin") from None
    if status == 401:
        raise Unanswered(f"{admin} wants its admin token; set SWERVE_ADMIN_TOKEN to the one that it was started with")
    if status != 200:
        raise Unanswered(f"{admin} refused: {harmless(content['detail'])}")
    return content


def harmless(value: Any) -> Any:
    """The same with everything escaped that could move a terminal's cursor: it came from clients and origins."""
    match value:
        case str():
            return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in value)
        case list():
            return [harmless(one) for one in value]
        case dict():
            return {name: harmless(one) for name, one in value.items()}
        case _:
            return value
