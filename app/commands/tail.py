"""`swerve tail`: decisions as they come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlencode, urlsplit

import click

from app.admin_client import SILENT, AdminSide, Unanswered, connected
from app.commands.running import ADMIN, AS_JSON, asking, find
from app.terminal import harmless

# The stream shows at least every 15 seconds that it is alive.
PATIENCE = 40.0


@click.command()
@click.option("--status", help="only these: hit, stale, miss, …")
@click.option("--reason", help="only these: fresh, expired, set-cookie, …")
@click.option("--since", type=click.IntRange(min=0), help="begin after the decision with this number")
@AS_JSON
@ADMIN
@asking
def tail(status: str | None, reason: str | None, since: int | None, as_json: bool, admin: str) -> None:
    """Print decisions as they are made, until Swerve stops or Ctrl-C."""
    query = {"status": status, "reason": reason, "since": since}
    told = {name: value for name, value in query.items() if value is not None}
    for kind, data in _events(find(admin), f"?{urlencode(told)}" if told else ""):
        if as_json:
            click.echo(json.dumps(data))
        else:
            click.echo(_line(harmless(data)) if kind == "decision" else f"  … {data['missed']:,} missed")


def _events(side: AdminSide, query: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and data of each event. Raises Unanswered."""
    connection = connected(side.base, PATIENCE)
    try:
        connection.request("GET", f"{urlsplit(side.base).path}/v1/stream{query}", headers=side.fields)
        response = connection.getresponse()
        if response.status != 200 or response.headers.get_content_type() != "text/event-stream":
            side.content(response.status, response.read())
            raise Unanswered(f"{side.base} is no admin side of Swerve (it has no stream); name it with --admin")
        yield from _read(response)
    except SILENT as error:
        raise side.silent(error) from None
    finally:
        connection.close()


def _read(response: HTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of a stream (HTML Standard §9.2.6); each of ours has one line of data."""
    kind = ""
    for line in response:
        name, _, value = line.decode().rstrip("\r\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


def _line(one: dict[str, Any]) -> str:
    what, word, took = f"{one['method']} {one['path']}", one["cache"].upper(), f"{one['duration_ms']:.1f} ms"
    return f"  {one['ts'][11:19]}Z  {what:<24}  {one['status']}  {word:<11} {took:>10}   {one['detail']}"
