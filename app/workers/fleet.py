"""The workers and their supervisor as one: asked together, and what they answer put together."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from time import monotonic
from typing import Any

from app.counters import Counters
from app.fleet import About, OneProcess, Report, Workforce
from app.journal import RING, Event, Fits, Journal, Page
from app.store.base import State
from app.workers.channel import Question, ReportNow, Reset, TellAbout, TellEvents, TellNewest
from app.workers.peer import Peer, Unanswered
from app.workers.staff import Staff

# How long a worker may take to answer, in seconds: it may be in the middle of something, and asks nobody else.
PATIENCE = 2.0
# How many events are asked for at a time, and how many where the last time was less than so many seconds ago.
SELDOM, OFTEN = 0.25, RING // 4

log = logging.getLogger("swerve")


class Workers:
    """A Fleet. Of a worker that does not answer, what it has told last is counted. `own` is the supervisor's process:
    it purges too."""

    def __init__(self, staff: Staff, own: OneProcess) -> None:
        self._staff, self._own = staff, own
        self._mirror = Journal()  # of what all have answered, for its numbers alone: its counters are nobody's
        self._catching_up = asyncio.Lock()
        self._pulls = 0
        self._pulled = -inf

    @property
    def workforce(self) -> Workforce:
        return self._staff.workforce

    async def report(self) -> Report:
        counters, counts = Counters(), Counter[str]()
        own, staff = self._own.present(), self._staff
        counters.add(own.counters)
        counters.add(staff.gone)  # before somebody ends whom we ask, or it would count twice
        counts.update(own.store.counts)
        counts.update(staff.gone_counts)
        asked = await self._ask(ReportNow())
        reports = [answer or peer.last for peer, answer in asked]
        told = [one for one in reports if one is not None]
        for one in told:
            counters.add(one.counters)
            counts.update(one.store.counts)
        store = replace(as_one([own.store, *(one.store for one in told)]), counts=dict(counts))
        flights, refreshing = sum(one.flights for one in told), sum(one.refreshing for one in told)
        return Report(counters, store, own.flights + flights, own.refreshing + refreshing)

    async def events(self, limit: int = RING) -> list[Event]:
        """In the order in which they ended, by HTTP time: it is what the workers have in common."""
        merged = await self._own.events(limit)
        for _, events in await self._ask(TellEvents(limit)):
            merged += events or ()
        return sorted(merged, key=_ended_at)[-limit:]

    async def since(self, number: int, most: int, fits: Fits | None = None) -> Page:
        await self._catch_up()
        return self._mirror.since(number, most, fits)

    async def last(self) -> int:
        await self._catch_up()
        return self._mirror.last

    async def about(self, key: str) -> About:
        answers = [await self._own.about(key)]
        answers += [answer for _, answer in await self._ask(TellAbout(key)) if answer is not None]
        exchanges = [one.exchange for one in answers if one.exchange is not None]
        newest = max(exchanges, key=lambda exchange: exchange.number, default=None)
        return About(newest, any(one.in_flight for one in answers), any(one.uncacheable for one in answers))

    async def reset(self) -> None:
        await self._own.reset()
        self._mirror.reset()
        self._staff.gone, self._staff.gone_counts = Counters(), Counter()
        for peer, _ in await self._ask(Reset()):
            peer.last = None

    async def _catch_up(self) -> None:
        """Hear of all events that there are now, unless somebody who has come later does so before us."""
        pulls = self._pulls
        async with self._catching_up:
            if self._pulls > pulls:
                return
            self._pulls += 1
            # Who looks all the time need not have all: making them costs the workers time that clients wait for.
            most = RING if monotonic() - self._pulled > SELDOM else OFTEN
            self._pulled = monotonic()
            peers = [peer for peer in self._staff.present.values() if peer.serves]
            pages = await asyncio.gather(*(_answer(one, TellNewest(one.heard, most)) for one in peers))
            self._take([(peer, page) for peer, page in zip(peers, pages, strict=True) if page is not None])

    def _take(self, pages: list[tuple[Peer, Page]]) -> None:
        if missed := sum(page.missed for _, page in pages):
            self._mirror.skip(missed)
        for event in sorted((event for _, page in pages for _, event in page.events), key=_ended_at):
            self._mirror.record(event)
        for peer, page in pages:
            peer.heard = page.last

    async def _ask(self, question: Question) -> list[tuple[Peer, Any]]:
        """What each worker answers, or None."""
        peers = list(self._staff.present.values())
        return list(zip(peers, await asyncio.gather(*(_answer(one, question) for one in peers)), strict=True))


def as_one(states: Sequence[State]) -> State:
    """A store of which each process has its own part in memory is as large as all of them; another is the same for
    all, but that one may have met a full disk before the others."""
    first = states[0]
    trouble = next((one.trouble for one in states if one.trouble), None)
    if first.keys is not None or first.size is None:
        limit = min((one.limit for one in states if one.limit is not None), default=None)
        return replace(first, limit=limit, trouble=trouble)
    size, limit = sum(one.size or 0 for one in states), sum(one.limit or 0 for one in states)
    return replace(first, size=size, limit=limit, trouble=trouble)


async def _answer(peer: Peer, question: Question) -> Any:
    if not peer.serves:  # it has nothing to tell yet
        return None
    try:
        return await peer.ask(question, PATIENCE)
    except Unanswered as error:
        log.warning("%s", error)
        return None


def _ended_at(event: Event) -> float:
    return event.at + event.duration
