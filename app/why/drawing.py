"""The life of a stored response as one line of text, with a mark at «now»."""

from __future__ import annotations

import shutil
import time
from typing import Any, NamedTuple

# As wide as the terminal, but not so wide that the eye loses the line; 100 where there is none.
WIDTH = max(60, min(100, shutil.get_terminal_size((100, 24)).columns))
INDENT = 2


class Stretch(NamedTuple):
    """A part of the life: from one moment to the next, in seconds from now."""

    label: str
    start: float
    end: float


def drawing(timeline: dict[str, Any]) -> list[str]:
    """Two lines: the stretches, each with its length, and under them where now is."""
    left = f"{' ' * INDENT}stored {clock(timeline['stored']['at'])}  "
    parts = stretches(timeline)
    room = WIDTH - len(left) - len(" expired") - 1
    widths = _widths(parts, room)
    drawn = "┤".join(_drawn(part, width) for part, width in zip(parts, widths, strict=True))
    line = f"{left}├{drawn}┤ expired" if parts else f"{left} expired"
    return [line, f"{' ' * (len(left) + _column(parts, widths))}▲ now"]


def stretches(timeline: dict[str, Any]) -> list[Stretch]:
    """Freshness, then the window of stale-while-revalidate, then what stale-if-error has beyond it."""
    found, start = [], float(timeline["stored"]["from_now"])
    stale_from = timeline["fresh_until"]["from_now"]
    for name, key in _ENDS:
        end = timeline[key]["from_now"] if timeline[key] else start
        if end > start:
            # Windows are counted from the end of freshness, whatever was before them.
            window = end - (start if key == "fresh_until" else stale_from)
            found.append(Stretch(f" {name} {length(window)} ", start, end))
            start = end
    return found


_ENDS = (
    ("fresh", "fresh_until"),
    ("stale-while-revalidate", "stale_while_revalidate_until"),
    ("stale-if-error", "stale_if_error_until"),
)


def _widths(parts: list[Stretch], room: int) -> list[int]:
    """As wide as their labels at least; what room is left is dealt out in proportion to how long they are."""
    least = [len(part.label) + 5 for part in parts]
    spare, total = max(0, room - sum(least)), sum(part.end - part.start for part in parts)
    return [width + int(spare * (part.end - part.start) / total) for width, part in zip(least, parts, strict=True)]


def _drawn(part: Stretch, width: int) -> str:
    return f"{part.label:─^{width - 1}}"


def _column(parts: list[Stretch], widths: list[int]) -> int:
    """The column of now, counted from where the drawing starts; beyond it when all has ended."""
    column = 0
    for part, width in zip(parts, widths, strict=True):
        if part.end > 0:
            return column + max(0, int(width * -part.start / (part.end - part.start)))
        column += width
    return column + 2 if parts else 1


def clock(at: float) -> str:
    """The time of day here."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def length(seconds: float) -> str:
    """A duration in the largest unit that says it without a fraction: 300 s, 2 h, 365 d."""
    whole = round(seconds)
    for unit, name in ((86_400, "d"), (3_600, "h")):
        if whole >= unit and whole % unit == 0:
            return f"{whole // unit} {name}"
    return f"{whole} s" if whole < 36_000 else f"{whole / 3600:.1f} h"
