"""/metrics: valid in both formats, true to what happened, and without a label that anybody outside may choose."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text
from prometheus_client.samples import Sample

from app.asgi import build
from app.clock import ManualClock
from app.core.reasons import Reason
from app.counters import BOUNDS, Counters, Histogram
from app.settings import load_settings
from tests.driver import Client, Received
from tests.origin import ScriptedOrigin

PAGES = {
    "/blog": {"headers": {"cache-control": "s-maxage=60, stale-while-revalidate=300"}, "body": "post"},
    "/secret-path": {"status": 404, "headers": {"cache-control": "s-maxage=60"}, "body": "none"},
    "/cart": {"headers": {"cache-control": "no-store"}, "body": "cart"},
}
OPEN_METRICS = "application/openmetrics-text; version=1.0.0, text/plain; q=0.1"


async def scene(*targets: str, accept: str = "", later: float = 0) -> Received:
    """The metrics after these requests, `later` seconds between one and the next."""
    origin, clock = ScriptedOrigin(), ManualClock()
    origin.script(PAGES)
    flags = {"origin": "http://localhost:3000", "dialect": "standard"}
    application = build(load_settings(flags, {}, Path("/")), clock=clock, transport=origin)
    site, admin = Client(application.proxy), Client(application.admin, host="localhost:8081")
    for target in targets:
        await site.request("POST" if target == "/post" else "GET", target)
        await application.around.tasks.drain(1)
        clock.advance(later)
    return await admin.request("GET", "/metrics", [("accept", accept)] if accept else [])


def samples(received: Received) -> dict[str, float]:
    """Every sample by its name and its labels as they are written."""
    return {_written(sample): sample.value for sample in _samples(received.body.decode())}


def _samples(text: str) -> Iterator[Sample]:
    for family in plain_text(text):
        yield from family.samples


def _written(sample: Sample) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
    return f"{sample.name}{{{labels}}}" if labels else sample.name


def got(*targets: str, later: float = 0) -> dict[str, float]:
    return samples(asyncio.run(scene(*targets, later=later)))


def test_hits_lookups_and_the_rest_are_counted_apart() -> None:
    seen = got("/blog", "/blog", "/blog", "/cart", "/secret-path", "/post")
    assert seen['swerve_requests_total{code_class="2xx",result="hit"}'] == 2
    assert seen['swerve_requests_total{code_class="2xx",result="miss"}'] == 1
    assert seen['swerve_requests_total{code_class="4xx",result="miss"}'] == 1
    assert (seen["swerve_lookups_total"], seen["swerve_hits_total"]) == (5, 2)
    assert seen['swerve_decisions_total{reason="fresh"}'] == 2
    assert seen['swerve_decisions_total{reason="no-store"}'] == 1
    assert seen['swerve_origin_requests_total{cause="request"}'] == 4
    assert seen['swerve_origin_duration_seconds_count{cause="request"}'] == 4
    assert seen["swerve_cache_entries"] == 2
    assert 0 < seen["swerve_cache_bytes"] < seen["swerve_cache_limit_bytes"]


def test_bytes_are_those_that_clients_were_given() -> None:
    assert got("/blog", "/blog", "/cart")["swerve_response_bytes_total"] == len("post") * 2 + len("cart")


def test_a_stale_answer_is_a_hit_and_its_refresh_an_origin_request_of_its_own_cause() -> None:
    seen = got("/blog", "/blog", later=61)
    assert (seen["swerve_lookups_total"], seen["swerve_hits_total"]) == (2, 1)
    assert seen['swerve_origin_requests_total{cause="refresh"}'] == 1
    assert seen['swerve_origin_requests_total{cause="request"}'] == 1


def test_what_may_happen_is_there_as_zero_from_the_start() -> None:
    seen = got()
    assert {f'swerve_decisions_total{{reason="{reason}"}}' for reason in Reason} <= seen.keys()
    zeros = ["swerve_lookups_total", "swerve_evictions_total", 'swerve_purges_total{mode="delete"}']
    assert [seen[name] for name in zeros] == [0, 0, 0]
    assert (seen["swerve_workers"], seen["swerve_worker_restarts_total"]) == (1, 0)
    assert seen['swerve_build_info{dialect="standard",version="0.1.0"}'] == 1


def test_no_path_host_or_key_is_a_label() -> None:
    received = asyncio.run(scene("/secret-path", "/blog?token=secret-query"))
    assert b"secret" not in received.body
    assert b"blog" not in received.body


def test_histograms_are_cumulative_and_end_with_everything() -> None:
    seen = got("/blog", "/blog")
    buckets = [seen[f'swerve_request_duration_seconds_bucket{{le="{bound}",result="hit"}}'] for bound in BOUNDS]
    assert buckets == sorted(buckets)
    assert seen['swerve_request_duration_seconds_bucket{le="+Inf",result="hit"}'] == 1
    assert seen['swerve_request_duration_seconds_count{result="hit"}'] == 1


def test_every_counter_and_unit_is_named_by_the_conventions() -> None:
    text = asyncio.run(scene("/blog")).body.decode()
    for family in plain_text(text):
        assert family.name.startswith("swerve_")
        assert family.documentation.endswith(".") or family.documentation.startswith("Always 1")
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter"), sample.name


def test_open_metrics_for_who_asks_for_it() -> None:
    received = asyncio.run(scene("/blog", "/blog", accept=OPEN_METRICS))
    assert (received.header("content-type") or "").startswith("application/openmetrics-text")
    families = {family.name: family for family in open_metrics(received.body.decode())}  # type: ignore[no-untyped-call]
    assert families["swerve_hits"].samples[0].value == 1
    assert received.body.endswith(b"# EOF\n")


def test_plain_text_for_everybody_else() -> None:
    received = asyncio.run(scene())
    assert (received.header("content-type") or "").startswith("text/plain; version=")
    assert received.header("cache-control") == "no-store"


# What they are made of.


@pytest.mark.parametrize(("seconds", "place"), [
    (0.0, 0), (0.0005, 0), (0.0006, 1), (60.0, len(BOUNDS) - 1), (61.0, len(BOUNDS)),
])  # fmt: skip
def test_a_duration_counts_below_the_first_bound_that_it_does_not_exceed(seconds: float, place: int) -> None:
    histogram = Histogram()
    histogram.observe(seconds, 2)
    assert [at for at, times in enumerate(histogram.counts) if times] == [place]
    assert (histogram.counts[place], histogram.sum) == (2, 2 * seconds)


def test_counters_of_several_processes_add_up() -> None:
    one, other = Counters(requests=2, collapsed=1), Counters(requests=3, bytes_sent=7)
    one.results["hit"] = 2
    other.results.update({"hit": 1, "miss": 2})
    one.answers["hit", 2] = other.answers["hit", 2] = 1
    one.durations["hit"].observe(0.5)
    other.durations["hit"].observe(0.25)
    other.origin_durations["refresh"].observe(3.0)
    one.add(other)
    assert (one.requests, one.collapsed, one.bytes_sent) == (5, 1, 7)
    assert one.results == {"hit": 3, "miss": 2}
    assert one.answers == {("hit", 2): 2}
    assert (sum(one.durations["hit"].counts), one.durations["hit"].sum) == (2, 0.75)
    assert one.origin_durations["refresh"].sum == 3.0
    assert other.results == {"hit": 1, "miss": 2}
