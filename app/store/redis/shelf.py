"""Responses in Redis: read, written, listed and swept. Everything here raises StoreError when Redis does not answer."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence

from app.core.decisions import StoredResponse
from app.core.purging import Selector
from app.store.base import deleted, husk, is_husk, marked
from app.store.redis import scripts
from app.store.redis.layout import Names, digest, read_head, read_responses, record, seconds_kept, variant_name, written
from app.store.redis.link import Away, Link
from app.store.redis.news import News
from app.store.redis.tier import Kept

# How many keys are listed with one question, and for how long one of several may sweep without a sign of life.
AT_A_TIME = 100
SWEEPING = 60.0
A_SWEEP = "sweep"


class Shelf:
    """The responses of all who share the namespace."""

    def __init__(self, link: Link, names: Names, news: News) -> None:
        self._link, self._names, self._news = link, names, news
        self._tokens: dict[str, str] = {}

    async def read(self, key: str) -> tuple[Kept, bytes | None, bytes | None]:
        """All under a key, and the name of the log and the number of its last purge. These are asked for along with
        it, so that they count every purge that was acknowledged before the question."""
        fields, (log, number) = await self._link.ask(
            ("HGETALL", self._place(key)), ("HMGET", self._names.log, "log", "number")
        )
        return read_responses(key, fields), log, number

    async def save(self, stored: StoredResponse) -> tuple[int, int]:
        """Keep it unless what is there is newer (-1, -1). Returns how many variants there were, and are."""
        kept = int(seconds_kept(stored) * 1_000)
        answers = await self._link.ask(
            *self._listed(stored, kept),
            scripts.save(self._place(stored.key), written(stored), record(stored), stored.body, kept),
            size=stored.size,
        )
        before, count = answers[-1]
        return before, count

    async def replace(self, old: StoredResponse, new: StoredResponse) -> bool:
        """Put a new head in the place of an old one, if that is there."""
        kept = int(seconds_kept(new) * 1_000)
        answers = await self._link.ask(
            *self._listed(new, kept),
            scripts.replace(self._place(old.key), written(old)[:2], written(new), record(new), kept, old.size),
        )
        return bool(answers[-1])

    async def remove(self, stored: StoredResponse) -> bool:
        """Returns whether one of its variant was there."""
        variant = variant_name(stored)
        (gone,) = await self._link.ask(("HDEL", self._place(stored.key), f"h{variant}", f"b{variant}"))
        return bool(gone)

    async def all(self, selector: Selector | None) -> AsyncIterator[StoredResponse]:
        """All that the selector names, without bodies and husks."""
        place = None if selector is None else self._names.list_for(self._news.log, selector)
        async for batch in _batches(self._keys() if place is None else self._keys_in(place)):
            for key, heads in zip(batch, await self._heads(batch), strict=True):
                found = [one for one in heads if not is_husk(one)]
                named = [one for one in found if selector is None or selector.selects(one.key, one.tags)]
                for one in named:
                    yield one
                if place is not None and not any(place in self._names.lists(self._news.log, one) for one in heads):
                    await self._link.ask(("SREM", place, key.rpartition(":")[2]))

    async def every(self) -> AsyncIterator[StoredResponse]:
        """All, husks too, without bodies."""
        async for batch in _batches(self._keys()):
            for one in [one for heads in await self._heads(batch) for one in heads]:
                yield one

    async def sweep(self) -> AsyncIterator[str]:
        """Make husks of what is deleted, if nobody else does. Tells the key of each."""
        if not await self.lease(A_SWEEP, SWEEPING):
            return
        try:
            async for one in self.every():
                if deleted(told := marked(self._news.purges, one)) and await self._husk(told):
                    yield one.key
        finally:
            await self.release(A_SWEEP)

    async def lease(self, key: str, seconds: float) -> bool:
        token = secrets.token_hex(8)
        (given,) = await self._link.ask(("SET", self._names.lease(key), token, "NX", "PX", int(seconds * 1_000)))
        if given:
            self._tokens[key] = token
        return bool(given)

    async def release(self, key: str) -> None:
        """Give back a lease of ours, if it has not ended and gone to another."""
        if (token := self._tokens.pop(key, None)) is not None:
            await self._link.ask(scripts.release(self._names.lease(key), token))

    def _place(self, key: str) -> str:
        if not self._news.log:
            raise Away("the purge log is not known yet")
        return self._names.responses(self._news.log, digest(key))

    def _listed(self, stored: StoredResponse, kept: int) -> list[scripts.Command]:
        """Before the response itself, so that none is kept that its path and its tags do not lead to."""
        of_key = digest(stored.key)
        return [scripts.enlist(place, of_key, kept) for place in self._names.lists(self._news.log, stored)]

    async def _keys(self) -> AsyncIterator[str]:
        async for key in self._link.keys(self._names.responses(self._news.log, "*")):
            yield key.decode()

    async def _keys_in(self, place: str) -> AsyncIterator[str]:
        cursor: bytes | int = 0
        while True:
            ((cursor, members),) = await self._link.ask(("SSCAN", place, cursor, "COUNT", 1_000))
            for member in members:
                yield self._names.responses(self._news.log, member.decode())
            if int(cursor) == 0:
                return

    async def _heads(self, keys: Sequence[str]) -> list[list[StoredResponse]]:
        answers = await self._link.ask(*[scripts.heads(key) for key in keys])
        return [[one for head in heads if (one := read_head(head)) is not None] for heads in answers]

    async def _husk(self, stored: StoredResponse) -> bool:
        (done,) = await self._link.ask(scripts.husk(self._place(stored.key), written(stored), record(husk(stored))))
        return bool(done)


async def _batches(keys: AsyncIterator[str]) -> AsyncIterator[list[str]]:
    batch: list[str] = []
    async for key in keys:
        batch.append(key)
        if len(batch) == AT_A_TIME:
            yield batch
            batch = []
    if batch:
        yield batch
