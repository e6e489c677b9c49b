"""An answer of the engine's that is given again, and its bytes for the present second."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from app.anew import Anew, Written
from app.core.decisions import Hit
from app.core.messages import Request
from app.journal import Replay


class Finished:
    """An answer, how long it stands, and its bytes for the present second.

    The next of `answers` is what is written from `ready_from` until `ready_until`; where late slots stand in its head,
    `maker` makes them, and more when there is none left. `held`: how much of them is not the store's own. `request` has
    those of its fields that were looked at. `bytes`: what it takes, by our count.
    """

    __slots__ = (
        "answers", "bytes", "epoch", "fields", "first_line", "heads", "held", "hit", "key", "maker", "ready_from",
        "ready_until", "rendered_from", "rendered_until", "replay", "request", "since", "stale", "until",
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
        self.held = 0
        self.maker: Anew | None = None
        self.answers: Iterator[Written] = iter(())
        self.since = self.rendered_from = self.ready_from = inf
        self.until = self.rendered_until = self.ready_until = -inf
