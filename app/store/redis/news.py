"""The purge log as all who share a Redis know it, and what else they tell each other: one stream, followed by each.

**Places.** A piece of news takes as its place in the stream the time in microseconds by Redis's clock, or one more than
the last if that is later. So a place names one piece for ever, also after Redis has lost some. Purges are numbered 1,
2, 3.

**A node that lags behind** has a smaller number than the log, and what it fetches says so (`fetched_under`). That it
might have missed a purge then counts against the response: it is fetched once more. It is never the other way round, as
a node's number is that of a purge which it has recorded, along with all before it.

**Nothing is lost unseen.** Each piece names the one before it. If that is later than the one we know, the stream was
trimmed in between; if the stream ends before the piece that the log says is its last, it has gone. Then the whole log
is read anew, and the tier forgotten. If it is earlier, or if the log ends before it, is not there, or holds fewer
purges than it counts, then Redis has lost purges: whoever sees it begins the log anew, with another name and a number
above all that it has seen. What was stored under the old name is out of reach, and what is being fetched meanwhile
counts as purged. Who finds a log anew that began below what it knows itself does the same once more.

So what a failover to a replica that lags behind can lose is what no node that lives had heard of: purges of the last
moments before it. Those that any node has heard of cost the stored responses, and are not lost.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Protocol

from app.core.purge_log import PurgeLog
from app.core.purging import Mode, Purge
from app.core.slots import WHOLE
from app.store.codec import decode_purge, encode_purge
from app.store.redis import scripts
from app.store.redis.layout import Names
from app.store.redis.link import Away, Link

logger = logging.getLogger("swerve")

# Seconds for which Redis holds back its answer while there is no news, and how many pieces it gives at a time.
HELD_BACK = 0.05
AT_A_TIME = 1_000
# A server's clock counts whole milliseconds: it may answer that much early.
EARLY = 0.002

PURGE, BEGIN, CHANGE, CACHEABLE, UNCACHEABLE = "purge", "begin", "change", "cacheable", "uncacheable"

Piece = tuple[int, dict[bytes, bytes]]


class Hearer(Protocol):
    """Who acts upon the news."""

    def purged(self) -> None:
        """The log has grown."""

    def changed(self, key: str) -> None:
        """Another has changed what is kept under the key."""

    def marked(self, key: str, cacheable: bool) -> None:
        """Another has marked it."""

    def missed(self) -> None:
        """Anything may have changed."""


class News:
    """Follows the stream, and adds to it. `log` is the name of the log, or "" if it is not known yet; `position` the
    place of the last piece that is known, with all before."""

    def __init__(self, link: Link, names: Names, hearer: Hearer) -> None:
        self.purges = PurgeLog()
        self.counts = {"news": 0, "reloads": 0, "lost_logs": 0}
        self.log = ""
        self.position = 0
        self._link, self._names, self._hearer = link, names, hearer
        self._teller = secrets.token_hex(8)
        self._levelling = asyncio.Lock()

    async def follow(self) -> float | None:
        """Wait for news, for HELD_BACK seconds at most. Returns the moment (monotonic) up to which everything is known
        now, or None if that cannot be said. Raises StoreError."""
        sent, before = monotonic(), self.position
        read = (
            "XREAD", "COUNT", AT_A_TIME, "BLOCK", int(HELD_BACK * 1_000), "STREAMS", self._names.news, f"{before}-0",
        )  # fmt: skip
        there, news, seen = await self._link.ask_apart(self._where(), read, self._where(), blocked=HELD_BACK)
        pieces = _pieces(news[0][1]) if news else []
        if _lost(seen, before) or not self._apply(pieces) or self._misses(there, pieces):
            await self.level(None)
            return None
        if not pieces:
            return sent + HELD_BACK - EARLY
        return sent if len(pieces) < AT_A_TIME else None

    async def level(self, number: int | None) -> None:
        """Know every purge up to that number (None: up to now). Raises StoreError."""
        async with self._levelling:
            if number is not None and number <= self.purges.number:
                return
            before = self.position
            read = ("XRANGE", self._names.news, f"({before}-0", "+", "COUNT", AT_A_TIME)
            there, news, seen = await self._link.ask_apart(self._where(), read, self._where())
            pieces = _pieces(news)
            if _lost(seen, before) or _branched(pieces, before):
                await self._join(lost=True)
            elif len(pieces) == AT_A_TIME or not self.log or not self._apply(pieces) or self._misses(there, pieces):
                await self._join(lost=False)

    async def heard(self, log: bytes | None, number: bytes | None, before: int) -> bool:
        """Make good what a reader saw: that log, and the number of its last purge, when `before` was the last that we
        knew. Returns whether it read what it thought. Raises StoreError."""
        if log is None or number is None or log.decode() != self.log or int(number) < before:
            await self.level(None)
            return False
        await self.level(int(number))
        return self.purges.number >= int(number)

    async def purge(self, purge: Purge) -> int:
        """Tell all of a purge, and know it. Raises StoreError: perhaps nobody has heard of it."""
        return await self._purged(purge, self._link.ask)

    async def purge_apart(self, purge: Purge) -> int:
        """The same while Redis counts as away."""
        return await self._purged(purge, self._link.ask_apart)

    async def _purged(self, purge: Purge, ask: Callable[[scripts.Command], Awaitable[list[Any]]]) -> int:
        command = self._command(purge)
        (number,) = await ask(command)
        if number is None:  # there is no log, or none any more
            await self.level(None)
            (number,) = await ask(command)
        if number is None:
            raise Away("the purge log was lost twice")
        await self.level(None)
        return int(number)

    def _command(self, purge: Purge) -> scripts.Command:
        return scripts.tell(self._names, (PURGE, encode_purge(purge), self._teller), purge)

    async def tell(self, kind: str, key: str) -> None:
        """Tell the others of a key. Raises StoreError."""
        payload = key.encode("utf-8", "surrogatepass")
        await self._link.ask(scripts.tell(self._names, (kind, payload, self._teller)))

    def _where(self) -> scripts.Command:
        return ("HGET", self._names.log, "last")

    def _misses(self, there: bytes | None, pieces: Sequence[Piece]) -> bool:
        """Whether the last piece that was there before these were read is not among them: the stream has gone."""
        return len(pieces) < AT_A_TIME and self.position < int(there or 0)

    def _apply(self, pieces: Sequence[Piece]) -> bool:
        """Act upon what is new of these. False where some are missing in between, or another log begins."""
        for place, piece in pieces:
            if place <= self.position:
                continue
            kind = piece[b"k"].decode()
            if kind == BEGIN or int(piece[b"a"]) != self.position:
                return False
            self.position = place
            self.counts["news"] += 1
            if kind == PURGE:
                self._record(int(piece[b"n"]), piece[b"v"])
                self._hearer.purged()
            elif piece[b"b"] != self._teller.encode():
                self._hear(kind, piece[b"v"].decode("utf-8", "surrogatepass"))
        return True

    def _hear(self, kind: str, key: str) -> None:
        if kind == CHANGE:
            self._hearer.changed(key)
        elif kind in (CACHEABLE, UNCACHEABLE):
            self._hearer.marked(key, kind == CACHEABLE)

    def _record(self, number: int, payload: bytes) -> None:
        purge = decode_purge(payload)
        if purge is None:  # of another version, which means something that we do not know
            self.purges.raise_floor(number)
        else:
            self.purges.record(number, purge)

    async def _join(self, *, lost: bool) -> None:
        """Read the whole log, and begin it anew where it must be. What was known besides stays known: too many purges
        cost a fetch, one too few is wrong."""
        known, first = (self.log, self.purges.number, self.position), not self.log
        ((numbers, held, slots, anew),) = await self._link.ask_apart(
            scripts.join(self._names, known, lost, secrets.token_hex(4)), size=WHOLE
        )
        log, last, floor = numbers
        for number, payload in sorted(
            (int(value), rest) for value, _, rest in (one.partition(b":") for one in held[1::2])
        ):
            self._record(number, payload)
        self.purges.merge_slots(slots)
        self.purges.raise_floor(int(floor))
        self.log, self.position = log.decode(), int(last)
        self.counts["reloads"] += int(not first)
        self._hearer.missed()
        self._hearer.purged()
        if anew and not first:
            self.counts["lost_logs"] += 1
            logger.warning(
                "store: %s has lost purges: nothing that is stored there counts any more", self._link.address.shown
            )
        await self._announce_again(() if anew and not first else held[0::2])

    async def _announce_again(self, known: Sequence[bytes]) -> None:
        """What is in force must be known to those as well who come later, beside what they know in any case."""
        for selector in self.purges.in_force:
            purge = Purge(Mode.SOFT, selector)
            if scripts.place_in_log(purge).encode() not in known:
                await self._link.ask_apart(self._command(purge))


def _lost(seen: bytes | None, known: int) -> bool:
    """Whether a log that ends there has lost what we know."""
    return int(seen or 0) < known


def _branched(pieces: Sequence[Piece], known: int) -> bool:
    """Whether these follow upon an earlier piece than the last that we know: theirs is another past."""
    return bool(pieces) and pieces[0][1][b"k"] != BEGIN.encode() and int(pieces[0][1][b"a"]) < known


def _pieces(news: Any) -> list[Piece]:
    return [(int(place.split(b"-")[0]), fields) for place, fields in news]
