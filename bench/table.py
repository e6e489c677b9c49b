"""A Markdown table that is also readable as it stands."""

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """The first `left` columns and the last are words, the others numbers."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    words = [column < left or column == len(head) - 1 for column in range(len(head))]
    rule = ["-" * width if word else "-" * (width - 1) + ":" for width, word in zip(widths, words, strict=True)]
    return "\n".join(_line(row, widths, words) for row in (head, rule, *rows))


def _line(row: Sequence[str], widths: Sequence[int], words: Sequence[bool]) -> str:
    cells = (
        cell.ljust(width) if word else cell.rjust(width) for cell, width, word in zip(row, widths, words, strict=True)
    )
    return f"| {' | '.join(cells)} |"
