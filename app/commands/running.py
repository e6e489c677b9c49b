"""What every command has that asks a running Swerve: where it is, how it fails, how it prints."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import click

from app.admin_client import AdminAddressError, AdminSide, Unanswered, admin_url

P = ParamSpec("P")

ADMIN = click.option(
    "--admin", envvar="SWERVE_ADMIN", default="127.0.0.1:8081", show_default=True, help="where the admin side listens"
)
HEADERS = click.option(
    "-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="a request field, repeatable"
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="print JSON")


class EnvironmentFault(click.ClickException):
    """One clear message on stderr."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"swerve: {self.message}", err=True)


def find(admin: str) -> AdminSide:
    """Raises EnvironmentFault for an address that is none."""
    try:
        return AdminSide(admin_url(admin), os.environ.get("SWERVE_ADMIN_TOKEN") or None)
    except AdminAddressError as error:
        raise EnvironmentFault(f"--admin: {error}") from None


def pairs_of(headers: Sequence[str]) -> list[tuple[str, str]]:
    """Field lines as they are written for curl. Raises BadParameter."""
    pairs = []
    for header in headers:
        name, colon, value = header.partition(":")
        if not (colon and name.strip()):
            raise click.BadParameter(f"{header!r} is no field; write 'Name: value'", param_hint="-H")
        pairs.append((name.strip(), value.strip()))
    return pairs


def asking(command: Callable[P, None]) -> Callable[P, None]:
    """No answer is one line and exit code 2."""

    @wraps(command)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            command(*arguments, **named)
        except Unanswered as error:
            raise EnvironmentFault(str(error)) from None

    return run


def print_json(content: Any) -> None:
    click.echo(json.dumps(content, indent=2))
