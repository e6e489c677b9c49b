"""What is counted, for Prometheus: names and units by its conventions, and no label that a client or an origin chooses.

https://prometheus.io/docs/practices/naming/ and https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from app import __version__
from app.core.decisions import Result
from app.core.dialect import Dialect
from app.core.purging import Mode
from app.core.reasons import Reason
from app.counters import BOUNDS, Counters, Histogram
from app.fleet import Report, Workforce
from app.store.base import State

# The results of requests that were looked up, and of those that the store alone answered.
LOOKED_UP = frozenset(Result) - {Result.PASS, Result.ERROR}
HITS = frozenset({Result.HIT, Result.STALE})
CAUSES = ("request", "refresh")


def rendered(report: Report, workforce: Workforce, dialect: Dialect, accept: str) -> tuple[bytes, str]:
    """The metrics in the format that the client would like best, and that format's media type."""
    encode, media_type = choose_encoder(accept)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Reported(report, workforce, dialect))
    return encode(registry), media_type


@dataclass(frozen=True, slots=True, eq=False)
class Reported(Collector):
    """One report as metrics."""

    report: Report
    workforce: Workforce
    dialect: Dialect

    def collect(self) -> Iterable[Metric]:
        yield from _of_requests(self.report.counters)
        yield from _of_origin(self.report)
        yield from _of_store(self.report.store)
        yield _counter("swerve_purges", "Purges by mode.", "mode", self.report.counters.purges, Mode)
        yield _gauge("swerve_workers", "Processes that answer clients.", self.workforce.up)
        yield _count("swerve_worker_restarts", "Processes that ended and were replaced.", self.workforce.restarts)
        labels = {"version": __version__, "dialect": self.dialect.name}
        info = GaugeMetricFamily("swerve_build_info", "Always 1: what runs.", labels=list(labels))
        info.add_metric(list(labels.values()), 1)
        yield info


def _of_requests(counters: Counters) -> Iterator[Metric]:
    results = counters.results
    answers = CounterMetricFamily(
        "swerve_requests", "Answered requests by result and class of status.", labels=["result", "code_class"]
    )
    for (result, digit), times in sorted(counters.answers.items()):
        answers.add_metric([result, f"{digit}xx"], times)
    yield answers
    yield _count("swerve_lookups", "Requests for which the store was asked.", sum(results[one] for one in LOOKED_UP))
    yield _count("swerve_hits", "Lookups that the store answered alone, fresh or stale.", sum(results[x] for x in HITS))
    yield _counter("swerve_decisions", "Requests by reason.", "reason", counters.reasons, Reason)
    yield _histogram(
        "swerve_request_duration_seconds",
        "Time from a request's head to the end of its answer. Answers that were given again from memory take some tens "
        "of microseconds, are not timed, and count in the first bucket and not in the sum.",
        "result", counters.durations,
    )  # fmt: skip
    yield _count(
        "swerve_coalesced_requests", "Requests that waited for another's fetch and shared its answer.",
        counters.collapsed,
    )  # fmt: skip
    yield _count("swerve_response_bytes", "Bytes of response bodies handed to clients.", counters.bytes_sent)


def _of_origin(report: Report) -> Iterator[Metric]:
    counters = report.counters
    yield _counter("swerve_origin_requests", "Answers and failures of the origin.", "cause", counters.origin_requests,
                   CAUSES)  # fmt: skip
    yield _histogram("swerve_origin_duration_seconds", "Time until the head of the origin's answer, or its failure.",
                     "cause", counters.origin_durations)  # fmt: skip
    yield _count("swerve_refresh_failures", "Background refreshes that brought nothing.", counters.refresh_failures)
    yield _gauge("swerve_origin_fetches", "Fetches under way that others may join.", report.flights)
    yield _gauge("swerve_refreshes", "Background refreshes under way.", report.refreshing)


def _of_store(state: State) -> Iterator[Metric]:
    for name, help_text, value in (
        ("swerve_cache_entries", "Keys under which something is stored.", state.keys),
        ("swerve_cache_bytes", "Bytes that what is stored takes.", state.size),
        ("swerve_cache_limit_bytes", "Bytes that it may take.", state.limit),
    ):
        if value is not None:
            yield _gauge(name, help_text, value)
    counts = dict(state.counts)
    yield _count("swerve_evictions", "Responses that had to make room for others.", counts.pop("evictions", 0))
    yield _counter("swerve_store_events", "What else the store counts.", "event", counts)
    yield _gauge("swerve_store_in_trouble", "1 while the store does not work as it should.", int(bool(state.trouble)))


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _count(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_text, value=value)


def _counter(
    name: str, help_text: str, label: str, counts: Mapping[str, int], known: Iterable[str] = ()
) -> Metric:  # fmt: skip
    """A counter by one label. Those `known` are there from the start, as 0: what appears at 1 has no rate."""
    family = CounterMetricFamily(name, help_text, labels=[label])
    for value in dict.fromkeys((*known, *counts)):
        family.add_metric([str(value)], counts.get(value, 0))
    return family


def _histogram(name: str, help_text: str, label: str, histograms: Mapping[str, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, help_text, labels=[label])
    bounds = [*map(str, BOUNDS), "+Inf"]
    for value, histogram in sorted(histograms.items()):
        family.add_metric([str(value)], list(zip(bounds, accumulate(histogram.counts), strict=True)), histogram.sum)
    return family
