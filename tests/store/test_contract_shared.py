"""What stores do that several processes share, or that outlive them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core.purging import EVERYTHING, Mode, Purge, Selector
from app.core.purging import Kind as By
from app.store.base import Store
from tests.core.build import NOW
from tests.store.conftest import Run
from tests.store.examples import BLOG, FULL, HOME, KEY, answer, names, page, pattern, save, variant
from tests.store.other_process import Other, other
from tests.store.stores import MIB, Kind, kept, opened, until

shared, lasting = pytest.mark.shared, pytest.mark.lasting


def numbers(store: Store, key: str) -> list[int]:
    """What can be found at once, by number. Where it must be waited for: nothing."""
    return sorted(one.number for one in store.find(key) or ())


@shared
def test_what_one_saves_the_other_finds(store: Store, second: Other, run: Run[Any]) -> None:
    second.save(FULL)
    assert run(kept(store, KEY)) == [FULL]
    run(save(store, answer(HOME, body=pattern(3 * MIB), size=3 * MIB)))
    assert [one.body for one in second.kept(HOME)] == [pattern(3 * MIB)]


@shared
@pytest.mark.parametrize("how", ["save", "replace", "remove"])
def test_a_change_by_one_is_seen_by_the_other(kind: Kind, store: Store, second: Other, run: Run[Any], how: str) -> None:
    heard = list[str]()
    run(save(store, answer(number=1), answer(HOME)))
    run(store.lookup(KEY))
    run(store.lookup(HOME))
    store.watch(heard.append)
    before = store.pulse[0]
    if how == "save":
        second.save(answer(number=2))
    elif how == "replace":
        second.replace(answer(number=1), answer(number=2))
    else:
        second.remove(answer(number=1))
    expected = [] if how == "remove" else [2]
    assert run(until(kind, lambda: store.pulse[0] != before))
    store.catch_up()
    assert run(until(kind, lambda: heard == [KEY])), "and of nothing else"
    assert [one.number for one in run(store.lookup(KEY))] == expected
    assert [one.number for one in run(store.lookup(HOME))] == [0]


@shared
def test_without_being_asked_to_catch_up_a_lookup_sees_the_change(
    kind: Kind, store: Store, second: Other, run: Run[Any]
) -> None:
    run(save(store, answer(number=1)))
    run(store.lookup(KEY))
    second.save(answer(number=2))
    run(until(kind, lambda: numbers(store, KEY) in ([], [2])))
    assert [one.number for one in run(store.lookup(KEY))] == [2]


@shared
def test_a_purge_by_one_is_seen_by_the_other(kind: Kind, store: Store, second: Other, run: Run[Any]) -> None:
    purge = Purge(Mode.HARD, Selector(By.TAG, "a"), at=NOW)
    run(save(store, BLOG))
    run(store.lookup(KEY))
    epoch = store.epoch
    number = second.purge(purge)
    assert run(until(kind, lambda: store.purge_number() == number))
    assert store.purged_since(KEY, number - 1)
    assert store.epoch != epoch
    assert [one.purge for one in run(store.lookup(KEY))] == [purge]
    assert run(store.purge(purge)) == number + 1 == second.purge(purge) - 1, "and both count on"


@shared
def test_what_is_fetched_before_the_purge_of_another_is_purged(store: Store, second: Other, run: Run[Any]) -> None:
    under = store.purge_number()
    second.purge(Purge(Mode.HARD, EVERYTHING))
    run(save(store, answer(fetched_under=under)))
    assert [one.purge is not None for one in run(store.lookup(KEY))] == [True]
    assert [one.purge is not None for one in second.kept(KEY)] == [True]


@shared
def test_what_clients_have_spoiled_is_known_to_all_and_to_who_comes_later(
    kind: Kind, place: str, store: Store, second: Other, run: Run[Any]
) -> None:
    url, group = (Purge(Mode.VALIDATE, Selector(by, "/", "example.com"), at=NOW + 0.25) for by in (By.URL, By.TAG))
    posts = [replace(one, selector=replace(one.selector, value=f"/{n}")) for n in range(5) for one in (url, group)]
    run(save(store, answer(KEY, tags=("/",)), answer(HOME)))
    for purge in (*posts, Purge(Mode.HARD, Selector(By.TAG, "none")), group, url):
        number = second.purge(purge)
    assert number == 13
    assert [one.purge for key in (KEY, HOME) for one in run(store.lookup(key))] == [group, url]
    with other(kind, place, 64 * MIB) as later:
        assert (later.purge_number(), len(store.log)) == (13, 1)
        assert [one.purge for key in (KEY, HOME) for one in later.kept(key)] == [group, url]
        assert [(later.purge(one), second.purge(one)) for one in posts[:2]] == [(14, 15), (16, 17)]


@shared
def test_a_deployment_is_announced_to_all(kind: Kind, store: Store, second: Other, run: Run[Any]) -> None:
    second.purge(Purge(Mode.SOFT, Selector(By.DEPLOYMENT, "blue")))

    def heard() -> bool:
        store.catch_up()
        return store.log.deployment == "blue"

    assert run(until(kind, heard))


@shared
def test_the_clock_is_moved_for_all(kind: Kind, store: Store, second: Other, run: Run[Any]) -> None:
    second.purge(Purge(Mode.SOFT, Selector(By.CLOCK, "3600.0")))

    def heard() -> bool:
        store.catch_up()
        return store.log.offset == 3600

    assert run(until(kind, heard))


@shared
def test_only_one_gets_the_lease(store: Store, second: Other, run: Run[Any]) -> None:
    assert run(store.lease(KEY, 60.0))
    assert not second.lease(KEY, 60.0)
    assert second.lease(HOME, 60.0)
    second.release(KEY)
    assert not second.lease(KEY, 60.0), "it was not theirs to give back"
    run(store.release(KEY))
    assert second.lease(KEY, 60.0)


@shared
def test_a_lease_ends_by_itself(kind: Kind, store: Store, second: Other, run: Run[Any]) -> None:
    assert run(store.lease(KEY, 0.05))
    patient = replace(kind, delay=5.0)
    assert run(until(patient, lambda: second.lease(KEY, 60.0)))


@shared
def test_marks_are_heard_by_the_others(kind: Kind, store: Store, second: Other, run: Run[Any]) -> None:
    heard = list[tuple[str, bool]]()
    store.watch_marks(lambda key, cacheable: heard.append((key, cacheable)))
    second.mark(KEY, cacheable=False)
    second.mark(KEY, cacheable=True)

    def both() -> bool:
        store.catch_up()
        return heard == [(KEY, False), (KEY, True)]

    assert run(until(kind, both))


@pytest.mark.bounded
@shared
@pytest.mark.max_size(4 * MIB)
def test_what_one_evicts_the_other_hears_of(kind: Kind, store: Store, second: Other, run: Run[Any]) -> None:
    heard = set[str]()
    run(save(store, page(1)))
    store.watch(heard.add)
    second.save(*[page(number) for number in range(2, 1_500)])

    def told() -> bool:
        store.catch_up()
        return page(1).key in heard

    assert run(until(kind, told))
    assert not run(store.lookup(page(1).key))


@lasting
def test_what_was_kept_is_there_when_it_is_opened_again(kind: Kind, place: str, run: Run[Any]) -> None:
    purge = Purge(Mode.SOFT, Selector(By.PATH, "/blog/post"), deadline=NOW + 5, at=NOW)

    async def before() -> None:
        async with opened(kind, place) as store:
            await store.purge(Purge(Mode.SOFT, Selector(By.DEPLOYMENT, "blue")))
            await save(store, FULL, variant("en"), answer(HOME, body=pattern(3 * MIB), size=3 * MIB, fetched_under=2))
            await store.purge(purge)

    async def after() -> None:
        async with opened(kind, place) as store:
            assert (store.purge_number(), store.log.deployment) == (2, "blue")
            assert await kept(store, KEY) == [variant("en").purged(purge), FULL], "which knows of the purge"
            assert [one.body for one in await kept(store, HOME)] == [pattern(3 * MIB)]
            assert await names(store) == sorted([KEY, KEY, HOME])
            assert await store.purge(purge) == 3

    run(before())
    run(after())
