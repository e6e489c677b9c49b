"""`GET /v1/config`: every setting, but no secret."""

from __future__ import annotations

import pytest

from app.shown import shown
from tests.edge.administered import Administered, run


def test_every_setting_with_where_it_was_written() -> None:
    async def talk(site: Administered) -> None:
        told = await site.told("GET", "/v1/config")
        settings = {one["name"]: (one["value"], one["written"]) for one in told["settings"]}
        assert settings["origin"] == ("http://origin.test", "ORIGIN")
        assert settings["dialect"] == ("vercel", "--dialect")
        assert settings["max_size"] == (2**28, None)
        assert settings["timeout_connect"] == (5.0, None)
        assert settings["admin_token"] == (None, None)
        assert settings["listen"] == ("127.0.0.1:8080", None)
        assert told["status_fields"] == ["x-vercel-cache", "x-cache"]
        assert told["rules"]["tags"] == [{
            "field": "cache-tag", "separator": "comma", "fold_case": False, "most": 1_000, "longest": 1_024,
        }]  # fmt: skip

    run(talk, dialect="vercel")


@pytest.mark.parametrize(("store", "told"), [
    ("redis://cache:6379/0", "redis://cache:6379/0"), ("redis://me:hush@cache", "redis://(hidden)@cache"),
    ("redis://:hu@sh@cache/1", "redis://(hidden)@cache/1"), ("/var/cache/a@b", "/var/cache/a@b"),
])  # fmt: skip
def test_a_password_in_an_address_is_hidden(store: str, told: str) -> None:
    assert shown("store", store) == told


def test_secrets_are_hidden() -> None:
    async def talk(site: Administered) -> None:
        site.admin.host = "localhost:8081"
        received = await site.admin.request("GET", "/v1/config", [("authorization", "Bearer hush")])
        assert (received.status, b"hush" in received.body, received.body.count(b"(hidden)")) == (200, False, 3)

    run(talk, admin_token="hush", preview_token="hush-hush", dialect="vercel")
