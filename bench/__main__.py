"""`make bench`: Swerve beside nginx and Varnish, measured in turn on this machine."""

import json
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from bench.arguments import Asked, asked, case_list
from bench.bars import all_met
from bench.beside import Compared, compare, costs
from bench.cores import cores
from bench.file_limit import raise_file_limit
from bench.installing import programs
from bench.load import Wrk
from bench.machine import machine
from bench.origin import origin
from bench.place import folder
from bench.processes import Where
from bench.refusal import CannotRunError
from bench.report import failures, figures, ratios
from bench.results import raw, section
from bench.rounds import Outcome, Stand, run
from bench.sample import Means


def main(words: Sequence[str]) -> int:
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        return bench(asked(words))
    except CannotRunError as error:
        say(f"bench: {error}")
        return 2
    except KeyboardInterrupt:
        say("bench: stopped")
        return 130


def bench(wanted: Asked) -> int:
    if wanted.list:
        print(case_list())
        return 0
    found = programs(wanted.peers)
    outcomes, compared = measured(wanted, found)
    facts = {**machine(found), **settings(wanted)}
    if wanted.json is not None:
        wanted.json.write_text(json.dumps(raw(outcomes, compared, facts), indent=1))
    print("\n\n".join([section(facts)] * wanted.markdown + tables(outcomes, compared)))
    faults = [*failures(outcomes), *(fault for one in compared for fault in one.faults)]
    for line in faults:
        say(line)
    missed = wanted.bars and not (all(map(all_met, outcomes)) and all(one.met for one in compared))
    return int(missed or bool(faults))


def tables(outcomes: Sequence[Outcome], compared: Sequence[Compared]) -> list[str]:
    found = [figures(outcomes), ratios(outcomes)] if outcomes else []
    return [*found, costs(compared)] if compared else found


def measured(wanted: Asked, found: dict[str, str]) -> tuple[list[Outcome], list[Compared]]:
    pair = cores()
    raise_file_limit()
    with folder() as place, origin(Where(place / "origin", pair.servers), found["nginx"]) as behind:
        means = Means(behind, Wrk(found["wrk"], pair.load, place), wanted.seconds)
        stand = Stand(place, pair.servers, found, means, wanted.peers, wanted.dialect, wanted.rounds, say)
        return [run(case, stand) for case in wanted.cases], [compare(way, stand) for way in wanted.ways]


def settings(wanted: Asked) -> dict[str, str]:
    return {"rounds": f"{wanted.rounds}, each of {wanted.seconds} s", "dialect": wanted.dialect}


def stop(_number: int, _frame: FrameType | None) -> None:
    """Once: a second signal must not break off the tidying up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
