"""An answer of the engine's that is given again, and its bytes for the present second."""

from __future__ import annotations

from math import inf

from app.core.decisions import Hit
from app.core.messages import Request
from app.journal import Replay


class Finished:
    """An answer, how long it stands, and its bytes for the present second.

    `between` is the first piece, cut at the late slots (`slots`) that stand in its head; None if none do. `request` has
    those of its fields that were looked at. `bytes`: what it takes, by our count.
    """

    __slots__ = (
        "between", "bytes", "epoch", "fields", "first_line", "heads", "hit", "key", "pieces", "rendered_from",
        "rendered_until", "replay", "request", "since", "slots", "stale", "until",
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
        self.pieces: list[bytes] = []
        self.between: list[bytes] | None = None
        self.slots: list[bytes] = []
        self.since = self.rendered_from = inf
        self.until = self.rendered_until = -inf
