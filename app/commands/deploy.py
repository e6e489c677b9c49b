"""`swerve deploy`: there is a new deployment."""

from __future__ import annotations

import click

from app.commands.running import ADMIN, AS_JSON, asking, find, print_json
from app.terminal import harmless


@click.command()
@click.argument("name", metavar="ID")
@AS_JSON
@ADMIN
@asking
def deploy(name: str, as_json: bool, admin: str) -> None:
    """Announce that deployment ID is the current one: it starts cold, the others' pages are kept for their return."""
    told = find(admin).ask("/v1/deployments", {"id": name})
    if as_json:
        print_json(told)
        return
    others = [one for one in told["known"] if one != told["current"]]
    kept = f"; known besides: {', '.join(others)}" if others else ""
    click.echo(harmless(f"{told['current']} is current{kept}"))
