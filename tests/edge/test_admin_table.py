"""POST /v1/table: from what the origin has answered, or from what it answers now."""

from __future__ import annotations

from typing import Any

import pytest

from app.dialects import dialect_names
from tests.edge.administered import SWR, Administered, page, run


def one(told: Any, name: str) -> Any:
    return next(each for each in told["dialects"] if each["dialect"] == name)


def test_the_last_answer_will_do() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/blog")
        site.clock.advance(5)
        told = await site.told("POST", "/v1/table", {"url": "/blog"})
        assert (told["fetched"], told["ago"], told["running"]) == (False, 5, "standard")
        assert told["url"] == "http://localhost:8080/blog"
        assert [each["dialect"] for each in told["dialects"]] == dialect_names()
        assert {"name": "cache-control", "value": SWR} in told["fields"]
        assert one(told, "vercel")["second"]["says"]["x-vercel-cache"] == "HIT"
        assert len(site.origin.requests) == 1

    run(talk)


def test_what_nobody_has_asked_for_is_asked_for_once_and_not_kept() -> None:
    async def talk(site: Administered) -> None:
        told = await site.told("POST", "/v1/table", {"url": "/shop"})
        assert told["fetched"]
        assert one(told, "standard")["told_apart_by"] == ["accept-language"]
        assert len(site.origin.requests) == 1
        assert (await site.told("GET", "/v1/entries"))["entries"] == []
        assert (await site.visit("/shop")).header("x-cache") == "MISS"

    run(talk)


def test_with_fields_the_origin_is_asked_and_only_the_origin() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        question = {"url": "http://elsewhere.test/blog", "headers": [["cookie", "a=b"], ["x-forwarded-host", "evil"]]}
        told = await site.told("POST", "/v1/table", question)
        assert told["fetched"]
        sent = site.origin.requests[-1]
        assert sent.url.host == "origin.test"
        assert sent.headers["cookie"] == "a=b"
        assert sent.headers.get("x-forwarded-host") == "elsewhere.test"

    run(talk)


@pytest.mark.parametrize(("first", "fields"), [
    (page("blog", etag='"1"', cc="no-cache") | {"validates": True}, {"if_none_match": '"1"'}),
    ({"error": "connection_refused"}, {}),
])  # fmt: skip
def test_half_an_answer_will_not_do(first: dict[str, Any], fields: dict[str, str]) -> None:
    """A 304 has no head of its own, and an error none at all."""

    async def talk(site: Administered) -> None:
        site.origin.script({"/page": [first, first, page("page")]})
        await site.visit("/page", "/page", **fields)
        told = await site.told("POST", "/v1/table", {"url": "/page", "dialects": ["nginx"]})
        assert (told["fetched"], told["status"]) == (True, 200)
        assert "if-none-match" not in site.origin.requests[-1].headers

    run(talk)


def test_a_reload_is_not_what_others_would_ask() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", cache_control="no-cache")
        told = await site.told("POST", "/v1/table", {"url": "/blog"})
        assert one(told, "standard")["second"]["result"] == "hit"

    run(talk)


def test_the_dialect_in_force_stands_here_with_its_own_rules() -> None:
    async def talk(site: Administered) -> None:
        told = await site.told("POST", "/v1/table", {"url": "/about", "dialects": ["standard", "nginx"]})
        assert one(told, "standard")["stale_for"] == 77
        assert one(told, "nginx")["stale_for"] == 0

    run(talk, {"default_stale_while_revalidate": 77})


@pytest.mark.parametrize(("content", "status", "words"), [
    ({"url": "/x", "dialects": ["nginz"]}, 400, "did you mean nginx?"),
    ({"url": "/x", "dialects": ["./secret.toml"]}, 400, "is unknown"),
    ({"url": "/x", "dialects": "nginx"}, 400, "write a list of names"),
    ({"url": "/x", "dialects": [1]}, 400, "write a list of names"),
    ({"url": "/x", "method": "POST"}, 400, "method is unknown"),
    ({"dialects": ["nginx"]}, 400, "url is missing"),
    ({"url": "/down"}, 502, "the origin gave no answer"),
])  # fmt: skip
def test_mistakes_are_problems(content: Any, status: int, words: str) -> None:
    async def talk(site: Administered) -> None:
        site.origin.script({"/down": {"error": "connection_refused"}})
        answered, told = await site.ask("POST", "/v1/table", content)
        assert answered == status
        assert words in told["detail"]

    run(talk)
