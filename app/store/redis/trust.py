"""For how long what is in this process may be used without asking Redis.

The follower (news.py) proves again and again that it knows every purge that there was up to some moment. From that
moment on its knowledge, and whatever rests on it, stands for BOUND seconds and no longer. The memo compares `[0]` with
what it saw last on each hit, so the question is asked there as well, of the clock itself: a timer would be late just
when the event loop is, and then an answer would go out that nobody vouches for. It costs 0.2 µs.

So: an answer that begins more than BOUND seconds after a purge was acknowledged, anywhere, has seen it. What is not
promised: a process that is stopped (SIGSTOP, a virtual machine that is moved) between the question and its write; and
the monotonic clock stands still while a whole machine sleeps, on Linux.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from time import monotonic
from typing import Any

BOUND = 0.25


class Trust(Sequence[int]):
    """`[0]` moves when the trust is over, and when there is news."""

    def __init__(self, bound: float = BOUND, clock: Callable[[], float] = monotonic) -> None:
        self.bound = bound
        self._clock = clock
        self.losses = self.moves = 0
        self._until = -inf
        self._over = True

    def stands(self) -> bool:
        if self._clock() <= self._until:
            return True
        if not self._over:
            self._over = True
            self.losses += 1
            self.moves += 1
        return False

    def extend(self, known: float) -> None:
        """Everything is known that happened up to then (monotonic)."""
        self._until = max(self._until, known + self.bound)
        self._over = False

    def withdraw(self) -> None:
        """Something is not known, whatever was thought so far."""
        self._until = -inf

    def __getitem__(self, index: Any) -> Any:
        if self._clock() > self._until:
            self.stands()
        return self.moves

    def __len__(self) -> int:
        return 1
