"""The one way by which every purge goes: what it counts, what it lists, what was perhaps meant."""

from __future__ import annotations

import asyncio
import timeit
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from app.admin.near import distance_between
from app.admin.purges import LISTED, Purged, Purging
from app.core.decisions import StoredResponse
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector
from app.journal import Journal
from app.store.memory import MemoryStore
from app.tasks import Tasks
from tests.core.build import NOW, row, stored

HOME = "GET http a.example /"


def page(key: str, *tags: str, **changes: Any) -> StoredResponse:
    return stored(key=key, tags=tags, **changes)


def pages() -> list[StoredResponse]:
    return [
        page("GET http a.example /blog", "blog", "post-7"),
        page("GET http a.example /blog rsc=1", "blog", "post-7"),
        page("GET http a.example /blog?page=2", "blog"),
        page("GET http b.example /blog", "blog"),
        page("GET http a.example /shop/", "Products", "product-10"),
        page(HOME, selecting=(("accept-language", "de"),)),
        page(HOME, selecting=(("accept-language", "en"),)),
    ]


def tag(name: str, host: str | None = None) -> Selector:
    return Selector(Kind.TAG, name, host)


def url(target: str, host: str | None = None) -> Selector:
    return Selector(Kind.URL, target, host)


def path(target: str, host: str | None = None) -> Selector:
    return Selector(Kind.PATH, target, host)


def soft(selector: Selector) -> Purge:
    return Purge(Mode.SOFT, selector, at=NOW)


def hard(selector: Selector) -> Purge:
    return Purge(Mode.HARD, selector, at=NOW)


