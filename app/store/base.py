"""What a store does: keep and find. It never judges freshness, parses a header or reads a clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Sequence
from dataclasses import dataclass, replace
from types import coroutine
from typing import Any, Protocol

from app.core.decisions import StoredResponse
from app.core.purge_log import PurgeLog
from app.core.purging import Kind, Mode, Purge, Selector

# Variants under one key: beyond it the oldest goes, so that Vary on a random field cannot fill the store (or a lookup).
MAX_VARIANTS = 64


class StoreError(Exception):
    """A store cannot be opened, and the message says what to do; or a purge was not acknowledged. One that fails
    later is slow, and says so: its other operations raise nothing."""


class Body(Protocol):
    """A stored body that is too large to be held in memory as a whole; smaller ones are bytes."""

    def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `stop`, a piece at a time. What another drops meanwhile is still read.
        Raises OSError."""


@dataclass(frozen=True, slots=True)
class State:
    """How a store is. `size` and `limit` in bytes; `keys` how many; None where it is not known. Where `keys` is not,
    the other two are of what this process has of it. `trouble`: what is wrong in words, or None. `counts` of whatever
    happened since it was opened: evictions, errors, …"""

    kind: str
    size: int | None
    limit: int | None
    keys: int | None
    counts: dict[str, int]
    trouble: str | None = None


class Store(Protocol):
    """Where responses are kept, by cache key.

    `epoch` moves with every purge: what was found under another may have been purged since. `indexed`: by which kinds
    of selector `entries` finds without looking at everything. `shared`: other processes use what it keeps as well.
    Their changes are heard of by `catch_up`, to be called when `pulse[0]` has moved; that of a store that is not shared
    never does.
    """

    epoch: int
    indexed: frozenset[Kind]
    shared: bool
    pulse: Sequence[int] | memoryview
    log: PurgeLog

    async def open(self) -> None:
        """Be ready, on the running event loop. Raises StoreError."""

    async def aclose(self) -> None:
        """Let go of everything, and keep what was stored where it outlives the process."""

    async def advice(self) -> str | None:
        """What its operator should set otherwise where things are kept, in words."""

    async def lookup(self, key: str) -> Sequence[StoredResponse]:
        """Every response under the key; those that were purged after they were fetched say by what (`purge`)."""

    def find(self, key: str) -> Sequence[StoredResponse] | None:
        """The same at once; None where it needs to be waited for."""

    async def save(self, stored: StoredResponse) -> None:
        """Keep it, in place of the one of the same variant, unless that is newer or missed no purge as this has.

        Its body is bytes, of any size."""

    async def replace(self, old: StoredResponse, new: StoredResponse) -> None:
        """Keep `new` in place of `old`, if that is still there: what came later, or was dropped, stays as it is. The
        body of `new` is that of `old`, whatever that is."""

    async def remove(self, stored: StoredResponse) -> None:
        """Drop the one of the same variant."""

    async def clear(self) -> int:
        """Drop all that has been saved until now, and what is left of deleted responses. Returns how many there were,
        without these."""

    async def purge(self, purge: Purge) -> int:
        """Append to the log. Whoever looks up after this has returned sees it. Returns its number.

        Raises StoreError where others who share the store may not have heard of it. This process obeys it all the
        same, and tells them when it can."""

    def purged_since(self, key: str, number: int) -> bool:
        """Whether a purge after that number may name what has been fetched for the key since."""

    def purge_number(self) -> int:
        """The number of the last purge: what is fetched from now on is not touched by it."""

    def entries(self, selector: Selector | None = None) -> AsyncIterator[StoredResponse]:
        """All that is kept, or what the selector names, purged or not. Bodies may be missing; others get their turn in
        between, and what changes meanwhile may or may not be seen."""

    async def count(self, selector: Selector, now: float) -> int | None:
        """How many of those that `entries` tells of are not deleted at that HTTP time; None where each must be looked
        at."""

    async def sweep(self) -> int:
        """Give back what deleted responses take. Returns how many were swept."""

    def touch(self, key: str) -> None:
        """Count as a use of the key that it was answered without a lookup."""

    def watch(self, listener: Callable[[str], None]) -> None:
        """Call the listener with the key whenever what is kept under it has changed, or had to make room for others."""

    def catch_up(self) -> None:
        """Hear of what other processes have changed: listeners are called, `epoch` moves."""

    async def lease(self, key: str, seconds: float) -> bool:
        """Whether we are the one of all who share the store to refresh this key, for so long or until `release`."""

    async def release(self, key: str) -> None:
        """Give the lease back."""

    async def mark(self, key: str, *, cacheable: bool) -> None:
        """Tell the others that the key's responses cannot be shared, or now can."""

    def watch_marks(self, listener: Callable[[str, bool], None]) -> None:
        """Call the listener with what others have marked: the key, and whether it is cacheable."""

    def state(self) -> State: ...


