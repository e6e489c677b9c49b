"""Who refreshes a key, of all processes that share the store: a row for each lease, in the machine's monotonic time."""

from __future__ import annotations

from app.store.disk.layout import number, place_of_key, value_of
from app.store.disk.writing import Writing

# Leases that were never given back are forgotten when there are so many.
MOST_LEASES = 1_000


def lease(to: Writing, key: str, now: int, until: int) -> bool:
    """Whether nobody else has the lease, in nanoseconds; now we have."""
    place = place_of_key(key)
    if int(to.txn.stat(to.tables.leases)["entries"]) >= MOST_LEASES:
        _forget(to, now)
    held = to.txn.get(place, db=to.tables.leases)
    if held is not None and value_of(held[:8]) > now and held[8:] != to.origin:
        return False
    to.txn.put(place, number(until) + to.origin, db=to.tables.leases)
    return True


def release(to: Writing, key: str) -> None:
    place = place_of_key(key)
    held = to.txn.get(place, db=to.tables.leases)
    if held is not None and held[8:] == to.origin:
        to.txn.delete(place, db=to.tables.leases)


def _forget(to: Writing, now: int) -> None:
    """Those that have run out."""
    with to.txn.cursor(db=to.tables.leases) as cursor:
        there = cursor.first()
        while there:
            there = cursor.delete() if value_of(cursor.value()[:8]) <= now else cursor.next()
