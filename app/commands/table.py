"""`swerve table`: what each CDN would do with one response."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TextIO
from urllib.parse import urlsplit

import click

from app.admin_client import AdminSide, Unanswered
from app.clock import Clock
from app.commands.comparing import DIALECTS, chosen, loaded, width
from app.commands.running import ADMIN, AS_JSON, HEADERS, EnvironmentFault, asking, find, pairs_of, print_json
from app.commands.warm import Proxy
from app.config_error import ConfigError
from app.core.fields import parse_date
from app.core.messages import Response
from app.core.table import compared
from app.core.trial import Seen
from app.table.fetch import fetch, request_for
from app.table.heads import HeadError, field_of, read_head, response, status_of
from app.table.text import rendered
from app.terminal import harmless, wants_color
from app.upstream.errors import UpstreamError

# For what a head without a URL is the answer to.
NOWHERE = "http://example.com"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@click.command()
@click.argument("what", required=False, metavar="URL|PATH|-")
@HEADERS
@click.option("--response", "status", metavar="STATUS", help="no request: a response with this status line or number")
@click.option("-R", "--field", "lines", multiple=True, metavar="'NAME: VALUE'", help="a field of that response")
@click.option(
    "--response-file", "file", type=click.File(), metavar="F", help="its head, as curl -sI prints it; - stdin"
)
@DIALECTS
@click.option("-k", "--insecure", is_flag=True, help="do not verify the server's certificate")
@AS_JSON
@ADMIN
@asking
def table(  # noqa: PLR0913, PLR0917 - what the command line gives
    what: str | None, headers: tuple[str, ...], status: str | None, lines: tuple[str, ...], file: TextIO | None,
    names: str | None, insecure: bool, as_json: bool, admin: str,
) -> None:  # fmt: skip
    """What each CDN would do with one response: store it or not, for how long, and what it says of it.

    The response is what a server answers to a GET of URL, once; or what a running Swerve knows of a PATH, or of a URL
    of its own; or a head: `curl -sI URL | swerve table -`, or --response 200 -R 'cache-control: s-maxage=60'.
    """
    fields, only = pairs_of(headers), chosen(names)
    try:
        head = _written(what, status, lines, file)
        if head is None and what is None:
            raise click.UsageError("nothing to look at; write a URL, a path of a running Swerve, or --response 200")
        side = None if head is not None or what is None else _knows(what, find(admin))
        if side is not None:
            question = {"url": what, "headers": fields, "dialects": only}
            _print(side.ask("/v1/table", question), as_json)
            return
        dialects = loaded(only)
        seen = _fetched(what or "", fields, insecure) if head is None else _as_answer(what, fields, head)
    except (HeadError, ConfigError, ValueError) as error:
        raise EnvironmentFault(str(error)) from None
    _print(json.loads(json.dumps(asdict(compared(dialects, seen)))), as_json)


def _written(what: str | None, status: str | None, lines: Sequence[str], file: TextIO | None) -> Response | None:
    """The head that was given in place of a request. Raises HeadError."""
    file = sys.stdin if what == "-" else file
    fields = [field_of(line) for line in lines]
    if file is not None:
        read = read_head(file)
        return Response(read.status if status is None else status_of(status), read.headers.with_(*fields))
    if status is None and not lines:
        return None
    return response(200 if status is None else status_of(status), fields)


def _as_answer(what: str | None, fields: list[tuple[str, str]], head: Response) -> Seen:
    """The head as the answer to a request, as if it had just come, whenever that was."""
    url = NOWHERE if what in (None, "-") else f"{NOWHERE}{what}" if str(what).startswith("/") else str(what)
    date = parse_date(head.headers.get("date"))
    return Seen(request_for(url, fields), head, Clock().now() if date is None else date)


def _knows(what: str, side: AdminSide) -> AdminSide | None:
    """The running Swerve that has to be asked: for a path any, for a URL the one that listens there."""
    if what.startswith("/"):
        return side
    try:
        proxy, parts = Proxy.of(side), urlsplit(what)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
    except (Unanswered, ValueError):
        return None
    here = parts.hostname == proxy.host or {parts.hostname, proxy.host} <= set(LOOPBACK)
    return side if here and port == proxy.port else None


def _fetched(url: str, fields: list[tuple[str, str]], insecure: bool) -> Seen:
    request = request_for(url, fields)
    try:
        return fetch(url, request, verify=not insecure)
    except UpstreamError as error:
        raise EnvironmentFault(f"{url} gave no answer: {error.detail}") from None


def _print(comparison: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(comparison)
        return
    click.echo(rendered(harmless(comparison), width(), colour=wants_color(sys.stdout, os.environ)).rstrip())
    if any("swerve;" in field["value"] for field in comparison["fields"] if field["name"] == "cache-status"):
        click.echo("swerve: this head has been through a Swerve; name its admin side with --admin", err=True)
