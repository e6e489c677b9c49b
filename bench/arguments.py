"""The words on the command line."""

import argparse
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from bench.cases import CASES, NAMED, Case
from bench.refusal import CannotRunError
from bench.rounds import PEERS
from bench.ways import GROUPS, WAYS, Way


@dataclass(frozen=True, slots=True)
class Asked:
    cases: tuple[Case, ...]
    ways: tuple[Way, ...]
    peers: tuple[str, ...]
    rounds: int
    seconds: int
    dialect: str
    json: Path | None
    markdown: bool
    bars: bool
    list: bool


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CannotRunError(f"{message}; --help shows what there is")


def asked(words: Sequence[str]) -> Asked:
    given = _parser().parse_args(words)
    peers = tuple(_known(name, PEERS, "proxy") for name in given.only.split(","))
    if given.bars and set(peers) != set(PEERS):
        raise CannotRunError("--bars compares Swerve with all peers: leave --only away")
    if given.json is not None and not given.json.absolute().parent.is_dir():
        raise CannotRunError(f"--json: there is no folder {given.json.parent}")
    known = (*NAMED, *GROUPS, *(way.name for way in WAYS))
    names = {_known(name, known, "case") for name in given.case or (*NAMED, *GROUPS)}
    return Asked(
        cases=tuple(case for case in CASES if case.name in names),
        ways=tuple(way for way in WAYS if names & {way.group, way.name} and "swerve" in peers),
        peers=tuple(name for name in PEERS if name in peers),
        rounds=given.rounds,
        seconds=given.seconds,
        dialect=_dialect(given.dialect),
        json=given.json,
        markdown=given.markdown,
        bars=given.bars,
        list=given.list,
    )


def case_list() -> str:
    lines = [f"{case.name:14}{case.about} ({case.connections} connections)" for case in CASES]
    return "\n".join([*lines, *(f"{name:14}Swerve beside itself: {about}" for name, about in GROUPS.items())])


def _parser() -> Parser:
    parser = Parser(prog="bench", description="Swerve beside nginx and Varnish, on this machine.", allow_abbrev=False)
    parser.add_argument("--case", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--only", default=",".join(PEERS), metavar="NAMES", help="these proxies: %(default)s")
    parser.add_argument("--rounds", type=_count, default=5, metavar="N", help="times each is measured: %(default)s")
    parser.add_argument("--seconds", type=_count, default=3, metavar="N", help="for each measurement: %(default)s")
    parser.add_argument("--dialect", default="standard", metavar="NAME", help="Swerve's: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure there")
    parser.add_argument("--markdown", action="store_true", help="print the last section of bench/README.md")
    parser.add_argument("--bars", action="store_true", help="exit with 1 where Swerve misses a bar")
    parser.add_argument("--list", action="store_true", help="list the cases and end")
    return parser


def _count(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= 600:
        raise argparse.ArgumentTypeError(f"{word} is no number from 1 to 600")
    return int(word)


def _known(name: str, names: Sequence[str], what: str) -> str:
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    raise CannotRunError(f"there is no {what} {name!r}: {hint}")


def _dialect(name: str) -> str:
    """A file is meant from here, not from the folder that Swerve is started in."""
    return str(Path(name).absolute()) if name.endswith(".toml") else name
