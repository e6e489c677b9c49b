"""Measure Swerve with http-cache-tests and print the counts: `python -m tests.live.conformance.run`."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.live import node
from tests.live.conformance import suite
from tests.live.conformance.expectations import Expectations, record
from tests.live.conformance.suite import KINDS, Kind, Result

FEW = 20
"""So many surprises may be bad luck (3 s pauses around 2 s lifetimes) and are run again alone; more are not."""


@dataclass(frozen=True, slots=True)
class Report:
    results: Sequence[Result]
    surprises: Sequence[tuple[Result, str]]
    faults: Sequence[str]

    def counts(self, kind: Kind) -> str:
        chosen = [result for result in self.results if result.kind == kind]
        passed = sum(result.passed for result in chosen)
        line = f"{kind:<9}{passed:>4} of {len(chosen):>3}  {100 * passed / len(chosen):5.1f} %"
        if kind != "check":
            return line
        answers = Counter(result.answer for result in chosen)
        return line + "   " + ", ".join(f"{count} {answer}" for answer, count in answers.most_common())

    def lines(self) -> list[str]:
        """The counts, then what was not expected."""
        unexpected = [f"  {result.kind:<9}{result.id}: {why}" for result, why in self.surprises]
        wrong = [f"  list     {fault}" for fault in self.faults]
        heading = [f"{len(unexpected) + len(wrong)} unexpected:"] if unexpected or wrong else []
        return [self.counts(kind) for kind in KINDS] + heading + unexpected + wrong


def measure(expectations: Expectations, *, memo: bool = True) -> Report:
    """Run all tests; a few with an unexpected result get a second chance, each alone."""
    with suite.cache_under_test(memo=memo) as cache:
        results = {result.id: result for result in suite.run(cache)}
        doubtful = [result.id for result in results.values() if expectations.surprise(result)]
        if 0 < len(doubtful) <= FEW:
            results |= {result.id: result for result in suite.run(cache, doubtful, together=1)}
    measured = list(results.values())
    surprises = [(result, why) for result in measured if (why := expectations.surprise(result))]
    return Report(measured, surprises, expectations.faults(measured))


def show(ids: Sequence[str]) -> int:
    """Run single tests with the heads that were sent and received."""
    with suite.cache_under_test(dump=True) as cache:
        results = suite.run(cache, ids, together=1, dump=True)
    for result in results:
        print(f"{result.kind} {result.id}: {result.name}")
        print("  passed" if result.passed else f"  {result.failure}: {result.message}")
    return 0 if all(result.passed for result in results) else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("--id", action="append", default=[], dest="ids", help="run this test only, and show the heads")
    parser.add_argument("--record", action="store_true", help="write known_failures.toml and check_results.toml anew")
    chosen = parser.parse_args()
    if not node.present():
        print(node.MISSING, file=sys.stderr)
        return 2
    if chosen.ids:
        return show(chosen.ids)
    expectations = Expectations.load()
    report = measure(expectations)
    print("\n".join(report.lines()))
    if chosen.record:
        record(report.results, expectations)
    return 1 if report.surprises or report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
