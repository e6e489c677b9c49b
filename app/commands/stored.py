"""`swerve ls`, `swerve show`: what is stored."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import click

from app.admin_client import Absent, AdminSide
from app.commands.listing import life, lines_of
from app.commands.running import ADMIN, AS_JSON, EnvironmentFault, asking, find, print_json
from app.terminal import harmless, wants_color
from app.why.text import Text
from app.why.text import row as labelled
from app.why.words import count

PAGE = 1_000
LINES = 200

_ID = re.compile(r"~?[A-Za-z0-9_-]+")


@click.command()
@click.argument("pattern", required=False)
@click.option("--tag", help="only what has this tag")
@click.option("--host", help="only what is of this host")
@click.option("-n", "--limit", type=click.IntRange(min=0), default=LINES, show_default=True, help="0: all of it")
@AS_JSON
@ADMIN
@asking
def ls(pattern: str | None, limit: int, as_json: bool, admin: str, **filters: str | None) -> None:
    """What is stored, sorted by key. PATTERN: what its path and query begin with, or its URL."""
    query = {"prefix": pattern, **filters}
    entries, more = _listed(find(admin), {name: value for name, value in query.items() if value is not None}, limit)
    if as_json:
        print_json({"entries": entries, "more": more})
        return
    for line in lines_of(harmless(entries)):
        click.echo(line)
    total = count(len(entries), "stored response")
    click.echo(f"{total}, and more: -n 0 lists all" if more else total)


def _listed(side: AdminSide, query: dict[str, str], limit: int) -> tuple[list[dict[str, Any]], bool]:
    """So many entries, 0 for all, and whether there are more."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        size = min(PAGE, limit - len(found)) if limit else PAGE
        page = side.ask(f"/v1/entries?{urlencode({**query, **cursor, 'limit': size})}")
        found += page["entries"]
        if page["cursor"] is None or len(found) == limit:
            return found, page["cursor"] is not None
        cursor = {"cursor": page["cursor"]}


@click.command()
@click.argument("what", metavar="KEY|ID|URL")
@AS_JSON
@ADMIN
@asking
def show(what: str, as_json: bool, admin: str) -> None:
    """The whole story of every variant under a key: KEY in quotes as `swerve why` prints it, ID, or URL.

    Exit code 1 when nothing is stored there.
    """
    side = find(admin)
    shown = [one for one in (_shown(side, name) for name in _ids(side, what)) if one is not None]
    if as_json:
        print_json({"entries": shown})
    else:
        color = wants_color(sys.stdout, os.environ)
        for one in harmless(shown):
            click.echo("\n".join(_told(one, color)))
    if not shown:
        click.echo(f"swerve: nothing is stored for {harmless(what)}; swerve ls lists what is", err=True)
        sys.exit(1)


def _ids(side: AdminSide, what: str) -> list[str]:
    """Of the keys that somebody may have meant."""
    if _ID.fullmatch(what):
        return [what]
    key = what if what.startswith("GET ") else None
    if key is not None and len(key.split(" ")) < 4:
        raise EnvironmentFault(f"{what!r} is no key; write GET SCHEME HOST PATH, in quotes")
    url = what if key is None else "{1}://{2}{3}".format(*key.split(" "))
    entries, _ = _listed(side, {"url": url}, 0)
    return list(dict.fromkeys(one["id"] for one in entries if key in (None, one["key"])))


def _shown(side: AdminSide, name: str) -> dict[str, Any] | None:
    try:
        return side.ask(f"/v1/entries/{quote(name)}")
    except Absent:
        return None


def _told(shown: dict[str, Any], color: bool) -> Iterator[str]:
    text = Text({}, color)
    yield text.paint(shown["url"], "1")
    yield from labelled("key", shown["key"])
    yield from labelled("id", shown["id"])
    for number, one in enumerate(shown["variants"], 1):
        yield ""
        yield from text.variant(number, one["variant"])
        yield ""
        yield from labelled("state", f"{one['state']}  {life(one)}".rstrip())
        if one["purged"]:
            yield from labelled("purged", f"{one['purged']['mode']} {one['purged']['selector']}")
        if one["tags"]:
            yield from labelled("tags", ", ".join(one["tags"]))
        if one["deployment"]:
            yield from labelled("deployment", one["deployment"])
        yield "  head"
        for field in one["head"]:
            yield f"    {field['name']}: {field['value']}"
