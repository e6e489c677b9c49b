"""The figures as they are kept: as raw JSON, and as the last section of bench/README.md."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.bars import CPU_TO_NGINX, P99_TO_NGINX, TO_NGINX, TO_VARNISH, all_met, found
from bench.beside import Compared
from bench.rounds import Outcome
from bench.table import table


def raw(outcomes: Sequence[Outcome], compared: Sequence[Compared], facts: Mapping[str, str]) -> dict[str, Any]:
    ways = [asdict(one) | {"rate": one.rate, "cost": one.cost, "bar_met": one.met} for one in compared]
    return {"machine": dict(facts), "cases": [_raw(outcome) for outcome in outcomes], "ways": ways}


def section(facts: Mapping[str, str]) -> str:
    """How the last section of bench/README.md begins."""
    return f"## Last results\n\n{table(('what', 'which'), list(facts.items()), left=1)}"


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
