"""All workers: each is replaced when it dies, until they are told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from time import monotonic

from app.counters import Counters
from app.fleet import Workforce
from app.reloading import NotTakenUp
from app.settings import Settings
from app.workers.channel import Change, Setup, Stop
from app.workers.peer import Gone, Peer, Unanswered, started

# Whoever ends before it serves will do so again: so many times in a row, and there is no use in going on.
MOST_FALSE_STARTS = 5
# Who has lived so few seconds is not replaced at once, but after a while that doubles up to the longest.
SHORT_LIFE = 2.0
FIRST_WAIT, LONGEST_WAIT = 0.1, 1.6
# How many seconds beyond `drain` workers may take to end before they are killed, and when they shall end at once.
GRACE, GRACE_AT_ONCE = 1.0, 0.5
# How long a worker may take to answer by other settings, in seconds: it may just be starting.
PATIENCE = 10.0

log = logging.getLogger("swerve")


class Staff:
    """`gone` and `gone_counts`: what those that have ended had counted, and what their stores had. `setup` is for any
    of them; there is a socket for each."""

    def __init__(self, setup: Setup, listening: Sequence[socket.socket], lock: int) -> None:
        self._setup, self._listening, self._lock = setup, listening, lock
        self.present: dict[int, Peer] = {}
        self.gone, self.gone_counts = Counters(), Counter[str]()
        self.failed = False
        self._restarts = 0
        self._stopping, self._ready = asyncio.Event(), asyncio.Event()

    @property
    def workforce(self) -> Workforce:
        up = sum(peer.serves for peer in self.present.values())
        return Workforce(len(self._listening), up, self._restarts)

    async def ready(self) -> bool:
        """Wait until all serve. False: they were told to stop before."""
        await self._ready.wait()
        return not self._stopping.is_set()

    async def work(self) -> None:
        """Have a worker in every place until all were told to stop, and have ended."""
        await asyncio.gather(*(self._fill(number, one) for number, one in enumerate(self._listening, 1)))

    async def change(self, settings: Settings) -> None:
        """Have all answer by these settings, those that start from now on too. Returns when they do. Raises
        NotTakenUp."""
        self._setup = replace(self._setup, settings=settings)
        troubles = await asyncio.gather(*(self._told(peer, settings) for peer in list(self.present.values())))
        if found := [trouble for trouble in troubles if trouble is not None]:
            raise NotTakenUp(f"{'; '.join(found)}; the others answer by the new settings")

    async def _told(self, peer: Peer, settings: Settings) -> str | None:
        """What is wrong, if one does not answer by them. Who ends meanwhile is replaced by one that does."""
        try:
            trouble: str | None = await peer.ask(Change(settings), PATIENCE)
        except Gone:
            return None
        except Unanswered as error:
            return str(error)
        return None if trouble is None else f"{peer.name}: {trouble}"

    def stop(self) -> None:
        """Let them end what is under way; the second time have them end at once. Who does not is killed."""
        at_once = self._stopping.is_set()
        self._stopping.set()
        self._ready.set()
        for listening in self._listening:  # or clients would wait here for somebody to accept them
            listening.close()
        for peer in self.present.values():
            peer.tell(Stop(at_once))
        grace = GRACE_AT_ONCE if at_once else self._setup.settings.drain + GRACE
        asyncio.get_running_loop().call_later(grace, self._kill)

    def _kill(self) -> None:
        for peer in self.present.values():
            log.warning("%s has not ended in time and is killed", peer.name)
            peer.kill()

    async def _fill(self, number: int, listening: socket.socket) -> None:
        """Have one place filled."""
        false_starts, wait = 0, 0.0
        while not self._stopping.is_set():
            since = monotonic()
            hopeful, how = await self._one(number, listening)
            if self._stopping.is_set():
                return
            false_starts = 0 if hopeful else false_starts + 1
            if false_starts > MOST_FALSE_STARTS:
                log.error("%s, %d times in a row before it served: Swerve gives up", how, false_starts)
                self.failed = True
                self.stop()
                return
            log.warning("%s; another takes its place", how)
            self._restarts += 1
            wait = min(max(2 * wait, FIRST_WAIT), LONGEST_WAIT) if monotonic() - since < SHORT_LIFE else 0.0
            await self._pause(wait)

    async def _one(self, number: int, listening: socket.socket) -> tuple[bool, str]:
        """A worker from its start to its end. Returns whether the next one may serve, and in words how it ended."""
        try:
            peer = await started(number, listening, self._lock)
        except OSError as error:
            return False, f"worker {number} cannot be started ({error})"
        # Told and known at once: settings that change meanwhile reach it one way or the other.
        peer.tell(replace(self._setup, number=number))
        self.present[number] = peer
        if self._stopping.is_set():
            peer.tell(Stop())
        code = await peer.ended(self._one_more_serves)
        del self.present[number]
        if peer.last is not None:
            self.gone.add(peer.last.counters)
            self.gone_counts.update(peer.last.store.counts)
        by_others = code == -signal.SIGKILL  # nobody does that to itself
        return peer.serves or by_others, f"{peer.name} {_ending(code)}"

    def _one_more_serves(self) -> None:
        if self.workforce.up == len(self._listening):
            self._ready.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


def _ending(code: int) -> str:
    if code >= 0:
        return f"has ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"was ended by signal {-code}"
