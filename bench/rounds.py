"""One case: every proxy started anew, warmed, and measured in turn, round after round."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.cases import Case
from bench.load import load, script
from bench.peers.nginx import nginx
from bench.peers.peer import Peer, Site
from bench.peers.swerve import swerve
from bench.peers.varnish import varnish
from bench.processes import Where
from bench.proof import faults
from bench.refusal import CannotRunError, NotProvenError
from bench.sample import Means, Sample, Target, sample
from bench.warming import warm

STARTED: dict[str, Callable[[Site], AbstractContextManager[Peer]]] = {
    "nginx": nginx, "varnish": varnish, "swerve": swerve,
}  # fmt: skip
PEERS = tuple(STARTED)


@dataclass(frozen=True, slots=True)
class Stand:
    """What all cases have in common."""

    folder: Path
    core: int
    programs: dict[str, str]
    means: Means
    peers: tuple[str, ...]
    dialect: str
    rounds: int
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    case: Case
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def run(case: Case, stand: Stand) -> Outcome:
    outcome = Outcome(case, {name: [] for name in stand.peers})
    try:
        with ExitStack() as stack:
            peers = [stack.enter_context(STARTED[name](_site(case, stand, name))) for name in stand.peers]
            _measure(outcome, [Target(peer, warm(case, peer)) for peer in peers], stand)
    except (CannotRunError, NotProvenError) as error:  # the other cases may still tell something
        outcome.faults.append(str(error))
        stand.say(f"{case.name}  FAILED: {error}")
    return outcome


def _measure(outcome: Outcome, targets: Sequence[Target], stand: Stand) -> None:
    case, means = outcome.case, stand.means
    for target in targets:  # a second that nobody counts: threads, connections and files are there after it
        load(means.wrk, case, target.peer.port, script(case, target.fields, "warm"), 1)
    for number in range(1, stand.rounds + 1):
        for target in targets:
            _keep(outcome, target.peer.name, number, sample(case, target, means, f"round{number}"), stand)


def _keep(outcome: Outcome, name: str, number: int, one: Sample, stand: Stand) -> None:
    outcome.samples[name].append(one)
    outcome.faults.extend(f"{name}, round {number}: {fault}" for fault in faults(outcome.case, one))
    stand.say(f"{outcome.case.name}  round {number}  {name}  {one.rate:,.0f} requests/s  p99 {one.p99 / 1000:.2f} ms")


def _site(case: Case, stand: Stand, name: str) -> Site:
    where = Where(stand.folder / case.name / name, stand.core)
    program = stand.programs.get(name, "")
    return Site(where, stand.means.origin.port, program, logs=case.logs, dialect=stand.dialect)