def marked(log: PurgeLog, stored: StoredResponse) -> StoredResponse:
    """A kept response as a lookup tells of it: with the purge that hit it."""
    if stored.fetched_under >= log.number or is_husk(stored):
        return stored
    return stored.purged(log.strongest(stored.key, stored.tags, stored.fetched_under))


def all_marked(log: PurgeLog, variants: tuple[StoredResponse, ...]) -> tuple[StoredResponse, ...]:
    """The variants of a key as a lookup tells of them: the very same where no purge came after they were fetched."""
    if any(one.fetched_under < log.number for one in variants):
        return tuple([marked(log, one) for one in variants])
    return variants


def unmarked(stored: StoredResponse) -> StoredResponse:
    """A response as it is kept."""
    return stored if is_husk(stored) else stored.purged(None)


def superseded(kept: StoredResponse, by: StoredResponse) -> bool:
    """Whether a response that comes may take the place of one that is kept: not when that answered later, or was asked
    for after a purge that this one has missed."""
    return kept.number <= by.number and kept.fetched_under <= by.fetched_under


def added(variants: Sequence[StoredResponse], stored: StoredResponse) -> tuple[StoredResponse, ...] | None:
    """The variants of a key with one more, or with one in another's place; None where that must stay."""
    if any(one.variant == stored.variant and not superseded(one, stored) for one in variants):
        return None
    return (*without(variants, stored)[1 - MAX_VARIANTS :], stored)


def renewed(
    variants: Sequence[StoredResponse], old: StoredResponse, new: StoredResponse
) -> tuple[StoredResponse, ...] | None:
    """The variants of a key with `new` in the place of `old`; None where that is not among them, or only its husk."""
    if not any(same(one, old) and not is_husk(one) for one in variants):
        return None
    return (*[one for one in variants if not same(one, old) and one.variant != new.variant], new)


def without(variants: Sequence[StoredResponse], stored: StoredResponse) -> tuple[StoredResponse, ...]:
    """The variants of a key but for the one like this."""
    return tuple([one for one in variants if one.variant != stored.variant])


def same(one: StoredResponse, other: StoredResponse) -> bool:
    """Whether both are one answer of the origin."""
    return one.variant == other.variant and one.number == other.number


def deleted(stored: StoredResponse) -> bool:
    """Whether a marked response is there for nobody any more, and still takes room. One that will be deleted at its
    deadline is left: only a clock could tell."""
    return stored.purge is not None and stored.purge.mode is Mode.HARD and not is_husk(stored)


def husk(stored: StoredResponse) -> StoredResponse:
    """What is left of a deleted response: that it was there, and which purge deleted it."""
    return replace(stored, body=b"", size=0, head=b"")


def is_husk(stored: StoredResponse) -> bool:
    return not stored.head


@coroutine
def turn() -> Generator[None, None, None]:
    """Let everybody else who is ready have a turn of the event loop."""
    yield


class Alone:
    """What a store says that nobody shares."""

    indexed: frozenset[Kind] = frozenset()
    shared = False
    pulse: Sequence[int] = (0,)

    async def open(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def advice(self) -> str | None:
        return None

    def catch_up(self) -> None:
        pass

    async def lease(self, key: str, seconds: float) -> bool:
        return True

    async def release(self, key: str) -> None:
        pass

    async def mark(self, key: str, *, cacheable: bool) -> None:
        pass

    def watch_marks(self, listener: Callable[[str, bool], Any]) -> None:
        pass
