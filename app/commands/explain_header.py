"""`swerve explain-header`: what a header of any CDN says."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict

import click

from app.commands.comparing import DIALECTS, chosen, loaded, width
from app.commands.running import AS_JSON, EnvironmentFault, print_json
from app.config_error import ConfigError
from app.glossary.reading import Glossary
from app.glossary.text import rendered
from app.table.heads import HeadError, field_of, stripped
from app.terminal import harmless, wants_color


@click.command("explain-header")
@click.argument("lines", nargs=-1, required=True, metavar="'NAME: VALUE'…|-")
@DIALECTS
@AS_JSON
def explain_header(lines: tuple[str, ...], names: str | None, as_json: bool) -> None:
    """What a header says, in whose words, and what usually causes it; of a NAME alone, what there is to say.

    `curl -sI URL | swerve explain-header -` explains those that are known. Exit code 1 when nothing can be said of one
    that was given, or of none from the pipe.
    """
    piped = lines == ("-",)
    try:
        glossary = Glossary(loaded(chosen(names)))
        given = list(_piped(sys.stdin.read().splitlines()) if piped else _given(lines))
    except (ConfigError, HeadError) as error:
        raise EnvironmentFault(str(error)) from None
    found = [glossary.explained(name, value) for name, value in given]
    known = [one for one in found if one.known]
    told = [asdict(one) for one in (known if piped else found)]
    if as_json:
        print_json(told)
    elif told:
        click.echo(
            rendered(harmless(json.loads(json.dumps(told))), width(), colour=wants_color(sys.stdout, os.environ))
        )
    if not known:
        click.echo("swerve: nothing of it is known here; `swerve dialects NAME` lists what each CDN says", err=True)
    sys.exit(0 if known and (piped or len(known) == len(found)) else 1)


def _given(lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Raises HeadError."""
    for line in lines:
        yield field_of(line if ":" in line else f"{line}:")


def _piped(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The fields among lines of all kinds."""
    for line in stripped(lines):
        try:
            yield field_of(line)
        except HeadError:
            continue
