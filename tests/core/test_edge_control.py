"""Edge-Control: units, and directives that are taken back (http.dev/edge-control)."""

from __future__ import annotations

import pytest

from app.core.edge_control import EdgeControl, parse_edge_control
from app.core.fields import MAX_DELTA
from tests.core.build import row

READ = [
    #   value                                      expected
    row("nothing",                     "",                             EdgeControl()),
    row("nothing that is ours",        "dca=esi, !log-cookie",         EdgeControl()),
    row("seconds without a unit",      "max-age=60",                   EdgeControl(60)),
    row("seconds",                     "max-age=60s",                  EdgeControl(60)),
    row("minutes",                     "max-age=2m",                   EdgeControl(120)),
    row("hours",                       "max-age=2h",                   EdgeControl(7_200)),
    row("days, in any case",           "Max-Age=1D",                   EdgeControl(86_400)),
    row("quoted",                      'max-age="1d"',                 EdgeControl(86_400)),
    row("more than can be",            "max-age=9999999999d",          EdgeControl(MAX_DELTA)),
    row("what is no duration",         "max-age=1w",                   EdgeControl(0)),
    row("no value",                    "max-age",                      EdgeControl(0)),
    row("the other name",              "cache-maxage=7d",              EdgeControl(604_800)),
    row("max-age before it",           "cache-maxage=7d, max-age=1",   EdgeControl(1)),
    row("the first of several",        "max-age=1, max-age=2",         EdgeControl(1)),
    row("no-store",                    "no-store",                     EdgeControl(no_store=True)),
    row("bypass-cache",                "bypass-cache",                 EdgeControl(no_store=True)),
    row("no-store taken back",         "!no-store, !bypass-cache",     EdgeControl(allows_storing=True)),
    row("for those behind",            "downstream-ttl=5m",            EdgeControl(downstream=300)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), READ)
def test_edge_control(value: str, expected: EdgeControl) -> None:
    assert parse_edge_control(value) == expected


def test_lines_are_one_list() -> None:
    assert parse_edge_control("!no-store", "max-age=1d") == EdgeControl(86_400, allows_storing=True)
