"""Purges as a numbered log: what was fetched before a purge that names it counts as purged, wherever it is kept.

Each purge takes the next number, and each stored response carries the number of the last purge when its request was
sent: «purged?» is a comparison of two integers for each name that a purge may call the response by. So a purge is right
about fetches in flight, and what it costs does not depend on how much is stored.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from typing import NamedTuple

from app.core.purging import EVERYTHING, HARDNESS, Kind, Mode, Purge, Selector, names_of, place_of
from app.core.slots import Half, Slots

# How many deployments are known by name: one that is forgotten is new when it is announced again.
MOST_DEPLOYMENTS = 100
# What stands for the purges that fell out of the log.
FORGOTTEN = Purge(Mode.VALIDATE, EVERYTHING)


class Numbered(NamedTuple):
    """A purge with its place in the log."""

    number: int
    purge: Purge


_NONE: dict[Mode, Numbered] = {}


class PurgeLog:
    """The last purge of each mode for each name. `number` is the last one's. `deployment` is the current one, which was
    announced last; `deployments` are those that are known, each with the number of its last announcement. By `offset`
    seconds HTTP time is ahead of the system's clock.

    The log is bounded: what falls out of it raises the floor, under which everything counts as purged, which costs a
    validation but never serves what was purged. What clients' requests spoil raises none: it has no row, but slots.
    """

    def __init__(self, length: int = 50_000) -> None:
        self.number = 0
        self.floor = 0
        self.slots = Slots()
        self._length = length
        self._last: OrderedDict[tuple[str, Mode], Numbered] = OrderedDict()
        self._named: dict[str, dict[Mode, Numbered]] = {}
        self._prefix_lengths: Counter[int] = Counter()
        self._last_of_tags = 0
        self.deployment: str | None = None
        self.deployments: dict[str, int] = {}
        self.offset = 0.0
        self._moved = 0

    def __len__(self) -> int:
        return len(self._last)

    def __iter__(self) -> Iterator[Numbered]:
        """What it has in rows, in the order in which it came."""
        return iter(sorted(self._last.values(), key=lambda numbered: numbered.number))

    def deletions(self, now: float) -> Iterator[Numbered]:
        """The purges that delete at that time, in any order."""
        return (numbered for numbered in self._last.values() if numbered.purge.mode_at(now) is Mode.HARD)

    @property
    def lasting(self) -> frozenset[int]:
        """The numbers of what is still in force."""
        return frozenset((*self.deployments.values(), self._moved))

    @property
    def in_force(self) -> Iterator[Selector]:
        """What would have to be said again to a log that knows nothing."""
        if self.deployment is not None:
            yield Selector(Kind.DEPLOYMENT, self.deployment)
        if self.offset:
            yield Selector(Kind.CLOCK, str(self.offset))

    def purge(self, purge: Purge) -> int:
        """Append a purge. Returns its number."""
        self.record(self.number + 1, purge)
        return self.number

    def record(self, number: int, purge: Purge) -> None:
        """Append a purge that has its number from elsewhere. An old number changes nothing that is newer."""
        self.number = max(self.number, number)
        if slots := purge.slots:
            self.slots.record(slots, number, purge.at)
            return
        selector, place = purge.selector, (purge.selector.place, purge.mode)
        if number <= self.floor or number < self._last.get(place, (0,))[0]:
            return
        if selector.kind is Kind.DEPLOYMENT:
            self._deployed(selector.value, number)
        elif selector.kind is Kind.CLOCK:
            self.offset, self._moved = float(selector.value), number
        if selector.kind is Kind.PREFIX and place not in self._last:
            self._prefix_lengths[len(selector.value)] += 1
        elif selector.kind is Kind.TAG:
            self._last_of_tags = max(self._last_of_tags, number)
        self._last[place] = numbered = Numbered(number, purge)
        self._last.move_to_end(place)
        self._named.setdefault(selector.place, {})[purge.mode] = numbered
        if len(self._last) > self._length:
            self._forget()

    def merge_slots(self, data: bytes | memoryview, first: int = 0) -> None:
        """Record what others hold in a row of slots, from that one on."""
        self.slots.merge(data, first)
        self.number = max(self.number, *self.slots.last)

    def _forget(self) -> None:
        """The oldest falls out of the log."""
        (name, mode), (number, purge) = self._last.popitem(last=False)
        self.floor = max(self.floor, number)
        del self._named[name][mode]
        if not self._named[name]:
            del self._named[name]
        if purge.selector.kind is Kind.PREFIX:
            self._prefix_lengths.subtract([len(purge.selector.value)])
            self._prefix_lengths += Counter()  # without those of which none is left

    def _deployed(self, name: str, number: int) -> None:
        self.deployments[name] = number
        self.deployment = max(self.deployments, key=self.deployments.__getitem__)
        if len(self.deployments) > MOST_DEPLOYMENTS:
            del self.deployments[min(self.deployments, key=self.deployments.__getitem__)]

    def raise_floor(self, number: int) -> None:
        """Count everything that was fetched under an older number as purged: what happened until then is not known."""
        self.floor, self.number = max(self.floor, number), max(self.number, number)

    def strongest(self, key: str, tags: Collection[str], under: int) -> Purge | None:
        """The hardest purge that names a response and came after it was fetched; of equals the latest."""
        if under >= self.number:
            return None
        found = list(self._naming(key, tags, under))
        if under < self.floor:
            found.append(Numbered(self.floor, FORGOTTEN))
        if not found:
            return None
        return max(found, key=lambda numbered: (HARDNESS[numbered.purge.mode], numbered.number)).purge

    def touched(self, key: str, number: int) -> bool:
        """Whether a purge after that number may name what is being fetched for a key, whose tags are not known yet."""
        if number >= self.number:
            return False
        if number < max(self.floor, self._last_of_tags, self.slots.last[Half.GROUPS]):
            return True
        return any(self._naming(key, (), number))

    def _naming(self, key: str, tags: Collection[str], under: int) -> Iterator[Numbered]:
        """What names it, of what came after that number."""
        for name in (*names_of(key, tags), *self._prefixes_of(key)):
            for one in self._named.get(name, _NONE).values():
                if one.number > under:
                    yield one
        urls, groups = self.slots.last
        if under < max(urls, groups):
            yield from self._spoiled(key, tags if under < groups else (), under)

    def _spoiled(self, key: str, tags: Collection[str], under: int) -> Iterator[Numbered]:
        """What has slots that were taken since: by itself, or by others that share them. That is not known."""
        host, target = place_of(key)
        for selector in (Selector(Kind.URL, target, host), *[Selector(Kind.TAG, tag, host) for tag in tags]):
            last = self.slots.last_of(selector.slots, under)
            if last is not None:
                yield Numbered(last[0], Purge(Mode.VALIDATE, selector, at=last[1]))

    def _prefixes_of(self, key: str) -> Iterator[str]:
        """The names of prefixes that would name it."""
        if self._prefix_lengths:
            host, target = place_of(key)
            for length in self._prefix_lengths:  # few differ, of however many prefixes
                for where in ("*", host):
                    yield f"{Kind.PREFIX} {where} {target[:length]}"
