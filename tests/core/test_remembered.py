"""What is read once, and what is read again: the memory is bounded in the length of texts and in their number."""

from __future__ import annotations

import pytest

from app.core.remembered import LONGEST, MOST, remembered
from tests.core.build import row

HALF = "x" * (LONGEST // 2)


@pytest.mark.parametrize(
    ("texts", "times"),
    [
        row("a text that comes again is read once", [("a",), ("a",)],                    1),
        row("other texts are read too",             [("a",), ("b",)],                    2),
        row("all texts of a call count",            [("a", "b"), ("a", "c")],            2),
        row("what stands in which one counts",      [("ab", "c"), ("a", "bc")],          2),
        row("the longest are remembered",           [(HALF, HALF), (HALF, HALF)],        1),
        row("what is longer is not",                [(HALF, HALF, "x")] * 2,             2),
        row("nothing can be remembered",            [(), ()],                            1),
        row("the least recent are forgotten",       [("a",), *((str(one),) for one in range(MOST)), ("a",)], MOST + 2),
    ],
)  # fmt: skip
def test_texts_are_read(texts: list[tuple[str, ...]], times: int) -> None:
    read: list[tuple[str, ...]] = []

    @remembered
    def reading(*parts: str) -> str:
        read.append(parts)
        return "/".join(parts)

    assert [reading(*parts) for parts in texts] == ["/".join(parts) for parts in texts]
    assert len(read) == times
