"""`swerve clock`: what time it is by the responses, and moving it."""

from __future__ import annotations

import click

from app.commands.running import ADMIN, AS_JSON, asking, find, print_json
from app.core.fields import format_date
from app.units import parse_duration
from app.wording import span


def _move(_context: click.Context, _parameter: click.Parameter, text: str | None) -> dict[str, float] | None:
    """What to ask for. Raises BadParameter."""
    if text is None:
        return None
    if text == "reset":
        return {"offset": 0}
    if not text.startswith("+"):
        raise click.BadParameter(f"{text!r} is no move; write how much further, like +1h, or reset")
    try:
        return {"advance": parse_duration(text[1:])}
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("move", metavar="[+DURATION|reset]", required=False, callback=_move)
@AS_JSON
@ADMIN
@asking
def clock(move: dict[str, float] | None, as_json: bool, admin: str) -> None:
    """The time by which responses age; +1h moves it ahead by an hour, for all who share the store; reset puts it right.

    What is stored is an hour older at once: no need to wait until it is stale. The origin is taken to be as far ahead.
    """
    told = find(admin).ask("/v1/clock", move)
    if as_json:
        print_json(told)
        return
    ahead = f"{span(told['offset'])} ahead" if told["offset"] else "as the system has it"
    click.echo(f"{format_date(told['now'])}, {ahead}")
