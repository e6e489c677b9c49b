"""The public suite http-cache-tests in front of the `standard` dialect: what fails is listed, and says why."""

import pytest

from tests.live import node
from tests.live.conformance.expectations import Expectations
from tests.live.conformance.run import Report, measure
from tests.live.conformance.suite import KINDS, Kind

pytestmark = pytest.mark.live


@pytest.fixture(scope="module", params=[True, False], ids=["with the memo", "without"])
def report(request: pytest.FixtureRequest) -> Report:
    node.need_node()
    measured = measure(Expectations.load(), memo=request.param)
    terminal = request.config.get_terminal_writer()
    terminal.line()
    for kind in KINDS:
        terminal.line(measured.counts(kind))
    return measured


@pytest.mark.parametrize("kind", KINDS)
def test_every_result_is_the_expected_one(report: Report, kind: Kind) -> None:
    assert [f"{result.id}: {why}" for result, why in report.surprises if result.kind == kind] == []


def test_the_lists_name_tests_that_exist_and_give_reasons(report: Report) -> None:
    assert report.faults == []
