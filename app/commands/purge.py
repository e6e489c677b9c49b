"""`swerve invalidate`, `swerve delete`: purges by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from app.commands.listing import first_of
from app.commands.running import ADMIN, AS_JSON, asking, find, print_json
from app.terminal import harmless
from app.units import parse_duration
from app.why.words import count

_NAMES = {"tag": "tags", "path": "paths", "url": "urls", "prefix": "prefixes", "host": "hosts"}
_HELP = {
    "tag": "what the origin has tagged so",
    "path": "a path, with any query",
    "url": "just this URL, or path and query, in all its variants",
    "prefix": "what path and query begin with",
    "host": "a whole host",
}

# How many of what was hit are printed.
PRINTED = 20


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for name in reversed(_NAMES):
        command = click.option(f"--{name}", name, multiple=True, metavar=name[0].upper(), help=_HELP[name])(command)
    return command


_ALL = click.option("--all", "everything", is_flag=True, help="everything")
_AT = click.option("--at", metavar="HOST", help="tags, paths and prefixes are meant at this host only")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="say what it would hit, and do nothing")
_MUST_MATCH = click.option("--must-match", is_flag=True, help="exit code 1 when nothing was hit")


@click.command()
@_options
@_ALL
@_AT
@click.option("--deadline", metavar="DURATION", help="what is not refreshed by then counts as deleted, like 30s")
@_DRY_RUN
@_MUST_MATCH
@AS_JSON
@ADMIN
@asking
def invalidate(deadline: str | None, **options: Any) -> None:
    """Count as stale: the next visitor gets the old page at once, and it is refreshed.

    In a dialect with soft_purge = "expire": only inside its stale-while-revalidate window, else the visitor waits.
    """
    try:
        seconds = None if deadline is None else parse_duration(deadline)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--deadline") from None
    _purge("invalidate", "invalidated", options, {} if seconds is None else {"deadline": seconds})


@click.command()
@_options
@_ALL
@_AT
@_DRY_RUN
@_MUST_MATCH
@click.option("-y", "--yes", is_flag=True, help="do not ask before everything is deleted")
@AS_JSON
@ADMIN
@asking
def delete(yes: bool, **options: Any) -> None:
    """Count as absent: the next visitor waits for the origin."""
    if options["everything"] and not (yes or options["dry_run"]) and sys.stdin.isatty() and sys.stdout.isatty():
        click.confirm("Delete everything that is stored?", abort=True)
    _purge("delete", "deleted", options, {})


def _purge(verb: str, past: str, options: dict[str, Any], extra: dict[str, Any]) -> None:
    order = {plural: list(options[name]) for name, plural in _NAMES.items() if options[name]} | extra
    if not (options["everything"] or any(options[name] for name in _NAMES)):
        flags = ", ".join(f"--{name}" for name in _NAMES)
        raise click.UsageError(f"nothing is named; write one of {flags} or --all")
    order |= {"all": True} if options["everything"] else {}
    order |= {"host": options["at"]} if options["at"] else {}
    order |= {"dry_run": True} if options["dry_run"] else {}
    done = find(options["admin"]).ask(f"/v1/{verb}", order)
    if options["as_json"]:
        print_json(done)
    else:
        _tell(harmless(done), past)
    sys.exit(1 if options["must_match"] and not done["matched"] else 0)


def _tell(done: dict[str, Any], past: str) -> None:
    said = f"would have {past}" if done["dry_run"] else past
    click.echo(f"{said} {count(done['matched'], 'stored response')}")
    for line in first_of(done["entries"][:PRINTED], done["matched"]) if done["matched"] else ():
        click.echo(line)
    for near in done["near"]:
        click.echo(f"  did you mean {near['selector']['words']}? ({near['because']})")
