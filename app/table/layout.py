"""Text in columns that fit a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

GAP = "  "


def blocks(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[list[str]]:
    """A table as lines; where it is too wide, several below one another, each with the first column."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for chosen in _fitting(widths, width):
        yield [GAP.join(f"{line[at]:{widths[at]}}" for at in (0, *chosen)).rstrip() for line in (head, *rows)]


def _fitting(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """The places of the columns that go beside the first one."""
    chosen: list[int] = []
    left = width - widths[0]
    for at, wide in enumerate(widths[1:], 1):
        if chosen and wide + len(GAP) > left:
            yield chosen
            chosen, left = [], width - widths[0]
        chosen.append(at)
        left -= wide + len(GAP)
    yield chosen


def lines_of_text(text: str, width: int, first: str, others: str) -> list[str]:
    """A paragraph whose first line begins so, and the others so. What has no space is not broken."""
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    ) or [first.rstrip()]


def judged(judgement: Mapping[str, Any], between: str) -> str:
    """A reason, what it means, where that is written, and what to do."""
    advice = f" → {judgement['advice']}" if judgement["advice"] else ""
    return f"{judgement['reason']}{between}{judgement['meaning']} [{judgement['section']}]{advice}"


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
