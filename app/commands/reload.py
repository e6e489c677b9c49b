"""`swerve reload`: have a running Swerve read its settings again."""

from __future__ import annotations

import json
from typing import Any

import click

from app.commands.running import ADMIN, AS_JSON, asking, find, print_json
from app.terminal import harmless


@click.command()
@AS_JSON
@ADMIN
@asking
def reload(as_json: bool, admin: str) -> None:
    """Read the settings again, from the file and the environment, and answer by them; what is stored stays.

    When it returns, every request that comes is answered by them. A mistake in the file changes nothing.
    """
    told = harmless(find(admin).ask("/v1/reload", {}))
    if as_json:
        print_json(told)
        return
    click.echo("reloaded" if told["changed"] else "reloaded: nothing has changed")
    for title, altered in (("", told["changed"]), ("needs a restart: ", told["restart"])):
        for one in altered:
            click.echo(f"  {title}{one['setting']}: {_value(one['before'])} -> {_value(one['after'])}")
    if told["advice"] is not None:
        click.echo(told["advice"])


def _value(value: Any) -> str:
    """As one would write it."""
    return "unset" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
