"""An answer of the engine's that is given again, and its bytes for the present second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from app.core.decisions import Hit
from app.core.messages import Request
from app.journal import Replay

# As it is handed to the transport: in one piece, or in several.
Written = bytes | Sequence[bytes]


class Finished:
    """An answer, how long it stands, and its bytes for the present second.

    `written` is what is written; where late slots stand in its head, the next of `anew` is. `held`: how much of it
    is not the store's own. `request` has those of its fields that were looked at. `bytes`: what it takes, by our
    count.
    """

    __slots__ = (
        "anew", "bytes", "epoch", "fields", "first_line", "heads", "held", "hit", "key", "rendered_from",
        "rendered_until", "replay", "request", "since", "stale", "until", "written",
    )  # fmt: skip

    key: str
    first_line: bytes
    fields: tuple[bytes, ...]
    epoch: int
    replay: Replay

    def __init__(self, request: Request) -> None:
        self.request = request
        self.heads: list[bytes] = []
        self.bytes = 0
        self.unsettle()

    def unsettle(self) -> None:
        """It stands no longer, and holds nothing of what was stored."""
        self.hit: Hit | None = None
        self.stale = False
        self.written: Written = b""
        self.held = 0
        self.anew: Iterator[Written] | None = None
        self.since = self.rendered_from = inf
        self.until = self.rendered_until = -inf
