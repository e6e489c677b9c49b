"""Deployments, announced over the admin side."""

from __future__ import annotations

from typing import Any

import pytest

from tests.edge.administered import Administered, run, says


def test_a_deployment_starts_cold_and_comes_back_warm() -> None:
    async def talk(site: Administered) -> None:
        assert await site.told("GET", "/v1/deployments") == {"current": None, "known": []}
        await site.told("POST", "/v1/deployments", {"id": "v1"})
        await site.visit("/blog")
        told = await site.told("POST", "/v1/deployments", {"id": "v2"})
        assert told == {"current": "v2", "known": ["v1", "v2"]} == await site.told("GET", "/v1/deployments")
        assert await says(site, "/blog") == "MISS"
        assert (await site.told("POST", "/v1/deployments", {"id": "v1"}))["current"] == "v1"
        assert await says(site, "/blog") == "HIT"

    run(talk, dialect="vercel")


@pytest.mark.parametrize(("content", "words"), [
    ({}, "id is None"), ({"id": ""}, "id is ''"), ({"id": 7}, "id is 7"), ({"id": "a\n"}, "is no deployment"),
    ({"name": "v1"}, "name is unknown; known: id"), ({"id": "a" * 300}, "write at most 128"),
])  # fmt: skip
def test_deployments_that_cannot_be_announced(content: Any, words: str) -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("POST", "/v1/deployments", content)
        assert status == 400
        assert words in problem["detail"]
        assert site.around.store.purge_number() == 0

    run(talk)


def test_why_speaks_of_the_current_deployment() -> None:
    async def talk(site: Administered) -> None:
        await site.told("POST", "/v1/deployments", {"id": "v1"})
        await site.visit("/blog")
        await site.told("POST", "/v1/deployments", {"id": "v2"})
        told = await site.told("POST", "/v1/why", {"url": "/blog"})
        assert (told["answer"]["kind"], told["variants"]) == ("forward", [])

    run(talk)
