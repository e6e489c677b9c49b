"""What every store does, whichever it is: keep to its size, and tell who listens."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from app.core.decisions import StoredResponse
from app.core.purging import EVERYTHING, Mode, Purge
from app.store.base import Store
from tests.core.build import row
from tests.store.conftest import Run
from tests.store.examples import (
    HOME,
    KEY,
    answer,
    fill,
    names,
    page,
    pattern,
    save,
    variant,
)
from tests.store.stores import MIB, kept

ROOM = 4 * MIB


@pytest.mark.bounded
@pytest.mark.max_size(ROOM)
@pytest.mark.parametrize("size", [10, 5_000, 150_000, 3 * MIB])
def test_it_keeps_to_its_size(store: Store, run: Run[Any], size: int) -> None:
    count = 3 * ROOM // (size + 500)
    gone = set[str]()
    store.watch(gone.add)
    run(fill(store, range(1, count + 1), size=size))
    state, left = store.state(), set(run(names(store)))
    assert state.limit == ROOM
    assert state.size is None or 0 < state.size <= ROOM
    assert 0 < len(left) < count
    assert state.keys in (len(left), None)
    assert state.counts["evictions"] == count - len(left)
    assert {page(number, 0).key for number in range(1, count + 1)} - left <= gone, "those that made room were told"
    for key in left:
        [found] = run(kept(store, key))
        assert found.body == pattern(size, found.number)


@pytest.mark.max_size(ROOM)
def test_what_is_removed_or_replaced_gives_its_room_back(store: Store, run: Run[Any]) -> None:
    for number in range(1, 100):
        run(save(store, replace(page(1, 200_000), number=number, tags=(str(number),))))
    run(save(store, page(2, 200_000)))
    run(store.remove(page(2)))
    for number in range(3, 100):
        run(save(store, page(number, 200_000)))
        run(store.remove(page(number)))
    assert run(names(store)) == [page(1).key]
    assert store.state().counts["evictions"] == 0


@pytest.mark.max_size(ROOM)
@pytest.mark.parametrize("use", ["lookup", "find", "touch"])
def test_what_is_used_stays(store: Store, run: Run[Any], use: str) -> None:
    async def use_the_first_and_fill() -> None:
        await fill(store, range(1, 11))
        for number in range(11, 2_000):
            for used in range(1, 11):
                got = getattr(store, use)(page(used, 0).key)
                if use == "lookup":
                    await got
            await store.save(page(number))

    run(use_the_first_and_fill())
    assert {page(number, 0).key for number in range(1, 11)} <= set(run(names(store)))


@pytest.mark.bounded
@pytest.mark.max_size(MIB)
def test_what_is_larger_than_the_store_is_not_kept_and_neither_is_what_it_replaces(store: Store, run: Run[Any]) -> None:
    run(save(store, answer(HOME), answer(number=1)))
    run(save(store, answer(number=2, body=bytes(2 * MIB), size=2 * MIB)))
    assert not run(store.lookup(KEY))


def test_touching_what_is_not_there_changes_nothing(store: Store, run: Run[Any]) -> None:
    run(save(store, answer()))
    store.touch(HOME)
    assert run(names(store)) == [KEY]


Change = Callable[[Store], Coroutine[Any, Any, Any]]
EN, DE = variant("en"), variant("de")
DELETION = Purge(Mode.HARD, EVERYTHING)

HEARD = [
    row("what is saved",                       [],            lambda store: store.save(EN),            [KEY]),
    row("another variant of it",               [EN],          lambda store: store.save(DE),            [KEY]),
    row("not what comes too late",             [variant("en", number=2)], lambda store: store.save(EN), []),
    row("what is replaced",                    [EN],          lambda store: store.replace(EN, DE),     [KEY]),
    row("not what is there no longer",         [],            lambda store: store.replace(EN, DE),     []),
    row("what is removed",                     [EN],          lambda store: store.remove(EN),          [KEY]),
    row("one of several that is removed",      [EN, DE],      lambda store: store.remove(EN),          [KEY]),
    row("not what was never there",            [answer(HOME)], lambda store: store.remove(EN),         []),
    row("not a purge",                         [EN],          lambda store: store.purge(DELETION),     []),
    row("not a use",                           [EN],          lambda store: store.lookup(KEY),         []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "change", "heard"), HEARD)
def test_listeners_hear_of(
    store: Store, run: Run[Any], before: list[StoredResponse], change: Change, heard: list[str]
) -> None:
    one, another = list[str](), list[str]()
    run(save(store, *before))
    store.watch(one.append)
    store.watch(another.append)
    run(change(store))
    assert one == another == heard


def test_a_listener_finds_what_is_there_now(store: Store, run: Run[Any]) -> None:
    found = list[int]()
    run(save(store, answer(number=1)))
    run(store.lookup(KEY))
    store.watch(lambda key: found.extend(one.number for one in store.find(key) or ()))
    run(save(store, answer(number=2)))
    assert found in ([2], []), "not the old one; none where it would have to be waited for"
