"""The command line. Exit codes: 0 good, 1 a check failed, 2 usage or environment.

Whatever takes long to import is imported by the command that needs it: `swerve --version` answers at once.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import click

from app import __version__
from app.admin_client import is_healthy
from app.commands.running import ADMIN, AS_JSON, HEADERS, EnvironmentFault, find, pairs_of
from app.config_error import ConfigError, nearest

_ORIGIN = re.compile(r"[^/]*://.*|unix:.*|(?:[^/:@\s]*|\[[^\]]*\]):\d+/?")


class Swerve(click.Group):
    """`swerve ORIGIN` is `swerve serve ORIGIN`. Commands whose flags come from the settings are made when asked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for option in self.get_params(ctx) for name in option.opts}
        if args and args[0] not in own and args[0] not in self.list_commands(ctx):
            if not args[0].startswith("-") and _ORIGIN.fullmatch(args[0]) is None:
                raise click.UsageError(_neither(args[0], self.list_commands(ctx)), ctx)
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_BUILT})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _BUILT[cmd_name]() if cmd_name in _BUILT else super().get_command(ctx, cmd_name)


def _neither(word: str, commands: Sequence[str]) -> str:
    return f"{word!r} is neither a command ({nearest(word, commands)}) nor an origin (write http://{word})"


@click.group(
    cls=Swerve,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="`swerve ORIGIN` is short for `swerve serve ORIGIN`. Every setting: config/swerve.toml.",
)
@click.version_option(__version__, "-V", "--version", prog_name="swerve", message="%(prog)s %(version)s")
def cli() -> None:
    """A CDN edge cache in front of any origin: `swerve http://localhost:3000`."""


def _serving(name: str, summary: str, *, demo: bool) -> click.Command:
    """The command that serves, with a flag for each setting that has one."""
    from app.settings_table import SETTINGS  # noqa: PLC0415
    from app.units import parse_switch  # noqa: PLC0415

    parameters: list[click.Parameter] = [] if demo else [click.Argument(["origin"], required=False)]
    parameters.append(click.Option(["-c", "--config"], metavar="FILE", help="read settings here, not in ./swerve.toml"))
    for row in SETTINGS:
        if row.flag is not None:
            default = f" [{row.default}]" if row.default else ""
            switch = row.parse is parse_switch
            declared = f"{row.flag}/--no-{row.flag[2:]}" if switch else row.flag
            parameters.append(
                click.Option([declared, row.name], default=None, type=bool if switch else str, help=row.help + default)
            )

    def run(**flags: str | bool | None) -> None:
        sys.exit(_serve({name: _as_written(value) for name, value in flags.items()}, demo=demo))

    return click.Command(name, params=parameters, callback=run, help=summary, short_help=summary)


def _as_written(value: str | bool | None) -> str | None:
    return str(value).lower() if isinstance(value, bool) else value


def _serve(flags: Mapping[str, str | None], *, demo: bool) -> int:
    from app.settings import Sources  # noqa: PLC0415 - only who serves needs it

    sources = Sources(flags, Path.cwd(), demo)
    try:
        settings = sources.read()
        # After the settings, whose mistakes are then told at once.
        from app.serve import run  # noqa: PLC0415

        return run(settings, sources, demo=demo)
    except ConfigError as error:
        raise EnvironmentFault(str(error)) from None


def _from(module: str, name: str) -> Callable[[], click.Command]:
    """A command that is imported when it is wanted."""

    def load() -> click.Command:
        found = getattr(import_module(f"app.commands.{module}"), name)
        assert isinstance(found, click.Command)
        return found

    return load


_BUILT: Mapping[str, Callable[[], click.Command]] = {
    "serve": lambda: _serving("serve", "Cache what ORIGIN, a URL or unix:/path.sock, answers.", demo=False),
    "demo": lambda: _serving("demo", "Serve in front of a built-in demo origin.", demo=True),
    "ls": _from("stored", "ls"),
    "show": _from("stored", "show"),
    "invalidate": _from("purge", "invalidate"),
    "delete": _from("purge", "delete"),
    "deploy": _from("deploy", "deploy"),
    "warm": _from("warm", "warm"),
    "tail": _from("tail", "tail"),
    "clock": _from("clock", "clock"),
    "table": _from("table", "table"),
    "explain-header": _from("explain_header", "explain_header"),
    "reload": _from("reload", "reload"),
}


@cli.command()
@ADMIN
def health(admin: str) -> None:
    """Whether a running Swerve answers: exit code 0, else 1."""
    healthy, told = is_healthy(find(admin).base)
    click.echo(told)
    sys.exit(0 if healthy else 1)


@cli.command()
@click.argument("url")
@click.option("-X", "--method", default="GET", show_default=True, help="the request's method")
@HEADERS
@AS_JSON
@ADMIN
def why(url: str, method: str, headers: tuple[str, ...], as_json: bool, admin: str) -> None:
    """The whole reasoning for a request: key, stored variants, every rule looked at."""
    pairs = pairs_of(headers)
    from app.why import why_command  # noqa: PLC0415

    side = find(admin)
    sys.exit(why_command(side.base, side.token, url, method.upper(), pairs, as_json))


@cli.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def dialects(name: str | None, as_json: bool) -> None:
    """The dialects; or of one, by name or .toml file: what it says and does, what it lacks, and where that is from."""
    from app import fidelity  # noqa: PLC0415

    try:
        if as_json:
            click.echo(json.dumps(fidelity.listed() if name is None else fidelity.page(name), ensure_ascii=False))
        else:
            click.echo(fidelity.list_text() if name is None else fidelity.page_text(name))
    except ConfigError as error:
        raise EnvironmentFault(str(error)) from None


@cli.command()
def version() -> None:
    """The version, as --version says it."""
    click.echo(f"swerve {__version__}")


def main(args: Sequence[str] | None = None) -> None:
    """Run and exit."""
    cli.main(args=None if args is None else list(args), prog_name="swerve")
