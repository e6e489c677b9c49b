"""The figures as they are kept: as raw JSON, and as the last section of bench/README.md."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.bars import CPU_TO_NGINX, P99_TO_NGINX, TO_NGINX, TO_VARNISH, all_met, found
from bench.report import failures, figures, ratios
from bench.rounds import Outcome
from bench.table import table


def raw(outcomes: Sequence[Outcome], facts: Mapping[str, str]) -> dict[str, Any]:
    return {"machine": dict(facts), "cases": [_raw(outcome) for outcome in outcomes]}


def section(outcomes: Sequence[Outcome], facts: Mapping[str, str]) -> str:
    parts = ["## Last results", table(("what", "which"), list(facts.items()), left=1)]
    parts += [figures(outcomes), ratios(outcomes), *failures(outcomes)]
    return "\n\n".join(parts)


def _raw(outcome: Outcome) -> dict[str, Any]:
    return {
        "case": outcome.case.name,
        "connections": outcome.case.connections,
        "rate_to_nginx": found(outcome, TO_NGINX),
        "rate_to_varnish": found(outcome, TO_VARNISH),
        "p99_to_nginx": found(outcome, P99_TO_NGINX),
        "cpu_to_nginx": found(outcome, CPU_TO_NGINX),
        "bars_met": all_met(outcome),
        "faults": outcome.faults,
        "samples": {peer: [asdict(sample) for sample in samples] for peer, samples in outcome.samples.items()},
    }
