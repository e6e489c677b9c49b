"""The figures as tables: each proxy by itself, then Swerve beside the others."""

from collections.abc import Iterator, Sequence

from bench.bars import MEASURES, told
from bench.ratios import middle
from bench.rounds import Outcome
from bench.sample import Sample
from bench.table import table

FULL = 0.95  # of a core: more says that somebody waited for it
BUSY = 0.9
FIGURES = (
    "case", "proxy", "requests/s", "p50 ms", "p99 ms", "errors", "peak MiB", "CPU µs/request", "server core",
    "load core", "note",
)  # fmt: skip
RATIOS = ("case", "requests/s ÷ nginx", "requests/s ÷ Varnish", "p99 ÷ nginx", "CPU/request ÷ nginx", "result")


def figures(outcomes: Sequence[Outcome]) -> str:
    rows = [row for outcome in outcomes for row in _rows(outcome)]
    return table(FIGURES, rows, left=2)


def ratios(outcomes: Sequence[Outcome]) -> str:
    rows = [
        (
            outcome.case.name,
            *(told(outcome, measure) for measure in MEASURES),
            "FAILED" if outcome.faults else "ok",
        )
        for outcome in outcomes
    ]
    return table(RATIOS, rows, left=1)


def failures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        yield from (f"FAILED {outcome.case.name}: {fault}" for fault in outcome.faults)


def server_share(sample: Sample) -> float:
    """The proxy and the origin have one core together."""
    return sample.proxy_share + sample.origin_share


def note(served: float, loaded: float) -> str:
    """One of both cores is always full, unless others used them too."""
    if loaded > FULL:
        return "load generator bound"
    return "" if served > BUSY else "disturbed"


def _rows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    for name, samples in outcome.samples.items():
        if samples:
            served, loaded = middle(outcome, name, server_share), middle(outcome, name, lambda one: one.wrk_share)
            yield (
                outcome.case.name,
                name,
                f"{middle(outcome, name, lambda one: one.rate):,.0f}",
                f"{middle(outcome, name, lambda one: one.p50) / 1000:.2f}",
                f"{middle(outcome, name, lambda one: one.p99) / 1000:.2f}",
                f"{sum(one.errors for one in samples)}",
                f"{max(one.peak_memory for one in samples) / 2**20:.0f}",
                f"{middle(outcome, name, lambda one: one.cpu_per_request):.1f}",
                f"{served:.0%}",
                f"{loaded:.0%}",
                note(served, loaded),
            )
