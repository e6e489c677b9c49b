"""Swerve beside its peers: medians of what each round says, so that a machine that drifts favours nobody."""

from collections.abc import Callable
from statistics import median

from bench.rounds import Outcome
from bench.sample import Sample

Figure = Callable[[Sample], float]


def middle(outcome: Outcome, peer: str, figure: Figure) -> float:
    return median(figure(sample) for sample in outcome.samples[peer])


def ratio(outcome: Outcome, peer: str, figure: Figure) -> float | None:
    """Swerve's divided by the peer's; nothing where one of them was not measured."""
    pairs = zip(outcome.samples.get("swerve", ()), outcome.samples.get(peer, ()), strict=False)
    found = [figure(ours) / figure(theirs) for ours, theirs in pairs if figure(theirs)]
    return median(found) if found else None


def rate(sample: Sample) -> float:
    return sample.rate


def p99(sample: Sample) -> float:
    return sample.p99


def cpu(sample: Sample) -> float:
    return sample.cpu_per_request
