"""`POST /v1/why`: the whole reasoning for a request, and questions that cannot be asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.edge.administered import Administered, page, run


def test_why_a_page_is_stale() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        site.clock.advance(137)
        found = await site.told("POST", "/v1/why", {"url": "/blog"})
        assert found["because"].startswith("s-maxage=60 ended 1m17s ago")
        assert found["answer"]["result"] == "stale"
        assert found["says"] == {"x-cache": "STALE"}
        assert found["key"]["text"] == "GET http localhost:8080 /blog"
        assert (found["last_request"]["result"], found["last_request"]["ago"]) == ("miss", 137)
        assert found["in_flight"] is False

    run(talk)


def test_why_is_no_request() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        site.clock.advance(137)
        await site.ask("POST", "/v1/why", {"url": "/blog"})
        assert site.around.journal.counters.origin_requests.total() == 1
        assert site.around.journal.counters.requests == 1

    run(talk)


def test_why_a_page_is_not_stored() -> None:
    async def talk(site: Administered) -> None:
        site.origin.script({"/cart": page("cart", cc="s-maxage=60", set_cookie="session=secret")})
        await site.visit("/cart")
        found = await site.told("POST", "/v1/why", {"url": "/cart"})
        assert (found["says"], found["uncacheable"]) == ({}, True)
        assert found["last_answer"]["judgement"]["reason"] == "set-cookie"
        assert "secret" not in json.dumps(found)

    run(talk, dialect="vercel")


def test_without_fields_the_last_such_request_is_explained() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", cache_control="no-cache", authorization="Bearer secret")
        found = await site.told("POST", "/v1/why", {"url": "/blog"})
        assert (found["request"]["as_last"], found["answer"]["judgement"]["reason"]) == (True, "request-no-cache")
        assert "secret" not in json.dumps(found)
        found = await site.told("POST", "/v1/why", {"url": "/blog", "headers": [["accept", "text/html"]]})
        assert (found["request"]["as_last"], found["answer"]["judgement"]["reason"]) == (False, "fresh")
        found = await site.told("POST", "/v1/why", {"url": "/blog", "method": "HEAD"})
        assert found["request"]["as_last"], "HEAD is answered from what GET has stored"
        found = await site.told("POST", "/v1/why", {"url": "/blog", "method": "POST"})
        assert (found["request"]["as_last"], found["last_request"]) == (False, None)

    run(talk)


@pytest.mark.parametrize(("question", "key"), [
    ({"url": "/a b?c=ü#d"},                                          "GET http localhost:8080 /a%20b?c=%C3%BC"),
    ({"url": "http://Shop.Example:80"},                              "GET http shop.example /"),
    ({"url": "shop.example:3000/a"},                                 "GET http shop.example:3000 /a"),
    ({"url": "https://shop.example/?q"},                             "GET https shop.example /?q"),
    ({"url": "/", "headers": [["Host", "Shop.Example"]]},            "GET http shop.example /"),
    ({"url": "http://a/", "headers": [["Host", "b"]]},               "GET http a /"),
    ({"url": "/", "headers": [["rsc", "1"]]},                        "GET http localhost:8080 / rsc=1"),
])  # fmt: skip
def test_which_key_is_asked_about(question: dict[str, Any], key: str) -> None:
    async def talk(site: Administered) -> None:
        status, found = await site.ask("POST", "/v1/why", question)
        assert (status, found["key"]["text"]) == (200, key)

    run(talk)


@pytest.mark.parametrize(("listen", "key"), [
    ("127.0.0.1:9000",   "GET http localhost:9000 /"),
    ("0.0.0.0:9000",     "GET http localhost:9000 /"),
    ("192.0.2.1:9000",   "GET http 192.0.2.1:9000 /"),
])  # fmt: skip
def test_a_path_is_of_the_site_itself(listen: str, key: str) -> None:
    async def talk(site: Administered) -> None:
        assert (await site.ask("POST", "/v1/why", {"url": "/"}))[1]["key"]["text"] == key

    run(talk, listen=listen)


def test_a_path_is_of_the_site_that_was_visited_last() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", host="shop.example")
        await site.visit("/", host="not a host")
        assert (await site.ask("POST", "/v1/why", {"url": "/"}))[1]["key"]["text"] == "GET http shop.example /"
        assert (await site.ask("POST", "/v1/why", {"url": "/blog"}))[1]["answer"]["result"] == "hit"
        assert (await site.ask("POST", "/v1/why", {"url": "http://other/blog"}))[1]["answer"]["result"] is None

    run(talk)


@pytest.mark.parametrize(("question", "words"), [
    (b"nothing",                                        "the body is not JSON"),
    (b"\xff",                                           "the body is not JSON"),
    ([],                                                "the body is a list"),
    ({"url": "/", "header": []},                        "header is unknown; did you mean headers?"),
    ({},                                                "url is missing"),
    ({"url": 1},                                        "url is 1"),
    ({"url": "blog"},                                   "'blog' is no URL"),
    ({"url": "ftp://a/"},                               "is no URL"),
    ({"url": "http://["},                               "is no URL"),
    ({"url": "http://me@a/"},                           "carries a user name"),
    ({"url": "http://ä/"},                              "is no host"),
    ({"url": "/", "method": "get"},                     "method 'get' is no method"),
    ({"url": "/", "method": 1},                         "method 1 is no method"),
    ({"url": "/", "headers": {}},                       "headers is a dict"),
    ({"url": "/", "headers": ["a"]},                    "'a' is no pair"),
    ({"url": "/", "headers": [["a", 1]]},               "is no pair"),
    ({"url": "/", "headers": [["a b", "c"]]},           "'a b' is no field name"),
    ({"url": "/", "headers": [["a", "b\nc"]]},          "has a character that no field carries"),
    ({"url": "/", "headers": [["a", "☃"]]},             "has a character that no field carries"),
    ({"url": "/", "headers": [["host", "a"], ["host", "b"]]}, "headers has 2 Host fields"),
])  # fmt: skip
def test_questions_that_cannot_be_asked(question: object, words: str) -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("POST", "/v1/why", question)
        assert (status, problem["title"]) == (400, "Bad Request")
        assert words in problem["detail"]

    run(talk)


def test_a_question_that_is_too_long() -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("POST", "/v1/why", {"url": "/" + "a" * 200_000})
        assert status == 413
        assert "larger" in problem["detail"]

    run(talk)
