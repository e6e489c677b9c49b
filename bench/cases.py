"""What is measured: one row a case."""

from dataclasses import dataclass
from enum import Enum

from bench.heads import BROWSER, EACH_ANOTHER, NUMBER, Fields


class Kind(Enum):
    """What the proxy does in it, and so what the origin sees of it."""

    HIT = "hit"
    STALE = "stale"
    MISS = "miss"
    PASS = "pass"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    about: str
    kind: Kind = Kind.HIT
    path: str = "/1k"
    size: int = 1_024
    method: str = "GET"
    status: int = 200
    fields: Fields = BROWSER
    script: str = "same"
    connections: int = 64
    logs: bool = False


# Fewer connections where the origin has to answer too: 64 would only wait in line there.
FEWER = 32

CASES = (
    Case("hit-1k", "hits, 1 KiB, always the same browser"),
    Case(
        "hit-1k-heads", "hits, 1 KiB, another User-Agent and X-Request-Id in every request",
        fields=EACH_ANOTHER, script="counted",
    ),
    Case("hit-10k", "hits, 10 KiB", path="/10k", size=10_240),
    Case("hit-100k", "hits, 100 KiB", path="/100k", size=102_400),
    Case("head", "hits, HEAD of an empty page", path="/0k", size=0, method="HEAD"),
    Case("hit-304", "hits, the client has it already: If-None-Match with the current ETag", status=304),
    Case("swr", "stale-while-revalidate: fresh for 1 s, and the origin needs 200 ms", Kind.STALE, path="/swr"),
    Case(
        "miss", "every URL is new: fetched, answered, stored", Kind.MISS,
        path=f"/any/{NUMBER}", script="counted", connections=FEWER,
    ),
    Case("pass", "never stored: private, no-store", Kind.PASS, path="/pass/page", connections=FEWER),
    Case(
        "zipf", "10,000 pages, the popular ones most often, and 20 % of requests for new ones", Kind.MIXED,
        path=f"/any/{NUMBER}", script="zipf", connections=FEWER,
    ),
    Case("conns-1000", "hit-1k over 1,000 connections", connections=1_000),
    Case("hit-1k-logs", "hit-1k, and each proxy writes its own line a request into a file", logs=True),
)  # fmt: skip

NAMED = {case.name: case for case in CASES}
