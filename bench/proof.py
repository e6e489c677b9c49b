"""After a round: did it measure what it says?"""

from collections.abc import Iterator

from bench.cases import Case, Kind
from bench.sample import Sample

# What part of the requests the origin sees, from and to.
SHARES = {
    Kind.HIT: (0.0, 0.001), Kind.MISS: (0.98, 1.02), Kind.PASS: (0.98, 1.02), Kind.MIXED: (0.19, 0.21),
}  # fmt: skip
REFRESHES_A_SECOND = 3  # at most: fresh for 1 s, then 200 ms of thought
LOGGED = 0.99
NEAR = 0.02


def faults(case: Case, sample: Sample) -> Iterator[str]:
    if sample.requests == 0:
        yield "no request was answered"
        return
    if sample.errors:
        yield f"{sample.errors} errors"
    low, high = expected(case, sample)
    if not low <= sample.origin_requests <= high:
        yield f"the origin saw {sample.origin_requests} of {sample.requests} requests, not {low:.0f} to {high:.0f}"
    body = sample.received / sample.requests
    whole = case.status == 200 and case.method == "GET"
    if whole and body < case.size * (1 - NEAR):
        yield f"{body:.0f} bytes a response are too few for a body of {case.size}"
    if not whole and body > 1_024:
        yield f"{body:.0f} bytes a response are too many for one without a body"
    if sample.logged is not None and sample.logged < sample.requests * LOGGED:
        yield f"only {sample.logged} of {sample.requests} requests were logged"


def expected(case: Case, sample: Sample) -> tuple[float, float]:
    """How many requests the origin sees at least and at most; some are under way when wrk stops counting."""
    if case.kind is Kind.STALE:
        return 1, REFRESHES_A_SECOND * (sample.seconds + 1)
    low, high = SHARES[case.kind]
    under_way = 0 if case.kind is Kind.HIT else 2 * case.connections
    return sample.requests * low - under_way, sample.requests * high + under_way
