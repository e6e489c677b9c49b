"""What goes on all the time while a store is open: follow the news, pay what is owed, and so earn the trust."""

from __future__ import annotations

import asyncio

from app.core.purging import Kind, Mode, Purge, Selector
from app.store.base import StoreError
from app.store.redis.news import News
from app.store.redis.trust import Trust

# Seconds between two readings while there is news, so that many pieces are read as one; and after a failure, at first
# and at most.
BREATH, FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.05, 1.0
# So many purges may be owed, each once; who owes more owes everything.
MOST_OWED = 1_000

EVERYTHING = Purge(Mode.VALIDATE, Selector(Kind.ALL))


class Follower:
    """Follows the news of one store, and holds the purges that Redis was not there to take.

    What is owed applies here at once: while there is any, nothing counts as known, in the tier or in Redis.
    """

    def __init__(self, news: News, trust: Trust) -> None:
        self._news, self._trust = news, trust
        self._owed: dict[tuple[str, Mode], Purge] = {}
        self._closing = asyncio.Event()

    @property
    def owes(self) -> int:
        """How many purges."""
        return len(self._owed)

    def owe(self, purge: Purge) -> None:
        """Send it as soon as that can be done."""
        self._trust.withdraw()
        if len(self._owed) >= MOST_OWED:
            self._owed.clear()
            purge = EVERYTHING
        self._owed[purge.selector.name, purge.mode] = purge

    def may_name(self, key: str) -> bool:
        """Whether a purge that is owed may name what is fetched for the key, whose tags are not known."""
        return any(one.selector.kind is Kind.TAG or one.selector.selects(key, ()) for one in self._owed.values())

    async def start(self) -> None:
        """Raises StoreError."""
        await self._news.level(None)
        await self._once()

    def close(self) -> None:
        self._closing.set()

    async def run(self) -> None:
        """Until `close`."""
        pause = 0.0
        while not self._closing.is_set():
            try:
                if not self._news.log:
                    await self._news.level(None)
                before = self._news.position
                await self._once()
                pause = 0.0
                if self._news.position != before:
                    await self._wait(BREATH)
            except StoreError:
                pause = min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)
                await self._wait(pause)

    async def _once(self) -> None:
        for place, purge in list(self._owed.items()):
            await self._news.purge_apart(purge)
            if self._owed.get(place) is purge:
                del self._owed[place]
        known = await self._news.follow()
        if known is not None and not self._owed:
            self._trust.extend(known)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass
