"""POST /v1/table: from what the origin has answered, or from what it answers now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.core.preview import Preview
from app.dialects import dialect_names
from app.table.text import rendered
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


VISITOR = {
    "cookie": "session=1; __prerender_bypass=secret", "authorization": "Bearer a", "x_prerender_revalidate": "secret",
    "x_api_key": "k", "x_forwarded_for": "203.0.113.9", "accept_language": "de",
}  # fmt: skip


@pytest.mark.parametrize("fields", [VISITOR, {"cookie": "a=b"}, {"authorization": "Basic eDp5"}])
def test_the_origin_is_asked_as_nobody(fields: dict[str, str]) -> None:
    """What was answered to somebody is not what others would get, and nobody's rights are used for the question."""

    async def talk(site: Administered) -> None:
        await site.visit("/blog", **fields)
        assert (await site.told("POST", "/v1/table", {"url": "/blog"}))["fetched"]
        visit, question = site.origin.requests
        assert "cookie" in visit.headers or "authorization" in visit.headers
        kept = {"accept-language"} & set(question.headers)
        assert set(question.headers) - kept <= {
            "host", "user-agent", "via", "cdn-loop", "forwarded", "x-forwarded-host", "x-forwarded-proto",
            "accept", "accept-encoding", "connection",
        }  # fmt: skip
        assert not any(value in str(question.headers) for value in ("secret", "203.0.113.9", "127.0.0.1"))

    run(talk, dialect="vercel", preview_token="secret", trust_forwarded="true")


@pytest.mark.parametrize("name", ["x-opens", "x-if-there"])
def test_preview_tokens_of_any_name_stay_where_they_are(name: str) -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/down", x_opens="t", x_if_there="1")
        await site.told("POST", "/v1/table", {"url": "/down", "dialects": ["standard"]})
        visit, question = site.origin.requests
        assert name in visit.headers
        assert name not in question.headers

    run(talk, {"preview": Preview("draft", "x-opens", "x-if-there", "t")})


def test_what_was_fetched_for_nobody_in_particular_will_do() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", cookie="a=b")
        site.clock.advance(61)
        await site.visit("/blog", cookie="a=b")  # stale, and refreshed without the cookie
        assert not (await site.told("POST", "/v1/table", {"url": "/blog"}))["fetched"]

    run(talk)


ROUTED = """
[[routes]]
path = "/shop"
host = "elsewhere.test"
revalidate = 5

[[routes]]
path = "/sh*"
revalidate = 9
key_cookies = ["lang"]

[[routes]]
path = "/about"
rules = { ignored_directives = ["private"], cookies = "bypass", authorization = "bypass", store_post = false }

[[routes]]
path = "/b*"
only = ["/blog"]
rules = { vary = "ignore" }
"""


def with_routes(talk: Callable[[Administered], Awaitable[None]], folder: Path) -> None:
    (folder / "swerve.toml").write_text(ROUTED, encoding="utf-8")
    run(talk, config=str(folder / "swerve.toml"))


def test_a_route_holds_for_every_dialect(tmp_path: Path) -> None:
    async def talk(site: Administered) -> None:
        told = await site.told("POST", "/v1/table", {"url": "/shop", "headers": [["cookie", "lang=de"]]})
        assert (told["route"]["path"], told["route"]["says"]["revalidate"]) == ("/sh*", "9")
        assert "nginx" not in told["without_route"]
        for name in ("standard", "nginx", "squid"):
            assert (one(told, name)["fresh_for"], one(told, name)["lifetime_from"]) == (9, "route"), name
        assert "cookie:lang" in one(told, "standard")["told_apart_by"]
        assert "the route /sh*: revalidate = 9, key_cookies" in rendered(told, 100, colour=False)
        told = await site.told("POST", "/v1/table", {"url": "http://elsewhere.test/shop", "dialects": ["nginx"]})
        assert one(told, "nginx")["fresh_for"] == 5
        told = await site.told("POST", "/v1/table", {"url": "/shopping?a=1", "dialects": ["nginx"]})
        assert one(told, "nginx")["fresh_for"] == 9
        told = await site.told("POST", "/v1/table", {"url": "/other", "dialects": ["nginx"]})
        assert (told["route"], told["without_route"]) == (None, {})

    with_routes(talk, tmp_path)


def test_the_last_answer_is_looked_for_by_the_rules_of_the_route(tmp_path: Path) -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        told = await site.told("POST", "/v1/table", {"url": "/blog", "dialects": ["standard"]})
        assert (told["fetched"], told["route"]["path"]) == (False, "/b*")

    with_routes(talk, tmp_path)


def test_a_dialect_that_could_not_be_started_with_the_route_stands_without_it(tmp_path: Path) -> None:
    async def talk(site: Administered) -> None:
        told = await site.told("POST", "/v1/table", {"url": "/about"})
        assert list(told["without_route"]) == ["azure"]
        assert 'write query = "withhold"' in told["without_route"]["azure"]
        assert "azure without it: the route /about: " in rendered(told, 200, colour=False)

    with_routes(talk, tmp_path)


def test_a_path_that_is_none_by_its_route_is_not_asked_for(tmp_path: Path) -> None:
    async def talk(site: Administered) -> None:
        status, told = await site.ask("POST", "/v1/table", {"url": "/books"})
        assert (status, site.origin.requests) == (400, [])
        assert "the route /b* says by only" in told["detail"]

    with_routes(talk, tmp_path)


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
