"""What we know and why: known_failures.toml with a reason each, check_results.toml as recorded; what differs."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.live.conformance.suite import KINDS, Kind, Result

HERE = Path(__file__).parent
KNOWN_FAILURES = HERE / "known_failures.toml"
CHECK_RESULTS = HERE / "check_results.toml"

_FAILURES_HEAD = """\
# Tests of http-cache-tests that Swerve knowingly fails in the `standard` dialect: id = why.
# A listed test that passes, an id that does not exist and an empty reason fail the build, as does an unlisted failure.
"""
_CHECKS_HEAD = """\
# What Swerve answers to the suite's questions: neither right nor wrong, but a change is worth noticing.
# Written by `make conformance ARGS=--record`.
"""


@dataclass(frozen=True, slots=True)
class Expectations:
    failures: Mapping[Kind, Mapping[str, str]]
    checks: Mapping[str, str]

    @classmethod
    def load(cls) -> Self:
        failures = _read(KNOWN_FAILURES)
        return cls(
            {"required": failures.get("required", {}), "optimal": failures.get("optimal", {})},
            _read(CHECK_RESULTS).get("check", {}),
        )

    def surprise(self, result: Result) -> str | None:
        """Why this result is not the expected one, or None."""
        if result.kind == "check":
            expected = self.checks.get(result.id)
            if result.answer != expected:
                return f"answers {result.answer}, recorded is {expected or 'nothing'}: {result.message or result.name}"
        elif result.passed:
            if result.id in self.failures[result.kind]:
                return "passes, but is listed in known_failures.toml"
        elif result.id not in self.failures[result.kind]:
            return f"{result.failure}: {result.message}"
        return None

    def faults(self, results: Sequence[Result]) -> list[str]:
        """What is wrong with the lists themselves."""
        known = {kind: {result.id for result in results if result.kind == kind} for kind in KINDS}
        listed = {**self.failures, "check": self.checks}
        strangers = [
            f"{id_}: no {kind} test has this id" for kind in KINDS for id_ in listed[kind].keys() - known[kind]
        ]
        silent = [
            f"{id_}: no reason" for table in self.failures.values() for id_, why in table.items() if not why.strip()
        ]
        return sorted(strangers) + sorted(silent)


def record(results: Sequence[Result], expectations: Expectations) -> None:
    """Write both files anew; reasons that still apply stay, new failures get an empty one to be filled in."""
    text = _FAILURES_HEAD
    for kind in ("required", "optimal"):
        reasons = expectations.failures[kind]
        failed = sorted(result.id for result in results if result.kind == kind and not result.passed)
        text += f"\n[{kind}]\n" + "".join(_line(id_, reasons.get(id_, "")) for id_ in failed)
    KNOWN_FAILURES.write_text(text)
    answers = sorted((result.id, result.answer) for result in results if result.kind == "check")
    CHECK_RESULTS.write_text(_CHECKS_HEAD + "\n[check]\n" + "".join(_line(*row) for row in answers))


def _line(id_: str, value: str) -> str:
    """Quoted: some ids have an equals sign in them. ASCII JSON strings are TOML strings too."""
    return f"{json.dumps(id_)} = {json.dumps(value)}\n"


def _read(path: Path) -> dict[str, dict[str, str]]:
    return tomllib.loads(path.read_text()) if path.exists() else {}
