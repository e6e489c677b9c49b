"""How a store is that several processes share, or of which each has its own part."""

from __future__ import annotations

import pytest

from app.store.base import State
from app.workers.fleet import as_one
from tests.core.build import row


def disk(limit: int, trouble: str | None = None) -> State:
    return State("disk", 5, limit, 3, {}, trouble)


def redis(size: int, limit: int, trouble: str | None = None) -> State:
    return State("redis", size, limit, None, {}, trouble)


FULL = "the disk is full"
UNKNOWN = State("redis", None, None, None, {})


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        row("what is shared is the same for all",  [disk(9), disk(9)],                    disk(9)),
        row("who has met a full disk tells",       [disk(9), disk(7, FULL), disk(8)],     disk(7, FULL)),
        row("parts of it add up",                  [redis(1, 9), redis(2, 9, "away")],    redis(3, 18, "away")),
        row("nobody knows",                        [UNKNOWN, UNKNOWN],                      UNKNOWN),
    ],
)  # fmt: skip
def test_the_states_of_all_processes_are_one(states: list[State], expected: State) -> None:
    assert as_one(states) == expected
