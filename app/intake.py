"""Bodies on their way into the store, while others read along."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from app.core.concluding import hold
from app.core.decisions import Forward, StoredResponse
from app.flights import ClientGone, Landing, OwnBody
from app.spool import Spool, SpoolError
from app.surroundings import Surroundings
from app.upstream.errors import UpstreamError

# How long a body that nobody reads may still come in: to fill the store is worth a while, not a connection for ever.
UNATTENDED = 60.0


class Intake:
    """Takes in what shall be kept. All bodies under way share one budget of memory."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around

    async def take(
        self, forward: Forward, landing: Landing, stored: StoredResponse, ended: Callable[[], None]
    ) -> Landing:
        """Keep the body of `landing`: at once what is at hand, else while it comes in."""
        if landing.own is not None:
            return self.begin(forward, landing, stored, ended)
        size = len(landing.page)
        if size <= self.around.ruling.of(forward.request).max_body:
            await self.around.store.save(replace(stored, body=landing.page, size=size))
        elif forward.stored is not None and forward.background:
            await self.around.store.remove(forward.stored)  # the origin's answer is another now, and cannot be kept
        return landing

    def begin(self, forward: Forward, landing: Landing, stored: StoredResponse, ended: Callable[[], None]) -> Landing:
        """Begin to read the body of `landing`, and call `ended` when nothing of it is to come. The owner's reader
        stands in the landing that is returned; a refresh has no owner."""
        assert landing.own is not None
        spool = Spool(self.around.ruling.of(forward.request).max_body, self.around.room)
        reader = None if forward.background else spool.reader()
        body, own = landing.own, None if reader is None else OwnBody(reader, reader.aclose)
        self.around.tasks.start(self._take_in(body, spool, stored, forward, ended), f"take in {stored.key}")
        return replace(landing, spool=spool, own=own)

    async def _take_in(
        self, body: OwnBody, spool: Spool, stored: StoredResponse, forward: Forward, ended: Callable[[], None]
    ) -> None:
        """Read a body to its end and keep it. One that breaks off is kept by nobody, and what was stored stays."""
        error: BaseException | None = None
        try:
            async with patience(spool, UNATTENDED if forward.background else None):
                async for chunk in body.chunks:
                    await spool.append(chunk)
            if not spool.overflowed:
                await self.around.store.save(replace(stored, body=spool.whole(), size=spool.size))
        except (UpstreamError, SpoolError, ClientGone, TimeoutError) as failure:
            error = failure
        except BaseException as failure:
            error = failure
            raise
        finally:
            spool.finish(error)
            ended()
            await body.aclose()
        if forward.stored is not None:
            await self._without(forward, forward.stored, spool, error)

    async def _without(self, forward: Forward, old: StoredResponse, spool: Spool, error: BaseException | None) -> None:
        """What becomes of the response that should have been renewed when the new one could not be kept."""
        if spool.too_large and forward.background:
            await self.around.store.remove(old)  # the origin's answer is another now, and cannot be kept
        elif isinstance(error, UpstreamError) or (forward.background and error is not None):
            self.around.journal.counters.refresh_failures += int(forward.background)
            rules = self.around.ruling.of(forward.request)
            await self.around.store.replace(old, hold(old, self.around.clock.now(), rules))


@asynccontextmanager
async def patience(spool: Spool, seconds: float | None) -> AsyncIterator[None]:
    """TimeoutError when nobody has read the spool for UNATTENDED seconds; `seconds`: what is left at the start."""
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(seconds) as timeout:

        def give(attended: bool) -> None:
            if not timeout.expired():
                timeout.reschedule(None if attended else clock() + UNATTENDED)

        spool.attended = give
        try:
            yield
        finally:
            spool.attended = lambda _: None
