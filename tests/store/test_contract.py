"""What every store does, whichever it is: keep and find."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import fields, replace
from typing import Any

import pytest

from app.core.decisions import StoredResponse
from app.core.directives import Directives
from app.core.purging import Kind
from app.store.base import MAX_VARIANTS, Store
from tests.core.build import row
from tests.store.conftest import Run
from tests.store.examples import (
    FULL,
    HOME,
    KEY,
    answer,
    by,
    listed,
    names,
    pattern,
    save,
    variant,
)
from tests.store.stores import MIB, kept, whole


def test_what_is_kept_is_found_as_it_was(store: Store, run: Run[Any]) -> None:
    assert FULL.control != Directives(), "the example must say something"
    run(save(store, FULL))
    [found] = run(kept(store, KEY))
    for field in fields(StoredResponse):
        assert getattr(found, field.name) == getattr(FULL, field.name), field.name
    assert run(kept(store, KEY)) == [FULL], "and is found again"


@pytest.mark.parametrize("key", ["GET http example.com /" + "x" * 16_000, "GET http example.com /%C3%A9?ü", KEY + " "])
def test_keys(store: Store, run: Run[Any], key: str) -> None:
    run(save(store, answer(key)))
    assert [one.key for one in run(store.lookup(key))] == [key]
    assert not run(store.lookup(key[:-1]))
    assert not run(store.lookup(key + "x"))


def test_what_was_never_saved_is_not_there(store: Store, run: Run[Any]) -> None:
    run(save(store, answer(HOME)))
    assert not run(store.lookup(KEY))
    assert not store.find(KEY)
    assert store.state().keys in (1, None)


def test_what_can_be_found_at_once_is_what_a_lookup_finds(store: Store, run: Run[Any]) -> None:
    run(save(store, variant("en", number=1), variant("de", number=2)))
    looked_up = run(store.lookup(KEY))
    assert store.find(KEY) == looked_up
    assert len(looked_up) == 2


def test_variants_are_kept_side_by_side(store: Store, run: Run[Any]) -> None:
    variants = [
        variant("en", number=1), variant("de", number=2), variant("en", number=3, deployment="blue"),
        variant("en", number=4, requested_range="bytes=0-1", first_byte=0, complete_length=9),
    ]  # fmt: skip
    run(save(store, *variants))
    assert run(kept(store, KEY)) == variants
    assert not run(store.lookup(HOME))


AGES = [
    #                                              kept                    then                       stays
    row("an answer that came later",               answer(number=1),       answer(number=2),          2),
    row("the same again",                          answer(number=1),       answer(number=1),          1),
    row("not one that came earlier",               answer(number=2),       answer(number=1),          2),
    row("not one that missed a purge that the other has not",
        answer(number=1, fetched_under=1),                                 answer(number=2),          1),
    row("one that knows of a purge that the other missed",
        answer(number=1),                                                  answer(number=2, fetched_under=1), 2),
]  # fmt: skip


@pytest.mark.parametrize(("before", "then", "stays"), AGES)
def test_what_takes_the_place_of_the_same_variant(
    store: Store, run: Run[Any], before: StoredResponse, then: StoredResponse, stays: int
) -> None:
    run(save(store, before, then))
    assert [one.number for one in run(store.lookup(KEY))] == [stays]


def test_variants_of_a_key_are_bounded_and_the_oldest_goes(store: Store, run: Run[Any]) -> None:
    run(save(store, *[variant(f"x{number}", number=number) for number in range(1, MAX_VARIANTS + 3)]))
    assert [one.number for one in run(kept(store, KEY))] == list(range(3, MAX_VARIANTS + 3))


SIZES = [0, 1, 2_000, 5_000, 2**16 - 1, 2**16, 2**16 + 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7]


@pytest.mark.parametrize("size", SIZES)
def test_bodies(store: Store, run: Run[Any], size: int) -> None:
    body = pattern(size)
    run(save(store, answer(body=body, size=size)))
    [found] = run(store.lookup(KEY))
    assert found.size == size
    assert run(whole(found.body, 0, size)) == body
    middle = (size // 3, size // 3 * 2)
    assert run(whole(found.body, *middle)) == body[slice(*middle)]
    assert run(whole(found.body, size, size)) == b""


@pytest.mark.parametrize("size", [10, MIB, 3 * MIB])
@pytest.mark.parametrize("change", ["remove", "save", "replace"])
def test_a_body_that_is_being_read_is_read_to_its_end(store: Store, run: Run[Any], size: int, change: str) -> None:
    old, new = answer(body=pattern(size), size=size, number=1), answer(body=b"new", size=3, number=2)

    async def read_while_it_changes() -> bytes:
        await store.save(old)
        [found] = await store.lookup(KEY)
        if isinstance(found.body, bytes):
            await (store.remove(old) if change == "remove" else store.save(new))
            return found.body
        async with aclosing(found.body.chunks(0, size)) as chunks:
            read = [await anext(chunks)]
            await (store.remove(old) if change == "remove" else store.save(new))
            return b"".join([*read, *[chunk async for chunk in chunks]])

    assert run(read_while_it_changes()) == pattern(size)
    assert [one.number for one in run(store.lookup(KEY))] == ([] if change == "remove" else [2])


@pytest.mark.parametrize("size", [10, 2**17, 3 * MIB])
def test_replaced_with_another_head_it_keeps_its_body(store: Store, run: Run[Any], size: int) -> None:
    body = pattern(size)
    run(save(store, answer(body=body, size=size, number=1)))
    [old] = run(store.lookup(KEY))
    run(store.replace(old, replace(old, head=b"new", number=2, tags=("t",), fetched_under=1)))
    [found] = run(kept(store, KEY))
    assert (found.head, found.number, found.tags, found.fetched_under) == (b"new", 2, ("t",), 1)
    assert (found.body, found.size) == (body, size)
    assert [one.number for one in run(listed(store.entries(by(Kind.TAG, "t"))))] == [2]


EN_1, DE_2, EN_3 = variant("en", number=1), variant("de", number=2), variant("en", number=3)
REPLACED = [
    #                                                kept           language, number, and new    stay
    row("one that is there",                         [EN_1],         ("en", 1, "en", 2),        [2]),
    row("not one that is gone",                      [],             ("en", 1, "en", 2),        []),
    row("not one that was renewed since",            [EN_3],         ("en", 1, "en", 2),        [3]),
    row("one that is another variant now",           [EN_1],         ("en", 1, "de", 2),        [2]),
    row("and with it the one that was it",           [EN_1, DE_2],   ("en", 1, "de", 3),        [3]),
    row("and the others stay",                       [EN_1, DE_2],   ("en", 1, "en", 3),        [2, 3]),
    row("with its own number: a refresh has failed", [EN_1],         ("en", 1, "en", 1),        [1]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "change", "stay"), REPLACED)
def test_what_is_replaced(
    store: Store, run: Run[Any], before: list[StoredResponse], change: tuple[str, int, str, int], stay: list[int]
) -> None:
    language, number, new_language, new_number = change
    old, new = variant(language, number=number), variant(new_language, number=new_number)
    run(save(store, *before))
    run(store.replace(old, replace(new, failures=1)))
    found = run(kept(store, KEY))
    assert [one.number for one in found] == stay
    assert all(one.failures == (one.number == new.number) for one in found)


def test_what_is_removed_is_gone_and_its_other_variants_are_not(store: Store, run: Run[Any]) -> None:
    run(save(store, variant("en"), variant("de", number=2), answer(HOME)))
    run(store.remove(variant("en", number=9)))
    assert [one.number for one in run(store.lookup(KEY))] == [2]
    run(store.remove(variant("de")))
    run(store.remove(variant("fr")))
    assert not run(store.lookup(KEY))
    assert run(store.lookup(HOME))
    assert run(names(store)) == [HOME]
