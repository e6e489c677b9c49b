"""The bars: how fast Swerve has to be beside its peers, and where it is."""

from dataclasses import dataclass

from bench.ratios import Figure, cpu, p99, rate, ratio
from bench.rounds import Outcome


@dataclass(frozen=True, slots=True)
class Measure:
    """One ratio: of what, to whom, and whether more is better."""

    peer: str
    figure: Figure
    more: bool = True


TO_NGINX = Measure("nginx", rate)
TO_VARNISH = Measure("varnish", rate)
P99_TO_NGINX = Measure("nginx", p99, more=False)
CPU_TO_NGINX = Measure("nginx", cpu, more=False)
MEASURES = (TO_NGINX, TO_VARNISH, P99_TO_NGINX, CPU_TO_NGINX)

BARS: dict[tuple[str, Measure], float] = {
    ("hit-1k", TO_NGINX): 1.7,
    ("hit-1k-heads", TO_NGINX): 0.9,
    ("hit-10k", TO_NGINX): 1.5,
    ("hit-100k", TO_NGINX): 1.2,
    ("hit-304", TO_NGINX): 1.2,
    ("miss", TO_NGINX): 0.4,
    ("pass", TO_NGINX): 0.4,
    ("hit-1k-logs", TO_NGINX): 1.0,
    ("hit-1k", TO_VARNISH): 2.0,
    ("hit-1k", P99_TO_NGINX): 1.5,
    ("swr", P99_TO_NGINX): 1.5,
}


def found(outcome: Outcome, measure: Measure) -> float | None:
    return ratio(outcome, measure.peer, measure.figure)


def met(outcome: Outcome, measure: Measure) -> bool:
    """Where no bar is set, it is met; what was not measured meets none."""
    bar, value = BARS.get((outcome.case.name, measure)), found(outcome, measure)
    if bar is None:
        return True
    return value is not None and (value >= bar if measure.more else value <= bar)


def all_met(outcome: Outcome) -> bool:
    return all(met(outcome, measure) for measure in MEASURES)


def told(outcome: Outcome, measure: Measure) -> str:
    """The ratio, and its bar where it has one: «1.84 (bar ≥ 1.7: met)»."""
    value = found(outcome, measure)
    if value is None:
        return "–"
    bar = BARS.get((outcome.case.name, measure))
    if bar is None:
        return f"{value:.2f}"
    sign, verdict = "≥" if measure.more else "≤", "met" if met(outcome, measure) else "MISSED"
    return f"{value:.2f} (bar {sign} {bar}: {verdict})"
