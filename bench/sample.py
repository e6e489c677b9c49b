"""One measurement: one proxy, one round."""

import time
from dataclasses import dataclass

from bench.cases import Case, Kind
from bench.heads import Fields
from bench.load import Wrk, load, script
from bench.origin import Origin
from bench.peers.peer import Peer
from bench.request_log import empty, settled_lines
from bench.usage import cpu_seconds, peak_memory, used

SETTLE = 0.25  # until what was under way at the end has reached the origin
STALE_AFTER = 1.3  # until what was refreshed last has become stale again


@dataclass(frozen=True, slots=True)
class Sample:
    """Latencies in microseconds, shares of one core, memory in bytes since the proxy's start."""

    rate: float
    p50: int
    p99: int
    worst: int
    requests: int
    seconds: float
    received: int
    errors: int
    origin_requests: int
    logged: int | None
    cpu_per_request: float
    proxy_share: float
    wrk_share: float
    origin_share: float
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Target:
    """A warmed proxy, and the fields that its requests have."""

    peer: Peer
    fields: Fields


@dataclass(frozen=True, slots=True)
class Means:
    """What measures: the origin that counts, wrk, and for how long."""

    origin: Origin
    wrk: Wrk
    seconds: int


def sample(case: Case, target: Target, means: Means, token: str) -> Sample:
    peer, origin = target.peer, means.origin
    if case.kind is Kind.STALE:
        time.sleep(STALE_AFTER)
    empty(peer.log)
    lua = script(case, target.fields, token)
    seen, proxy, origins = origin.seen(), cpu_seconds(peer.roots), cpu_seconds(origin.roots)
    run = load(means.wrk, case, peer.port, lua, means.seconds)
    proxy_cpu = used(proxy, cpu_seconds(peer.roots))
    origin_cpu = used(origins, cpu_seconds(origin.roots))
    time.sleep(SETTLE)
    return Sample(
        rate=run.requests / run.seconds,
        p50=run.p50,
        p99=run.p99,
        worst=run.worst,
        requests=run.requests,
        seconds=run.seconds,
        received=run.received,
        errors=run.errors,
        origin_requests=origin.seen() - seen - 1,
        logged=settled_lines(peer.log, run.requests),
        cpu_per_request=proxy_cpu * 1e6 / max(run.requests, 1),
        proxy_share=proxy_cpu / run.seconds,
        wrk_share=run.cpu / run.seconds,
        origin_share=origin_cpu / run.seconds,
        peak_memory=peak_memory(peer.roots),
    )
