"""The memory store: who is told of what changed under a key, and what counts as a use of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from app.core.decisions import StoredResponse
from app.core.purging import Kind, Mode, Purge, Selector
from app.store.memory import MemoryStore, weight
from tests.core.build import row, stored

Change = Callable[[MemoryStore], Coroutine[Any, Any, None]]

ENGLISH = stored("200 | vary: accept-language", "GET / | lang: en", key="a")
GERMAN = stored("200 | vary: accept-language", "GET / | lang: de", key="a")
OTHER = stored(key="b")
HUGE = stored(key="a", size=2**20)


def kept(*responses: StoredResponse, room_for: int = 10) -> MemoryStore:
    """A store with room for as many responses of the usual weight, and these in it."""
    store = MemoryStore(room_for * weight([ENGLISH]))

    async def save_all() -> None:
        for one in responses:
            await store.save(one)

    asyncio.run(save_all())
    return store


def keys(store: MemoryStore, *asked: str) -> list[str]:
    async def look() -> list[str]:
        return [key for key in asked if await store.lookup(key)]

    return asyncio.run(look())


HEARD = [
    row("a response that is saved",            [],                lambda store: store.save(ENGLISH),            ["a"]),
    row("another variant of it",               [ENGLISH],         lambda store: store.save(GERMAN),             ["a"]),
    row("not one that is older than what is kept",
        [stored(key="a", number=2)],                              lambda store: store.save(stored(key="a")),    []),
    row("one that is replaced",                [ENGLISH],         lambda store: store.replace(ENGLISH, GERMAN), ["a"]),
    row("not one that is no longer there",     [],                lambda store: store.replace(ENGLISH, GERMAN), []),
    row("one that is removed",                 [ENGLISH],         lambda store: store.remove(ENGLISH),          ["a"]),
    row("one of several that is removed",      [ENGLISH, GERMAN], lambda store: store.remove(ENGLISH),          ["a"]),
    row("not one that was never there",        [OTHER],           lambda store: store.remove(ENGLISH),          []),
    row("one that is too large for the store", [ENGLISH],         lambda store: store.save(HUGE),               ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "change", "heard"), HEARD)
def test_listeners_hear_of(before: list[StoredResponse], change: Change, heard: list[str]) -> None:
    store, told = kept(*before), list[str]()
    store.watch(told.append)
    asyncio.run(change(store))
    assert told == heard


def test_every_listener_hears_of_evictions() -> None:
    store = kept(ENGLISH, room_for=1)
    one, another = list[str](), list[str]()
    store.watch(one.append)
    store.watch(another.append)
    asyncio.run(store.save(OTHER))
    assert one == another == ["a", "b"]
    assert keys(store, "a", "b") == ["b"]


def test_a_touch_is_a_use() -> None:
    store = kept(ENGLISH, OTHER, room_for=2)
    store.touch("a")
    asyncio.run(store.save(stored(key="c")))
    assert keys(store, "a", "b", "c") == ["a", "c"]


def test_touching_what_is_not_there_changes_nothing() -> None:
    store = kept(ENGLISH)
    store.touch("b")
    assert keys(store, "a", "b") == ["a"]


def test_the_epoch_moves_with_every_purge() -> None:
    store = kept(ENGLISH)
    epochs = [store.epoch]
    for target in ("/", "/", "/elsewhere"):
        asyncio.run(store.purge(Purge(Mode.VALIDATE, Selector(Kind.URL, target))))
        epochs.append(store.epoch)
    assert len(set(epochs)) == 4
