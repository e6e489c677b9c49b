"""Swerve beside itself: the plain way and another one in turn, a second each.

Two processes that run the same code differ by up to two hundredths for as long as they live, for where things lie in
memory is chance. So both are started anew several times.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from statistics import median

from bench.load import load, script
from bench.peers.peer import Site
from bench.peers.swerve import swerve
from bench.processes import Where
from bench.proof import faults
from bench.ratios import Figure, cpu, rate
from bench.refusal import CannotRunError, NotProvenError
from bench.rounds import Stand
from bench.sample import Means, Sample, Target, sample
from bench.table import table
from bench.warming import warm
from bench.ways import CASE, Way

SECONDS = 1
# So many more rounds than elsewhere, for they are shorter, and what they are to tell is smaller.
TIMES = 2
STARTS = 3
COLUMNS = ("Swerve's way", "requests/s", "CPU µs/request", "requests/s ÷ plain", "CPU/request ÷ plain", "result")


@dataclass(frozen=True, slots=True)
class Compared:
    """One way, and the plain way in turn with it: as many samples of each."""

    way: Way
    plain: list[Sample] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """Its requests a second, as a part of the plain way's."""
        return self._ratio(rate)

    @property
    def cost(self) -> float | None:
        """How much CPU a request takes, as a multiple of what it takes the plain way."""
        return self._ratio(cpu)

    @property
    def met(self) -> bool:
        return self.way.most is None or (self.cost is not None and self.cost <= self.way.most)

    def _ratio(self, figure: Figure) -> float | None:
        pairs = zip(self.samples, self.plain, strict=False)
        found = [figure(one) / figure(plain) for one, plain in pairs if figure(plain)]
        return median(found) if found else None


def compare(way: Way, stand: Stand) -> Compared:
    compared, means = Compared(way), replace(stand.means, seconds=SECONDS)
    try:
        for start in range(STARTS):
            where = stand.folder / CASE.name / way.name.replace("/", "") / str(start)
            _measure(compared, where, stand, means)
    except (CannotRunError, NotProvenError) as error:
        compared.faults.append(str(error))
    stand.say("  ".join((way.name, *next(_rows(compared), ())[3:5])))
    return compared


def _measure(compared: Compared, where: Path, stand: Stand, means: Means) -> None:
    with ExitStack() as stack:
        peers = [stack.enter_context(swerve(site)) for site in _sites(compared.way, where, stand)]
        plain, other = [Target(peer, warm(CASE, peer)) for peer in peers]
        for target in (plain, other):
            load(means.wrk, CASE, target.peer.port, script(CASE, target.fields, "warm"), SECONDS)
        for _ in range(ceil(stand.rounds * TIMES / STARTS)):
            for target, samples in ((plain, compared.plain), (other, compared.samples)):
                samples.append(one := sample(CASE, target, means, "round"))
                compared.faults.extend(f"{compared.way.name}: {fault}" for fault in faults(CASE, one))


def costs(compared: Sequence[Compared]) -> str:
    return table(COLUMNS, [row for one in compared for row in _rows(one)], left=1)


def _sites(way: Way, folder: Path, stand: Stand) -> Iterator[Site]:
    for name, dialect, flags in (("plain", "standard", ()), ("other", way.dialect, way.flags)):
        where = Where(folder / name, stand.core)
        filled = tuple(flag.replace("{folder}", str(where.folder)) for flag in flags)
        yield Site(where, stand.means.origin.port, "", dialect=dialect, flags=filled)


def _rows(one: Compared) -> Iterator[tuple[str, ...]]:
    if one.samples:
        yield (
            one.way.name,
            f"{median(map(rate, one.samples)):,.0f}",
            f"{median(map(cpu, one.samples)):.2f}",
            _told(one.rate),
            _told(one.cost, one),
            "FAILED" if one.faults else "ok",
        )


def _told(value: float | None, judged: Compared | None = None) -> str:
    """«1.02 (bar ≤ 1.05: met)»."""
    if value is None:
        return "–"
    if judged is None or judged.way.most is None:
        return f"{value:.3f}"
    return f"{value:.3f} (bar ≤ {judged.way.most:.2f}: {'met' if judged.met else 'MISSED'})"
