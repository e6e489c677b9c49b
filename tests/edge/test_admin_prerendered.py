"""What was warmed counts as prerendered, until somebody visits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.driver import Received
from tests.edge.administered import Administered, run


def test_the_first_visit_of_what_was_just_stored() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/about")
        site.clock.advance(20)
        await site.visit("/blog", "/blog?page=2", "/shop")
        site.clock.advance(10)
        told = {"urls": ["/blog", "http://localhost:8080/about", "http://other.example/shop", "/none"], "within": 15}
        assert await site.told("POST", "/v1/prerendered", told) == {"marked": 1}, "the others are older, or elsewhere"
        assert await site.told("POST", "/v1/prerendered", told) == {"marked": 0}, "it is already"
        assert [await reason(site, path) for path in ("/blog", "/blog", "/about", "/blog?page=2")] == [
            "prerendered", "fresh", "fresh", "fresh"
        ]  # fmt: skip

    run(talk)


async def reason(site: Administered, path: str) -> str:
    return detail(await site.visit(path))


def detail(received: Received) -> str:
    return (received.header("cache-status") or "").rpartition("detail=")[2]


def test_all_its_variants_are_marked_with_their_bodies(tmp_path: Path) -> None:
    async def talk(site: Administered) -> None:
        await site.application.open()
        for language in ("de", "en"):
            await site.visit("/shop", accept_language=language)
        assert await site.told("POST", "/v1/prerendered", {"urls": ["/shop"], "within": 1.5}) == {"marked": 2}
        for language in ("de", "en"):
            visited = await site.visit("/shop", accept_language=language)
            assert (visited.body, detail(visited)) == (b"shop", "prerendered")
        await site.application.aclose()

    run(talk, store=f"{tmp_path}/store")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({},                                        "urls is no list"),
        ({"urls": "/blog", "within": 1},            "urls is no list"),
        ({"urls": [1], "within": 1},                "urls is no list"),
        ({"urls": ["/a"] * 1_001, "within": 1},     "at most 1000"),
        ({"urls": ["blog"], "within": 1},           "'blog' is neither a path nor a URL"),
        ({"urls": ["/blog"]},                       "within is None"),
        ({"urls": ["/blog"], "within": -1},         "within is -1"),
        ({"urls": ["/blog"], "within": True},       "within is True"),
        ({"url": ["/blog"]},                        "did you mean urls?"),
    ],
)  # fmt: skip
def test_what_cannot_be_marked(told: Any, words: str) -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("POST", "/v1/prerendered", told)
        assert status == 400
        assert words in problem["detail"]

    run(talk)
