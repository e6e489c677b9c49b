"""What is stored, on the admin side: listed, shown, deleted one by one."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from app.admin.entries import DIGEST, head_of, id_of, key_of, readable
from app.core.messages import Headers
from app.core.rules import Rules, SetCookie
from app.core.tags import TagField
from tests.core.build import row
from tests.edge.administered import Administered, run


async def urls(site: Administered, query: str = "") -> list[str]:
    listed = await site.told("GET", f"/v1/entries{query}")
    return [one["url"].removeprefix("http://") for one in listed["entries"]]


def test_an_entry_in_the_list() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        site.clock.advance(20)
        listed = await site.told("GET", "/v1/entries")
        (entry,) = listed["entries"]
        assert listed["cursor"] is None
        assert entry == {
            "id": id_of("GET http localhost:8080 /blog"), "key": "GET http localhost:8080 /blog",
            "url": "http://localhost:8080/blog", "selecting": [], "status": 200, "age": 20.0, "ttl": 40.0,
            "stale_while_revalidate": 300, "stale_if_error": 0, "size": 4, "tags": ["blog", "post-7"],
            "deployment": None, "state": "fresh", "purged": None,
        }  # fmt: skip

    run(talk)


SOFTLY = {"tags": ["blog"]}


@pytest.mark.parametrize(("target", "later", "order", "state"), [
    row("fresh",                              "/blog",  59,  None,                                    "fresh"),
    row("served stale",                       "/blog",  61,  None,                                    "stale"),
    row("past its windows",                   "/blog",  361, None,                                    "expired"),
    row("without a window",                   "/about", 61,  None,                                    "expired"),
    row("purged softly",                      "/blog",  0,   ("invalidate", SOFTLY),                  "invalidated"),
    row("purged softly, before its deadline", "/blog",  9,   ("invalidate", SOFTLY | {"deadline": 10}), "invalidated"),
    row("of another deployment",              "/blog",  0,   ("deployments", {"id": "v2"}),           None),
])  # fmt: skip
def test_the_state_of_an_entry(target: str, later: int, order: tuple[str, Any] | None, state: str | None) -> None:
    async def talk(site: Administered) -> None:
        if state is None:
            await site.told("POST", "/v1/deployments", {"id": "v1"})
        await site.visit(target)
        if order is not None:
            await site.told("POST", f"/v1/{order[0]}", order[1])
        site.clock.advance(later)
        (entry,) = (await site.told("GET", "/v1/entries"))["entries"]
        assert entry["state"] == (state or "other-deployment")

    run(talk)


@pytest.mark.parametrize("order", [("delete", {}), ("invalidate", {"deadline": 10})])
def test_what_was_deleted_is_neither_listed_nor_shown(order: tuple[str, Any]) -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/shop")
        await site.told("POST", f"/v1/{order[0]}", {"paths": ["/blog"], **order[1]})
        site.clock.advance(10)
        assert await urls(site) == ["localhost:8080/shop"]
        assert (await site.ask("GET", f"/v1/entries/{id_of('GET http localhost:8080 /blog')}"))[0] == 404

    run(talk)


def test_a_purge_is_told_of_what_it_hit() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        await site.told("POST", "/v1/invalidate", {"tags": ["post-7"], "host": "localhost:8080"})
        (entry,) = (await site.told("GET", "/v1/entries"))["entries"]
        assert entry["purged"] == {
            "mode": "invalidate", "selector": "tag post-7 at localhost:8080", "at": site.clock.now(), "deadline": None,
        }  # fmt: skip

    run(talk)


LISTED = [
    row("everything, sorted by key", "",
        ["a.example/blog", "a.example/blog?page=2", "b.example/blog", "b.example/shop"]),
    row("by prefix",                 "?prefix=/blog", ["a.example/blog", "a.example/blog?page=2", "b.example/blog"]),
    row("by prefix at a host",       "?prefix=http://b.example/s", ["b.example/shop"]),
    row("by tag",                    "?tag=post-7", ["a.example/blog", "b.example/blog"]),
    row("by host",                   "?host=A.example:80", ["a.example/blog", "a.example/blog?page=2"]),
    row("by all of them",            "?tag=blog&host=a.example&prefix=/blog%3F", ["a.example/blog?page=2"]),
    row("no more than said",         "?limit=2", ["a.example/blog", "a.example/blog?page=2"]),
    row("nothing",                   "?tag=none", []),
]  # fmt: skip


@pytest.mark.parametrize(("query", "listed"), LISTED)
def test_what_is_listed(query: str, listed: list[str]) -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog?page=2", "/blog", host="a.example")
        await site.visit("/blog", host="b.example")
        site.origin.script({"/shop": {"headers": {"cache-control": "s-maxage=60"}}})
        await site.visit("/shop", host="b.example")
        assert await urls(site, query) == listed

    run(talk)


def test_pages_hold_everything_once_whatever_is_used_meanwhile() -> None:
    async def talk(site: Administered) -> None:
        site.origin.script({f"/{n}": {"headers": {"cache-control": "s-maxage=60"}} for n in range(25)})
        await site.visit(*(f"/{n}" for n in range(25)))
        found, query = list[str](), "?limit=10"
        for size in (10, 10, 5):
            page = await site.told("GET", f"/v1/entries{query}")
            assert len(page["entries"]) == size
            found += [one["url"] for one in page["entries"]]
            query = f"?limit=10&cursor={page['cursor']}"
            await site.visit("/3", "/17")
        assert page["cursor"] is None
        assert found == sorted(f"http://localhost:8080/{n}" for n in range(25))

    run(talk)


def coded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(("query", "words"), [
    ("?limit=0", "limit is '0'"), ("?limit=1001", "from 1 to 1000"), ("?limit=x", "limit is 'x'"),
    ("?cursor=x", "cursor 'x' is none of ours"),
    ("?cursor=" + coded("[" * 30_000), "is none of ours"), ("?cursor=" + coded('["a", Infinity]'), "is none of ours"),
    ("?prefix=blog", "prefix 'blog' is neither a path nor a URL"),
    ("?tags=a", "did you mean tag?"), ("?tag=", "tag '' is no tag"), ("?host=a/b", "host 'a/b' is no host"),
    ("?tag=a&tag=b", "tag comes twice"), ("?host=a&prefix=http://b/", "is not at host 'a'"),
])  # fmt: skip
def test_lists_that_cannot_be_made(query: str, words: str) -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("GET", f"/v1/entries{query}")
        assert status == 400
        assert words in problem["detail"]

    run(talk)


def test_the_whole_story_of_every_variant() -> None:
    async def talk(site: Administered) -> None:
        site.origin.script({"/": {"headers": [
            ("cache-control", "s-maxage=60"), ("vary", "accept-language, authorization"), ("surrogate-key", "a b"),
            ("x-api-key", "secret"), ("cache-tag", "a"),
        ]}})  # fmt: skip
        for language in ("de", "en"):
            await site.visit("/", accept_language=language)
        (first, *_) = (await site.told("GET", "/v1/entries"))["entries"]
        shown = await site.told("GET", f"/v1/entries/{first['id']}")
        assert (shown["id"], shown["url"]) == (first["id"], "http://localhost:8080/")
        languages = [{field["name"]: field["value"] for field in one["selecting"]} for one in shown["variants"]]
        assert [one["accept-language"] for one in languages] == ["de", "en"]
        (one, _) = shown["variants"]
        assert one["variant"]["governance"]["field"] == "cache-control"
        assert one["variant"]["timeline"]["fresh_until"]["from_now"] == 60.0
        head = {field["name"]: field["value"] for field in one["head"]}
        assert (head["surrogate-key"], head["x-api-key"]) == ("a b", "(hidden)")

    run(talk)


def test_no_cookie_and_no_credential_is_shown() -> None:
    async def talk(site: Administered) -> None:
        headers = {"cache-control": "s-maxage=60", "set-cookie": "basket=secret"}
        site.origin.script({"/basket": {"headers": headers}})
        await site.visit("/basket")
        (entry,) = (await site.told("GET", "/v1/entries"))["entries"]
        shown = await site.told("GET", f"/v1/entries/{entry['id']}")
        assert "secret" not in json.dumps([entry, shown])
        assert {"name": "set-cookie", "value": "(hidden)"} in shown["variants"][0]["head"]

    run(talk, {"set_cookie": SetCookie.STORE})


def test_one_is_deleted_with_all_its_variants_and_payloads() -> None:
    async def talk(site: Administered) -> None:
        for _ in range(2):
            await site.visit("/blog", "/blog?page=2")
        await site.visit("/blog", rsc="1")
        name = id_of("GET http localhost:8080 /blog")
        done = await site.told("DELETE", f"/v1/entries/{name}")
        assert (done["matched"], done["purges"][0]["selector"]["words"]) == (2, "url localhost:8080/blog")
        assert await urls(site) == ["localhost:8080/blog?page=2"]
        assert (await site.ask("DELETE", f"/v1/entries/{name}"))[0] == 404

    run(talk)


@pytest.mark.parametrize("name", ["x", "~x", "%20", id_of("GET http a.example /")])
def test_ids_of_nothing(name: str) -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("GET", f"/v1/entries/{name}")
        assert status == 404
        assert "nothing is stored" in problem["detail"]

    run(talk)


def test_an_id_is_the_key_where_that_is_nobodys_secret() -> None:
    plain = "GET http localhost:8080 /a?b=\xe4 rsc=1"
    assert key_of(id_of(plain)) == plain
    for key in ("GET http a / authorization=secret", f"GET http a /{'a' * 2_000}"):
        assert id_of(key).startswith(DIGEST)
        assert len(id_of(key)) < 40


def test_what_only_a_digest_names_is_found() -> None:
    async def talk(site: Administered) -> None:
        target = f"/blog?{'a' * 2_000}"
        site.origin.script({target: {"headers": {"cache-control": "s-maxage=60"}}})
        await site.visit("/blog", target)
        _, entry = (await site.told("GET", "/v1/entries"))["entries"]
        assert entry["id"].startswith(DIGEST)
        assert (await site.told("GET", f"/v1/entries/{entry['id']}"))["url"].endswith("aaa")

    run(talk)


@pytest.mark.parametrize(("stored", "shown"), [("a", "a"), ("\xc3\xa4", "ä"), ("\xe4", "ä")])
def test_tags_are_shown_as_they_were_meant(stored: str, shown: str) -> None:
    assert readable(stored) == shown


def test_fields_with_tags_are_shown_whatever_they_sound_like() -> None:
    tagging = Rules(tags=(TagField("x-page-key"),))
    head = head_of(Headers.of(("x-page-key", "a b"), ("x-api-key", "c")), tagging)
    assert [(field.name, field.value) for field in head] == [("x-page-key", "a b"), ("x-api-key", "(hidden)")]
