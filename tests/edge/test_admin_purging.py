"""Purges over the admin side: what they do to the next visitor, what they answer, what cannot be ordered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.admin.selectors import by_tag
from app.core.purging import EVERYTHING, Mode, Purge, Selector
from app.core.rules import Rules
from app.core.tags import TagField
from tests.core.build import row
from tests.edge.administered import Administered, page, run, says


async def asked(site: Administered, times: int) -> None:
    """Wait until the origin was asked so often."""
    while len(site.origin.requests) < times:  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(0)


def test_an_invalidated_page_is_stale_once() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        site.origin.script({"/blog": page("news", "blog")})
        done = await site.told("POST", "/v1/invalidate", {"tags": ["post-7"]})
        assert done["matched"] == 1
        stale = await site.visit("/blog")
        assert (stale.header("x-vercel-cache"), stale.body) == ("STALE", b"blog")
        fresh = await site.visit("/blog")
        assert (fresh.header("x-vercel-cache"), fresh.body) == ("HIT", b"news")

    run(talk, dialect="vercel")


def test_a_deleted_page_waits_for_the_origin() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        site.origin.script({"/blog": page("news", "blog")})
        await site.told("POST", "/v1/delete", {"tags": ["post-7"]})
        renewed = await site.visit("/blog")
        assert (renewed.header("x-vercel-cache"), renewed.body) == ("REVALIDATED", b"news")
        assert await says(site, "/blog") == "HIT"

    run(talk, dialect="vercel")


@pytest.mark.parametrize("order", ["/v1/delete", "/v1/invalidate"])
def test_what_a_machine_has_stored_whose_clock_is_ahead_is_renewed_all_the_same(order: str) -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        [stored] = await site.around.store.lookup("GET http localhost:8080 /blog")
        await site.around.store.save(replace(stored, number=stored.number + 10**15))
        site.origin.script({"/blog": page("news", "blog")})
        await site.told("POST", order, {"all": True})
        await site.visit("/blog")
        renewed = await site.visit("/blog")
        assert (renewed.header("x-vercel-cache"), renewed.body) == ("HIT", b"news")

    run(talk, dialect="vercel")


def test_past_its_deadline_an_invalidation_is_a_deletion() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/shop")
        done = await site.told("POST", "/v1/invalidate", {"all": True, "deadline": 10})
        assert done["purges"][0]["deadline"] == site.clock.now() + 10
        site.clock.advance(9.9)
        assert await says(site, "/blog") == "STALE"
        site.clock.advance(0.2)
        assert await says(site, "/blog") == "HIT", "it was refreshed in time"
        assert await says(site, "/shop") == "REVALIDATED"

    run(talk, dialect="vercel")


def test_a_deletion_is_not_undone_by_who_had_decided_to_validate_before_it() -> None:
    async def talk(site: Administered) -> None:
        confirmed = page("blog", "blog", cc="s-maxage=60", etag='"1"') | {"validates": True}
        site.origin.script({"/blog": confirmed})
        await site.visit("/blog")
        site.clock.advance(90)
        visiting = asyncio.ensure_future(site.visit("/blog"))
        for _ in range(20):
            await asyncio.sleep(0)
            if site.around.flights:
                break
        assert len(site.origin.requests) == 1, "it is decided, and the condition not yet on its way"
        await site.around.store.purge(Purge(Mode.HARD, EVERYTHING))
        assert (await visiting).body == b"blog"
        assert "if-none-match" in site.origin.requests[1].headers
        assert await says(site, "/blog") == "REVALIDATED"
        assert "if-none-match" not in site.origin.requests[2].headers

    run(talk, dialect="vercel")


def test_who_comes_after_a_deletion_does_not_join_a_refresh_that_was_decided_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    granted = asyncio.Event()

    async def lease(_key: str, _seconds: float) -> bool:
        return await granted.wait()

    async def talk(site: Administered) -> None:
        monkeypatch.setattr(site.around.store, "shared", True, raising=False)
        monkeypatch.setattr(site.around.store, "lease", lease)
        site.origin.script({"/blog": page("blog", "blog", etag='"1"') | {"validates": True}})
        await site.visit("/blog")
        site.clock.advance(90)
        assert (await site.site.request("GET", "/blog")).header("x-vercel-cache") == "STALE"
        await site.around.store.purge(Purge(Mode.HARD, EVERYTHING))
        site.origin.gate.clear()
        granted.set()
        await asked(site, 2)
        assert "if-none-match" in site.origin.requests[1].headers, "the refresh of what is deleted by now"
        visiting = asyncio.ensure_future(site.site.request("GET", "/blog"))
        for _ in range(20):
            await asyncio.sleep(0)
        site.origin.gate.set()
        assert (await visiting).body == b"blog"
        assert ["if-none-match" in one.headers for one in site.origin.requests] == [False, True, False]

    run(talk, dialect="vercel")


@pytest.mark.parametrize(("others", "says"), [((), "HIT"), ((EVERYTHING,), "MISS")])
def test_a_post_s_own_answer_is_fetched_before_what_is_deleted_meanwhile(
    others: tuple[Selector, ...], says: str
) -> None:
    async def talk(site: Administered) -> None:
        site.origin.script({"/blog": page("new", "blog", content_location="/blog")})
        site.origin.gate.clear()
        posting = asyncio.ensure_future(site.site.request("POST", "/blog"))
        await asked(site, 1)
        for selector in others:
            await site.around.store.purge(Purge(Mode.HARD, selector))
        site.origin.gate.set()
        assert (await posting).body == b"new"
        assert (await site.visit("/blog")).header("x-cache") == says

    run(talk)


def test_what_is_answered() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/blog?page=2")
        order = {"tags": ["blog"], "paths": ["/blog"], "host": "LOCALHOST:8080"}
        done = await site.told("POST", "/v1/invalidate", order)
        assert (done["matched"], done["dry_run"], done["near"]) == (2, False, [])
        assert [one["url"] for one in done["entries"]] == [
            "http://localhost:8080/blog", "http://localhost:8080/blog?page=2",
        ]  # fmt: skip
        assert [one["state"] for one in done["entries"]] == ["fresh", "fresh"], "as they were before"
        assert done["purges"] == [
            {"mode": "invalidate", "number": 1, "deadline": None, "selector": {
                "kind": "tag", "value": "blog", "host": "localhost:8080", "words": "tag blog at localhost:8080"}},
            {"mode": "invalidate", "number": 2, "deadline": None, "selector": {
                "kind": "path", "value": "/blog", "host": "localhost:8080", "words": "path localhost:8080/blog"}},
        ]  # fmt: skip

    run(talk)


def test_a_dry_run_does_nothing() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        done = await site.told("POST", "/v1/delete", {"all": True, "dry_run": True})
        assert (done["matched"], done["dry_run"], done["purges"][0]["number"]) == (1, True, None)
        assert await says(site, "/blog") == "HIT"

    run(talk, dialect="vercel")


def test_what_was_perhaps_meant() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        done = await site.told("POST", "/v1/delete", {"tags": ["Post-7"]})
        assert done["matched"] == 0
        assert [(one["selector"]["words"], one["because"]) for one in done["near"]] == [
            ("tag post-7", "differs in case")
        ]

    run(talk)


NAMED = [
    row("a tag",                              {"tags": ["a"]},                        ["tag * a"]),
    row("a tag at a host",                    {"tags": ["a"], "host": "h:80"},        ["tag h a"]),
    row("a path",                             {"paths": ["/a b"]},                    ["path * /a%20b"]),
    row("a URL",                              {"urls": ["https://H:443/a?b#c"]},      ["url h /a?b"]),
    row("a URL at a port",                    {"urls": ["h:8080/a"]},                 ["url h:8080 /a"]),
    row("a URL that is a path",               {"urls": ["/a?b"]},                     ["url * /a?b"]),
    row("a URL at the host that is said",     {"urls": ["http://h/"], "host": "h"},   ["url h /"]),
    row("a prefix",                           {"prefixes": ["/a"]},                   ["prefix * /a"]),
    row("a prefix at a host",                 {"prefixes": ["http://h/a"]},           ["prefix h /a"]),
    row("a host",                             {"hosts": ["H.example:443"]},           ["host h.example "]),
    row("everything",                         {"all": True},                          ["all * "]),
    row("several, once each",                 {"tags": ["a", "b", "a"], "all": False}, ["tag * a", "tag * b"]),
    row("a tag beyond ASCII",                 {"tags": ["☃"]},                        ["tag * \xe2\x98\x83"]),
    row("a tag that may be sent in two ways", {"tags": ["ä"]},                        ["tag * \xc3\xa4", "tag * \xe4"]),
]  # fmt: skip


@pytest.mark.parametrize(("order", "names"), NAMED)
def test_what_is_named(order: dict[str, Any], names: list[str]) -> None:
    async def talk(site: Administered) -> None:
        await site.told("POST", "/v1/delete", order)
        assert [one.purge.selector.name for one in site.around.store.log] == names

    run(talk)


@pytest.mark.parametrize(("fields", "names"), [
    ([TagField("a")],                                    ["Tag"]),
    ([TagField("a", fold_case=True)],                    ["tag"]),
    ([TagField("a", fold_case=True), TagField("b")],     ["Tag", "tag"]),
    ([],                                                 ["Tag"]),
])  # fmt: skip
def test_tags_are_named_in_the_case_in_which_they_are_kept(fields: list[TagField], names: list[str]) -> None:
    rules = replace(Rules(), tags=tuple(fields))
    assert [one.value for one in by_tag("tags", "Tag", None, rules)] == names


REFUSED = [
    (b"x",                                                  "the body is not JSON"),
    ([],                                                    "the body is a list; write an object"),
    ({},                                                    "nothing is named; write for example"),
    ({"tags": []},                                          "nothing is named"),
    ({"all": False},                                        "nothing is named"),
    ({"host": "a"},                                         'host alone says only where; write for example {"hosts"'),
    ({"tag": ["a"]},                                        "tag is unknown; did you mean tags?"),
    ({"tags": "a"},                                         "tags is 'a'; write a list of texts"),
    ({"tags": [1]},                                         "tags holds 1; write text in quotes"),
    ({"tags": [" "]},                                       "tags: ' ' is no tag"),
    ({"paths": ["blog"]},                                   "paths: 'blog' is no path"),
    ({"paths": ["//a/b"]},                                  "paths: '//a/b' is no path"),
    ({"paths": ["http://a/b"]},                             "is no path; write it from its slash on"),
    ({"paths": ["/blog?a"]},                                "has a query, and a path means any"),
    ({"urls": ["blog"]},                                    "urls: 'blog' is neither a path nor a URL"),
    ({"urls": ["http://a/"], "host": "b"},                  "is not at host 'b'"),
    ({"urls": ["/" + "a" * 20_000]},                        "is longer than any that is stored"),
    ({"prefixes": ["*.png"]},                               "prefixes: '*.png' is neither a path nor a URL"),
    ({"hosts": ["http://a"]},                               "hosts: 'http://a' is no host"),
    ({"hosts": ["a"], "host": 1},                           "host holds 1"),
    ({"all": "yes"},                                        "all is 'yes'; write true or false"),
    ({"all": True, "tags": ["a"]},                          "all is everything, whatever tags says"),
    ({"all": True, "host": "a"},                            "all is everything, whatever host says"),
    ({"all": True, "dry_run": 1},                           "dry_run is 1; write true or false"),
    ({"all": True, "deadline": "10"},                       "deadline is '10'; write seconds"),
    ({"all": True, "deadline": -1},                         "deadline is -1"),
    ({"all": True, "deadline": True},                       "deadline is True"),
    ({"tags": [str(number) for number in range(1_001)]},    "1001 names are too many"),
    ({"tags": ["good"], "paths": ["bad"]},                  "paths: 'bad' is no path"),
]  # fmt: skip


@pytest.mark.parametrize(("order", "words"), REFUSED)
def test_orders_that_cannot_be_carried_out(order: Any, words: str) -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("POST", "/v1/invalidate", order)
        assert (status, problem["title"]) == (400, "Bad Request")
        assert words in problem["detail"]
        assert site.around.store.purge_number() == 0, "nothing is carried out when anything is wrong"

    run(talk)


def test_a_deletion_has_no_deadline() -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("POST", "/v1/delete", {"all": True, "deadline": 10})
        assert (status, problem["detail"].split(";")[0]) == (
            400, "deadline is for an invalidation, which it turns into a deletion",
        )  # fmt: skip

    run(talk)


def test_an_order_that_is_too_long() -> None:
    async def talk(site: Administered) -> None:
        assert (await site.ask("POST", "/v1/delete", {"tags": ["a" * 2**20]}))[0] == 413

    run(talk)
