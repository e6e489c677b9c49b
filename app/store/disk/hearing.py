"""What a process holds of the store in its memory, kept true to what all processes change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.core.purge_log import PurgeLog
from app.core.purging import Selector
from app.store.disk import changes, purging
from app.store.disk.changes import Changed, Marked, Purged
from app.store.disk.layout import number, value_of
from app.store.disk.tables import Reading, Tables
from app.store.disk.tier import Tier
from app.store.disk.words import Words


@dataclass(slots=True)
class News:
    """What was read of the log of changes: whose variants have changed, and what others have marked."""

    keys: dict[str, None] = field(default_factory=dict)
    marks: list[Marked] = field(default_factory=list)


# What no pulse is.
UNHEARD = -1


class Hearing:
    """`heard` is the pulse as it was before the changes were last read, `seen` the number of the last one. `telling`:
    listeners are being called, who may ask the store, and must not make it forget or hear of anything else."""

    def __init__(self, tier: Tier, origin: bytes) -> None:
        self.tier = tier
        self.log = PurgeLog(purging.LENGTH)
        self.heard = UNHEARD
        self.seen = 0
        self.telling = False
        self.listeners: list[Callable[[str], None]] = []
        self.mark_listeners: list[Callable[[str, bool], None]] = []
        self._origin = origin

    def begin(self, tables: Tables, words: Words) -> None:
        """Start from what is there."""
        self.heard = words.pulse[0]
        with tables.begin() as txn:
            self.seen = tables.totals(txn).change
            purging.load(self.log, txn, tables)
        self.log.raise_floor(words.floor)

    def catch_up(self, tables: Tables, words: Words) -> None:
        """Hear of every change since. Raises lmdb.Error: then anything may have happened, and nothing is held."""
        pulse, self.heard = words.pulse[0], UNHEARD  # before the snapshot is taken: words.py says why
        if words.floor > self.log.floor:
            self.log.raise_floor(words.floor)
        try:
            with tables.begin() as txn:
                news = self._read(txn, tables)
        except BaseException:
            self.tell(self.tier.empty())
            raise
        self.heard = pulse
        for key in news.keys:
            self.tier.pop(key, None)
        self.tell(news.keys)
        for mark in news.marks:
            for listener in self.mark_listeners:
                listener(*mark)

    def forget(self) -> None:
        """All that was fetched until now counts as purged."""
        self.log.raise_floor(self.log.number + 1)
        self.tell(self.tier.empty())

    def unsaid(self, tables: Tables) -> list[Selector]:
        """What is in force, where those who share the tables do not agree with us: theirs before ours. Raises
        lmdb.Error."""
        log = PurgeLog(purging.LENGTH)
        with tables.begin() as txn:
            purging.load(log, txn, tables)
        ours, theirs = ({one.kind: one for one in each.in_force} for each in (self.log, log))
        return [one for kind, one in {**ours, **theirs}.items() if ours.get(kind) != theirs.get(kind)]

    def tell(self, keys: Iterable[str]) -> None:
        self.telling = True
        try:
            for key in keys:
                for listener in self.listeners:
                    listener(key)
        finally:
            self.telling = False

    def tell_dropped(self) -> None:
        """Of what had to make room in the tier."""
        if self.tier.dropped:
            dropped, self.tier.dropped = self.tier.dropped, []
            self.tell(dropped)

    def _read(self, txn: Reading, tables: Tables) -> News:
        totals, news = tables.totals(txn), News()
        if totals.change == self.seen:
            return news
        if totals.first_change > self.seen + 1 or totals.change < self.seen:  # some are not known any more
            purging.load(self.log, txn, tables)
            news.keys = dict.fromkeys(self.tier)
        else:
            with txn.cursor(db=tables.changes) as cursor:
                there = cursor.set_range(number(self.seen + 1))
                while there and value_of(cursor.key()) <= totals.change:
                    self._hear(cursor.value(), news)
                    there = cursor.next()
        self.seen = totals.change
        return news

    def _hear(self, row: memoryview, news: News) -> None:
        change, origin = changes.parsed(row)
        match change:
            case Changed(key):
                news.keys[key] = None
            case Marked():
                if origin != self._origin:
                    news.marks.append(change)
            case Purged(at, purge):
                self.log.record(at, purge)
            case None:  # a purge that cannot be read may have named anything
                self.log.raise_floor(self.log.number + 1)
