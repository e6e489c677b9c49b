"""What is kept under a key: in this process's memory, else on disk, where a large body may have to be waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from app.core.decisions import StoredResponse
from app.store.base import all_marked
from app.store.disk.health import FAILURES, Health
from app.store.disk.hearing import Hearing
from app.store.disk.opening import Opened
from app.store.disk.reading import places_of, read_files, variants_of
from app.store.disk.tier import Held

# Bodies up to this size are held in memory once they were read.
MOST_HELD = 2**20

_NOTHING = Held((), ())


class Finding:
    """`hear`: of what others have changed. Returns whether we could: else nothing is there."""

    def __init__(self, opened: Opened, hearing: Hearing, health: Health, hear: Callable[[], bool]) -> None:
        self._tables, self._words, self._bodies, self._used = (
            opened.tables,
            opened.words,
            opened.bodies,
            opened.words.used,
        )
        self._hearing, self._tier, self._log = hearing, hearing.tier, hearing.log
        self._health, self._hear = health, hear

    async def lookup(self, key: str) -> Sequence[StoredResponse]:
        found = self.find(key)
        return await self._waited_for(key) if found is None else found

    def find(self, key: str) -> Sequence[StoredResponse] | None:
        if not self._hear():
            return ()
        held = self._tier.get(key)
        if held is None and (held := self._read(key)) is None:
            return None
        return self._shown(held)

    def _shown(self, held: Held) -> Sequence[StoredResponse]:
        """The variants, marked, and noted as used."""
        self._use(held)
        return all_marked(self._log, held.variants)

    def _use(self, held: Held) -> None:
        for slot in held.slots:
            if not self._used[slot]:  # to write would have other processors fetch it again
                self._used[slot] = 1

    def _read(self, key: str) -> Held | None:
        """From LMDB. None where files must be waited for."""
        try:
            held = read_files(self._from_disk(key), MOST_HELD, wait=False)
        except FAILURES as error:
            self._health.failed("read", error)
            return _NOTHING
        if held is not None and held.variants and not self._hearing.telling:
            self._tier.hold(key, held)
            self._hearing.tell_dropped()
        return held

    def _from_disk(self, key: str) -> Held:
        return variants_of(key, self._tables, self._bodies, self._words.slots)

    async def _waited_for(self, key: str) -> Sequence[StoredResponse]:
        seen = self._seen()
        try:
            found = self._from_disk(key)
            held = await asyncio.to_thread(read_files, found, MOST_HELD, wait=True)
        except FAILURES as error:
            self._health.failed("read", error)
            return ()
        assert held is not None
        if not self._hear():
            return ()
        if self._seen() == seen:  # nothing has changed since
            self._tier.hold(key, held)
            self._hearing.tell_dropped()
        return self._shown(held)

    def _seen(self) -> tuple[int, int]:
        """What has been heard of: changes, and that another folder was begun."""
        return self._hearing.seen, self._log.floor

    def touch(self, key: str) -> None:
        held = self._tier.get(key)
        if held is not None:
            self._use(held)
            return
        try:
            for place in places_of(key, self._tables):
                self._used[place % self._words.slots] = 1
        except FAILURES as error:
            self._health.failed("read", error)
