"""What every store does, whichever it is: hear of purges, list, sweep."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector
from app.store.base import Store
from tests.core.build import NOW, row
from tests.store.conftest import Run
from tests.store.examples import (
    BLOG,
    HOME,
    KEY,
    OTHER,
    answer,
    by,
    fill,
    listed,
    names,
    page,
    pattern,
    save,
    variant,
)
from tests.store.stores import MIB

PURGES = [
    #                                        selector                                            names
    row("everything",                        EVERYTHING,                                         [KEY, HOME, OTHER]),
    row("a host",                            by(Kind.HOST, host="example.com"),                  [KEY, HOME]),
    row("a URL",                             by(Kind.URL, "/blog/post?page=2", "example.com"),   [KEY]),
    row("a URL at any host",                 by(Kind.URL, "/"),                                  [HOME, OTHER]),
    row("a path",                            by(Kind.PATH, "/blog/post"),                        [KEY]),
    row("a path at another host",            by(Kind.PATH, "/blog/post", "example.org"),         []),
    row("a prefix",                          by(Kind.PREFIX, "/", "example.com"),                [KEY, HOME]),
    row("a tag",                             by(Kind.TAG, "a"),                                  [KEY, OTHER]),
    row("a tag at a host",                   by(Kind.TAG, "a", "example.org"),                   [OTHER]),
    row("a tag that nothing has",            by(Kind.TAG, "b"),                                  []),
    row("a deployment: it says nothing of what is kept", by(Kind.DEPLOYMENT, "blue"),            []),
]  # fmt: skip
THREE = [BLOG, answer(HOME, tags=("home",)), answer(OTHER, tags=("home", "a"))]


@pytest.mark.parametrize(("selector", "named"), PURGES)
def test_a_purge_says_itself_on_what_it_names(
    store: Store, run: Run[Any], selector: Selector, named: list[str]
) -> None:
    purge = Purge(Mode.HARD, selector, at=NOW)
    run(save(store, *THREE))
    assert run(names(store, selector)) == sorted(named)
    number = run(store.purge(purge))
    for key in (KEY, HOME, OTHER):
        expected = purge if key in named else None
        assert [one.purge for one in run(store.lookup(key))] == [expected]
    assert number == store.purge_number() == 1
    assert run(names(store, selector)) == sorted(named), "purged or not"
    assert {one.key: one.purge for one in run(listed(store.entries()))} == {
        key: purge if key in named else None for key in (KEY, HOME, OTHER)
    }


def test_a_clients_post_spoils_its_url_and_takes_no_row(store: Store, run: Run[Any]) -> None:
    run(save(store, *THREE))
    posts = [Purge(Mode.VALIDATE, by(Kind.URL, f"/orders/{place}", "example.com"), at=NOW) for place in range(20)]
    spoiling = Purge(Mode.VALIDATE, by(Kind.URL, "/", "example.com"), at=NOW)
    for purge in (*posts, spoiling):
        run(store.purge(purge))
    assert (store.purge_number(), len(store.log), store.log.floor) == (21, 0, 0)
    assert [one.purge for key in (KEY, HOME, OTHER) for one in run(store.lookup(key))] == [None, spoiling, None]
    assert [store.purged_since(HOME, 20), store.purged_since(HOME, 21)] == [True, False]
    run(save(store, answer(HOME, number=1, fetched_under=20)))
    assert [one.purge for one in run(store.lookup(HOME))] == [spoiling], "a fetch that was in flight"
    run(save(store, answer(HOME, number=2, fetched_under=21)))
    assert [one.purge for one in run(store.lookup(HOME))] == [None]


def test_an_answer_spoils_its_groups_and_takes_no_rows(store: Store, run: Run[Any]) -> None:
    run(save(store, *THREE))
    groups = [Purge(Mode.VALIDATE, by(Kind.TAG, f"order-{place}", "example.com"), at=NOW) for place in range(20)]
    spoiling = Purge(Mode.VALIDATE, by(Kind.TAG, "home", "example.com"), at=NOW)
    for purge in (*groups, spoiling):
        run(store.purge(purge))
    assert (store.purge_number(), len(store.log), store.log.floor) == (21, 0, 0)
    said = [one.purge for key in (KEY, HOME, OTHER) for one in run(store.lookup(key))]
    assert said == [None, spoiling, None], "at its own host only"
    assert [store.purged_since(HOME, 20), store.purged_since(HOME, 21)] == [True, False]
    run(save(store, answer(HOME, number=1, fetched_under=20, tags=("home",))))
    assert [one.purge for one in run(store.lookup(HOME))] == [spoiling], "a fetch that was in flight"
    operators = Purge(Mode.SOFT, by(Kind.TAG, "home", "example.com"), at=NOW)
    run(store.purge(operators))
    assert (len(store.log), store.purge_number()) == (1, 22), "an operator's purge has a row"
    run(save(store, answer(HOME, number=2, fetched_under=21, tags=("home",))))
    assert [one.purge for one in run(store.lookup(HOME))] == [operators]


def test_only_what_was_fetched_before_a_purge_is_purged(store: Store, run: Run[Any]) -> None:
    purge = Purge(Mode.SOFT, by(Kind.TAG, "a"), deadline=NOW + 60, at=NOW)
    run(store.purge(purge))
    run(save(store, replace(BLOG, number=1, fetched_under=0)))
    assert [one.purge for one in run(store.lookup(KEY))] == [purge], "a fetch that was in flight"
    run(save(store, replace(BLOG, number=2, fetched_under=store.purge_number())))
    assert [one.purge for one in run(store.lookup(KEY))] == [None]
    assert [one.purge for one in store.find(KEY) or ()] in ([None], [])


def test_the_hardest_of_several_purges_is_said(store: Store, run: Run[Any]) -> None:
    run(save(store, BLOG))
    purges = [Purge(mode, EVERYTHING, at=NOW + mode.value.count("a")) for mode in (Mode.SOFT, Mode.HARD, Mode.VALIDATE)]
    said = []
    for purge in purges:
        run(store.purge(purge))
        said += [one.purge for one in run(store.lookup(KEY))]
    assert said == [purges[0], purges[1], purges[1]]


def test_what_is_kept_is_kept_without_the_purge_that_was_said(store: Store, run: Run[Any]) -> None:
    run(save(store, BLOG))
    run(store.purge(Purge(Mode.SOFT, EVERYTHING)))
    [found] = run(store.lookup(KEY))
    run(store.replace(found, replace(found, number=1, fetched_under=1)))
    assert [one.purge for one in run(store.lookup(KEY))] == [None]


def test_the_epoch_moves_with_every_purge(store: Store, run: Run[Any]) -> None:
    epochs = [store.epoch]
    for selector in (by(Kind.URL, "/"), by(Kind.URL, "/"), by(Kind.DEPLOYMENT, "blue")):
        run(store.purge(Purge(Mode.VALIDATE, selector)))
        epochs.append(store.epoch)
    assert len(set(epochs)) == 4


def test_purges_since_a_number(store: Store, run: Run[Any]) -> None:
    run(store.purge(Purge(Mode.HARD, by(Kind.PATH, "/blog/post"))))
    assert [store.purged_since(KEY, 0), store.purged_since(KEY, 1), store.purged_since(HOME, 0)] == [True, False, False]
    run(store.purge(Purge(Mode.HARD, by(Kind.TAG, "a"))))
    assert [store.purged_since(KEY, 1), store.purged_since(HOME, 1)] == [True, True], "its tags are not known yet"


def test_deployments_are_announced(store: Store, run: Run[Any]) -> None:
    for name in ("blue", "green"):
        run(store.purge(Purge(Mode.SOFT, by(Kind.DEPLOYMENT, name))))
    assert (store.log.deployment, set(store.log.deployments)) == ("green", {"blue", "green"})


def test_the_clock_is_moved(store: Store, run: Run[Any]) -> None:
    offsets = []
    for seconds in ("3600.0", "60.5", "0.0"):
        run(store.purge(Purge(Mode.SOFT, by(Kind.CLOCK, seconds))))
        offsets.append(store.log.offset)
    assert offsets == [3600.0, 60.5, 0.0]
    assert len(store.log) == 1


def test_entries_are_all_variants(store: Store, run: Run[Any]) -> None:
    run(save(store, variant("en"), variant("de"), answer(HOME)))
    assert run(names(store)) == sorted([KEY, KEY, HOME])
    assert {one.size for one in run(listed(store.entries()))} == {10}


def test_entries_may_change_while_they_are_listed(store: Store, run: Run[Any]) -> None:
    async def list_and_change() -> set[str]:
        seen = set[str]()
        async for one in store.entries():
            seen.add(one.key)
            await store.remove(one)
            await store.save(page(10_000 + one.number))
            if len(seen) > 3_000:
                break
        return seen

    run(fill(store, range(1, 1_500), size=10))
    assert run(list_and_change()) >= {page(number, 0).key for number in range(1, 1_500)}


def test_many_of_one_tag(store: Store, run: Run[Any]) -> None:
    run(fill(store, range(1, 1_300), size=1, tags=("few", "all")))
    run(fill(store, range(1_300, 1_400), size=1, tags=("all",)))
    assert len(run(names(store, by(Kind.TAG, "all")))) == 1_399
    assert len(run(names(store, by(Kind.TAG, "few")))) == 1_299
    run(save(store, replace(page(1), number=9_999, tags=("new",))))
    run(store.remove(page(2)))
    assert len(run(names(store, by(Kind.TAG, "few")))) == 1_297
    assert run(names(store, by(Kind.TAG, "new"))) == [page(1).key]


COUNTED = [EVERYTHING, by(Kind.TAG, "a"), by(Kind.TAG, "b"), by(Kind.TAG, "a", "example.org"), by(Kind.PATH, "/3")]


async def counts_what_it_lists(store: Store) -> None:
    for selector in COUNTED:
        for now in (NOW, NOW + 60):
            listed_there = [one for one in await listed(store.entries(selector)) if one.purged_as(now) is not Mode.HARD]
            assert await store.count(selector, now) in (None, len(listed_there)), (selector, now)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_counted_at_once_is_what_is_listed(store: Store, run: Run[Any], seed: int) -> None:
    random = Random(seed)
    modes = [Purge(Mode.HARD, EVERYTHING), Purge(Mode.SOFT, EVERYTHING), Purge(Mode.SOFT, EVERYTHING, NOW + 30)]

    async def change(number: int) -> None:
        one = page(random.randrange(6), size=10, tags=random.choice([(), ("a",), ("a", "b")]))
        match random.randrange(6):
            case 0:
                await store.purge(replace(random.choice(modes), selector=random.choice(COUNTED)))
            case 1:
                await store.sweep()
            case 2:
                await store.remove(one)
            case 3:
                for found in await store.lookup(one.key):
                    await store.replace(found, replace(found, number=number, tags=one.tags))
            case _:
                under = max(0, store.purge_number() - random.randrange(3))
                await store.save(replace(one, number=number, fetched_under=under))

    async def story() -> None:
        for number in range(1, 150):
            await change(number)
            await counts_what_it_lists(store)

    run(story())


@pytest.mark.parametrize("size", [10, 3 * MIB])
def test_a_sweep_gives_back_what_is_deleted(store: Store, run: Run[Any], size: int) -> None:
    big = replace(BLOG, body=pattern(size), size=size, head=b"h" * 500)
    run(save(store, big, answer(HOME)))
    before, heard = store.state().size, list[str]()
    assert run(store.sweep()) == 0
    run(store.purge(Purge(Mode.SOFT, EVERYTHING)))
    assert run(store.sweep()) == 0, "what is stale is not deleted"
    deletion = Purge(Mode.HARD, by(Kind.TAG, "a"), at=NOW)
    run(store.purge(deletion))
    store.watch(heard.append)
    assert run(store.sweep()) == 1
    after = store.state().size
    assert heard == [KEY]
    assert before is None or after is None or after < before
    assert run(names(store)) == [HOME]
    [left] = run(store.lookup(KEY))
    assert (left.purge, left.head, left.body, left.size) == (deletion, b"", b"", 0), "that it was deleted stays known"
    assert run(store.sweep()) == 0


def test_what_is_cleared_is_gone_and_leaves_nothing_behind(store: Store, run: Run[Any]) -> None:
    empty = store.state().keys
    run(fill(store, range(1, 600), size=10))
    run(save(store, variant("en"), variant("de"), replace(BLOG, body=pattern(3 * MIB), size=3 * MIB)))
    run(store.purge(Purge(Mode.HARD, by(Kind.PATH, "/3"))))
    run(store.sweep())
    run(store.lookup(HOME))
    heard = list[str]()
    store.watch(heard.append)
    assert run(store.clear()) == 601
    assert run(names(store)) == [] == list(run(store.lookup(page(3).key))) == list(run(store.lookup(KEY)))
    assert {KEY, page(1).key} <= set(heard)
    assert store.state().keys == empty
    assert run(store.clear()) == 0
    run(save(store, page(3, fetched_under=1)))
    assert [one.purge for one in run(store.lookup(page(3).key))] == [None]


def test_what_was_swept_makes_place_for_what_comes(store: Store, run: Run[Any]) -> None:
    run(save(store, BLOG))
    run(store.purge(Purge(Mode.HARD, EVERYTHING)))
    run(store.sweep())
    run(save(store, replace(BLOG, number=1)))
    assert [one.purge is not None for one in run(store.lookup(KEY))] == [True], "fetched before the purge"
    run(save(store, replace(BLOG, number=2, fetched_under=1)))
    assert [(one.purge, one.size) for one in run(store.lookup(KEY))] == [(None, 10)]


@pytest.mark.parametrize("size", [10, 3 * MIB])
def test_what_was_swept_is_not_put_back_by_who_had_it_confirmed(store: Store, run: Run[Any], size: int) -> None:
    old = replace(BLOG, body=pattern(size), size=size)
    run(save(store, old))
    run(store.purge(Purge(Mode.HARD, EVERYTHING)))
    run(store.sweep())
    run(store.replace(old, replace(old, number=2, fetched_under=1)))
    assert [(one.head, one.size) for one in run(store.lookup(KEY))] == [(b"", 0)], "its body has gone"


def test_who_has_no_rival_gets_the_lease(store: Store, run: Run[Any]) -> None:
    assert run(store.lease(KEY, 60.0))
    run(store.release(KEY))
    assert run(store.lease(KEY, 60.0))
    run(store.release(HOME))


def test_nobody_hears_of_ones_own_marks(store: Store, run: Run[Any]) -> None:
    heard = list[tuple[str, bool]]()
    store.watch_marks(lambda key, cacheable: heard.append((key, cacheable)))
    run(store.mark(KEY, cacheable=False))
    store.catch_up()
    assert heard == []


def test_a_store_says_how_it_is(store: Store, run: Run[Any], kind: Any) -> None:
    state = store.state()
    assert (state.kind, state.trouble, state.limit) == (kind.name, None, 64 * MIB)
    assert {"evictions"} <= set(state.counts)
    assert store.shared is kind.shared
    assert isinstance(store.pulse[0], int)
