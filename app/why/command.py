"""Ask the admin side of a running Swerve, and print what it answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from app.admin_client import AdminSide, Unanswered
from app.terminal import harmless, wants_color
from app.why.text import rendered

PATIENCE = 10.0


def why_command(  # noqa: PLR0913, PLR0917 - what the command line gives
    admin: str, token: str | None, url: str, method: str, headers: Sequence[tuple[str, str]], as_json: bool
) -> int:
    """`admin` is the admin side's URL. Returns the exit code: 2 when there is no answer."""
    question = {"url": url, "method": method, "headers": list(headers)}
    side = AdminSide(admin, token)
    try:
        reasoning = side.ask("/v1/why", question, patience=PATIENCE)
        if "answer" not in reasoning:
            raise Unanswered(f"{admin} is no admin side of Swerve (it answered 200); name it with --admin")
    except Unanswered as error:
        print(f"swerve: {error}", file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps(reasoning, indent=2))
    else:
        print(rendered(harmless(reasoning), colour=wants_color(sys.stdout, os.environ)))
    return 0
