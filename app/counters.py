"""What is counted of answers and of trips to the origin, by one process or by several together."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields

# Seconds. The first holds all that is answered from memory, the last what most timeouts allow.
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(slots=True)
class Histogram:
    """How many durations lie between two neighbours of `BOUNDS` and beyond the last, and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum: float = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += times
        self.sum += seconds * times

    def add(self, other: Histogram) -> None:
        self.counts = [ours + theirs for ours, theirs in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum


def _histograms() -> defaultdict[str, Histogram]:
    return defaultdict(Histogram)


@dataclass(slots=True)
class Counters:
    """Counts since the start. `answers` by result and first digit of the status; `origin_requests` and
    `origin_durations` by cause, request or refresh; `durations` by result, an answer that was given again as 0;
    `purges` by mode."""

    requests: int = 0
    results: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    origin_requests: Counter[str] = field(default_factory=Counter)
    purges: Counter[str] = field(default_factory=Counter)
    durations: defaultdict[str, Histogram] = field(default_factory=_histograms, compare=False)
    origin_durations: defaultdict[str, Histogram] = field(default_factory=_histograms, compare=False)
    collapsed: int = 0
    bytes_sent: int = 0
    refresh_failures: int = 0

    def add(self, other: Counters) -> None:
        """Count what another process has counted as well."""
        for name in (one.name for one in fields(self)):
            ours, theirs = getattr(self, name), getattr(other, name)
            match ours:
                case int():
                    setattr(self, name, ours + theirs)
                case Counter():
                    ours.update(theirs)
                case _:
                    for key, histogram in theirs.items():
                        ours[key].add(histogram)