class Scene:
    """A store with responses in it, purged through the one way."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore(2**26)
        self.tasks = Tasks()
        self.purging = Purging(self.store, self.tasks, Journal())

    async def purge(self, *purges: Purge, dry_run: bool = False) -> Purged:
        return await self.purging.carry_out(purges, dry_run=dry_run)

    async def left(self) -> list[str]:
        return [one.key async for one in self.store.entries() if one.purge is None]


def run(talk: Callable[[Scene], Coroutine[Any, Any, None]], responses: list[StoredResponse] | None = None) -> None:
    async def scene() -> None:
        one = Scene()
        for response in pages() if responses is None else responses:
            await one.store.save(response)
        await talk(one)
        await one.tasks.drain(1)

    asyncio.run(scene())


MATCHED = [
    row("a tag",                                  [tag("post-7")],                                    2),
    row("a tag at one host",                      [tag("blog", "b.example")],                         1),
    row("a URL, in all its variants",             [url("/", "a.example")],                            2),
    row("a URL, its payloads included",           [url("/blog", "a.example")],                        2),
    row("a path, with any query",                 [path("/blog", "a.example")],                       3),
    row("a prefix",                               [Selector(Kind.PREFIX, "/b")],                      4),
    row("a host",                                 [Selector(Kind.HOST, host="b.example")],            1),
    row("everything",                             [EVERYTHING],                                       7),
    row("everything, once",                       [EVERYTHING, tag("blog"), EVERYTHING],              7),
    row("what two name, once",                    [tag("blog"), path("/blog")],                       4),
    row("one that is said twice, once",           [tag("post-7"), tag("post-7")],                     2),
    row("so many that they go in one pass",       [*(tag(f"x{n}") for n in range(30)), url("/blog")], 3),
    row("prefixes among so many",                 [*(tag(f"x{n}") for n in range(30)), Selector(Kind.PREFIX, "/s")], 1),
    row("nothing at all",                         [],                                                 0),
    row("a name that nothing has",                [tag("none-of-it")],                                0),
    row("a deployment, which is not purged",      [Selector(Kind.DEPLOYMENT, "blue")],                0),
]  # fmt: skip


@pytest.mark.parametrize("mode", [Mode.SOFT, Mode.HARD])
@pytest.mark.parametrize(("selectors", "matched"), MATCHED)
def test_what_is_hit_is_counted(selectors: list[Selector], matched: int, mode: Mode) -> None:
    async def talk(scene: Scene) -> None:
        purges = [Purge(mode, selector, at=NOW) for selector in selectors]
        tried = await scene.purge(*purges, dry_run=True)
        assert (tried.matched, len(tried.entries), scene.store.purge_number()) == (matched, matched, 0)
        assert [one.number for one in tried.purges] == [None] * len(set(selectors))
        done = await scene.purge(*purges)
        assert (done.matched, [one.number for one in done.purges]) == (matched, [*range(1, len(set(selectors)) + 1)])
        assert {one.key for one in done.entries}.isdisjoint(await scene.left())
        assert len(await scene.left()) == len(pages()) - matched

    run(talk)


def test_what_was_deleted_before_is_not_hit_again() -> None:
    async def talk(scene: Scene) -> None:
        assert (await scene.purge(soft(tag("blog")))).matched == 4
        assert (await scene.purge(hard(tag("post-7")))).matched == 2, "what was only invalidated is"
        assert (await scene.purge(hard(tag("blog")))).matched == 2
        assert (await scene.purge(soft(tag("blog")))).matched == 0

    run(talk)


def test_a_deadline_deletes_when_it_comes() -> None:
    async def talk(scene: Scene) -> None:
        await scene.purge(replace(soft(tag("blog")), deadline=NOW + 10))
        assert (await scene.purge(replace(hard(tag("blog")), at=NOW + 9), dry_run=True)).matched == 4
        assert (await scene.purge(replace(hard(tag("blog")), at=NOW + 10), dry_run=True)).matched == 0

    run(talk)


def test_the_list_has_a_bound() -> None:
    async def talk(scene: Scene) -> None:
        purged = await scene.purge(soft(tag("many")))
        assert (purged.matched, len(purged.entries)) == (LISTED + 20, LISTED)

    run(talk, [page(f"GET http a.example /{number}", "many") for number in range(LISTED + 20)])


def test_what_was_deleted_is_swept_in_the_background() -> None:
    async def talk(scene: Scene) -> None:
        before = scene.store.state().size
        await scene.purge(soft(EVERYTHING))
        assert len(scene.tasks) == 0, "an invalidation frees nothing"
        await scene.purge(hard(tag("blog")))
        await scene.tasks.drain(1)
        after = scene.store.state().size
        assert None not in (before, after)
        assert (after or 0) < (before or 0)

    run(talk)


class Indexed(MemoryStore):
    """Has an index of tags, and notes what is looked for."""

    indexed = frozenset({Kind.TAG})

    def __init__(self) -> None:
        super().__init__(2**20)
        self.looked_for: list[str] = []

    async def entries(self, selector: Selector | None = None) -> AsyncIterator[StoredResponse]:
        self.looked_for.append("everything" if selector is None else selector.words)
        async for one in super().entries(selector):
            yield one


@pytest.mark.parametrize(("selectors", "looked_for"), [
    row("tags by the index",            [tag("blog"), tag("post-7")],          ["tag blog", "tag post-7"]),
    row("the only other by itself",     [tag("blog"), url("/")],               ["tag blog", "url /"]),
    row("the others in one pass",       [tag("blog"), url("/"), path("/")],    ["tag blog", "everything"]),
    row("everything, whatever else",    [tag("blog"), EVERYTHING, url("/")],   ["all"]),
])  # fmt: skip
def test_what_has_an_index_is_asked_for_by_name(selectors: list[Selector], looked_for: list[str]) -> None:
    async def scene() -> None:
        store = Indexed()
        await Scene(store).purging.carry_out([soft(one) for one in selectors], suggest=False)
        assert store.looked_for == looked_for

    asyncio.run(scene())


class Counting(MemoryStore):
    """Can tell at once how many have a tag, and notes how many were looked at."""

    indexed = frozenset({Kind.TAG})

    def __init__(self) -> None:
        super().__init__(2**26)
        self.looked_at = 0

    async def count(self, selector: Selector, now: float) -> int | None:
        variants = [one for key in list(self._variants) for one in self._variants.peek(key)]
        return sum(selector.selects(one.key, one.tags) for one in variants) if selector.kind is Kind.TAG else None

    async def entries(self, selector: Selector | None = None) -> AsyncIterator[StoredResponse]:
        async for one in super().entries(selector):
            self.looked_at += 1
            yield one


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(("selectors", "matched", "looked_at"), [
    row("what can be counted",             [tag("many")],                500,         LISTED + 1),
    row("however it may be spelled",       [tag("many"), tag("none")],   500,         LISTED + 1),
    row("few, of which all are listed",    [tag("few")],                 LISTED - 1,  LISTED - 1),
    row("none",                            [tag("none")],                0,           0),
    row("two, which may have some in common", [tag("many"), tag("few")], 500,         500 + LISTED - 1),
    row("what cannot be counted",          [url("/1")],                  1,           1),
])  # fmt: skip
def test_no_more_is_looked_at_than_is_listed_of(
    selectors: list[Selector], matched: int, looked_at: int, dry_run: bool
) -> None:
    async def scene() -> None:
        store = Counting()
        for number in range(500):
            few = ("few",) if number < LISTED - 1 else ()
            await store.save(page(f"GET http a.example /{number}", "many", *few))
        purges = [soft(one) for one in selectors]
        purged = await Scene(store).purging.carry_out(purges, dry_run=dry_run, suggest=False)
        assert (purged.matched, len(purged.entries)) == (matched, min(matched, LISTED))
        assert store.looked_at == looked_at

    asyncio.run(scene())


class SlowToSweep(MemoryStore):
    """Sweeps once each time the gate is opened, and counts."""

    def __init__(self) -> None:
        super().__init__(2**20)
        self.gate = asyncio.Semaphore(0)
        self.sweeps = self.at_once = self.most_at_once = 0

    async def sweep(self) -> int:
        self.sweeps += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.gate.acquire()
        self.at_once -= 1
        return 0


def test_one_sweep_at_a_time_and_another_for_what_came_meanwhile() -> None:
    async def scene() -> None:
        store = SlowToSweep()
        one = Scene(store)
        await one.purge(hard(tag("a")))
        await asyncio.sleep(0)
        for name in "bcd":
            await one.purge(hard(tag(name)))
        for _ in range(2):
            store.gate.release()
        await one.tasks.drain(1)
        assert (store.sweeps, store.most_at_once) == (2, 1)
        store.gate.release()
        await one.purge(hard(tag("e")))
        await one.tasks.drain(1)
        assert store.sweeps == 3

    asyncio.run(scene())


def test_others_get_their_turn_while_much_is_counted() -> None:
    async def talk(scene: Scene) -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        assert (await scene.purge(soft(tag("many")), soft(tag("much")))).matched == 5_000
        task.cancel()
        assert turns > 5

    run(talk, [page(f"GET http a.example /{number}", "many") for number in range(5_000)])


class Saving(MemoryStore):
    """While it is counted, a response that was fetched before arrives."""

    async def entries(self, selector: Selector | None = None) -> AsyncIterator[StoredResponse]:
        async for one in super().entries(selector):
            yield one
        await self.save(page("GET http a.example /late", "blog"))


def test_what_arrives_between_the_count_and_the_log_is_purged() -> None:
    async def scene() -> None:
        one = Scene(Saving(2**20))
        await one.purge(hard(tag("blog")))
        (late,) = await one.store.lookup("GET http a.example /late")
        assert late.purge is not None

    asyncio.run(scene())


A, B = "a.example", "b.example"
NEAR = [
    row("a tag in another case", tag("products"), [(tag("Products"), "differs in case")]),
    row("a tag with a slip", tag("Product"), [(tag("Products"), "spelled alike")]),
    row("a tag with two slips", tag("prodct_10"), [(tag("product-10"), "spelled alike")]),
    row("a tag at another host", tag("post-7", B), [(tag("post-7", A), "at another host")]),
    row("nothing like it", tag("authors"), []),
    row("short tags are no slips", tag("b"), []),
    row("a URL at another host", url("/shop/", B), [(url("/shop/", A), "at another host")]),
    row("a URL without its slash", url("/shop"), [(url("/shop/"), "with a slash at its end")]),
    row("a URL with a query", url("/blog?x", B), [(url("/blog", B), "without a query")]),
    row("a URL without its query", url("/blog?page=3", A),
        [(url("/blog", A), "without a query"), (url("/blog?page=2", A), "with its query")]),
    row("a path in another case", path("/Shop/"), [(path("/shop/"), "differs in case")]),
    row("a path with a slash too many", path("/blog/", B), [(path("/blog", B), "without the slash")]),
    row("a path with a slip", path("/blogs", B), [(path("/blog", B), "spelled alike")]),
    row("a prefix in another case", Selector(Kind.PREFIX, "/SH"), [(Selector(Kind.PREFIX, "/sh"), "differs in case")]),
    row("a prefix at another host", Selector(Kind.PREFIX, "/shop", B),
        [(Selector(Kind.PREFIX, "/shop", A), "at another host")]),
    row("a host", Selector(Kind.HOST, host="b.exmple"),
        [(Selector(Kind.HOST, host=B), "is stored"), (Selector(Kind.HOST, host=A), "is stored")]),
    row("not everything", EVERYTHING, []),
]  # fmt: skip


@pytest.mark.parametrize(("selector", "near"), NEAR)
def test_what_was_perhaps_meant(selector: Selector, near: list[tuple[Selector, str]]) -> None:
    async def talk(scene: Scene) -> None:
        purged = await scene.purge(soft(selector), dry_run=True)
        assert [(one.selector, one.because) for one in purged.near] == near

    run(talk, [] if selector == EVERYTHING else None)


def test_nothing_is_near_where_something_was_hit() -> None:
    async def talk(scene: Scene) -> None:
        assert (await scene.purge(soft(tag("Products")), soft(tag("products")))).near == ()

    run(talk)


def test_nothing_is_suggested_to_who_does_not_want_it() -> None:
    async def talk(scene: Scene) -> None:
        assert (await scene.purging.carry_out([soft(tag("products"))], suggest=False)).near == ()

    run(talk)


def test_what_was_deleted_is_not_near() -> None:
    async def talk(scene: Scene) -> None:
        await scene.purge(hard(tag("Products")))
        assert (await scene.purge(soft(tag("products")))).near == ()

    run(talk)


def test_suggestions_have_a_bound() -> None:
    async def talk(scene: Scene) -> None:
        assert len((await scene.purge(soft(tag("number-xx")))).near) == 10

    run(talk, [page(f"GET http a.example /{number}", f"number-{number}") for number in range(10, 60)])


def test_long_names_are_compared_in_a_time_that_grows_with_their_length_alone() -> None:
    def seconds(length: int) -> float:
        one, other = "a" * length, "a" * (length - 1) + "b"
        return min(timeit.repeat(lambda: distance_between(one, other), number=3, repeat=3))

    assert seconds(480) < 40 * seconds(40)


@pytest.mark.parametrize(("one", "other", "distance"), [
    ("post-7", "post-7",       0),    ("post-7", "post-8", 1),    ("posts", "post", 1),    ("posts", "pots", 1),
    ("product", "prodcut",     2),    ("product", "prod", None),  ("abc", "xyz", None),    ("ab", "ac", None),
    ("category", "catalogue",  None), ("", "", 0), ("a" * 400 + "b", "b" + "a" * 400, 2), ("a" * 501, "a" * 500, None),
])  # fmt: skip
def test_spelled_alike(one: str, other: str, distance: int | None) -> None:
    assert distance_between(one, other) == distance == distance_between(other, one)
