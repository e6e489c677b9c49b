"""Routes where people see them: `swerve why`, the configuration, WebSockets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from app.asgi import build
from app.clock import ManualClock
from app.settings import load_settings
from app.why.text import rendered
from tests.driver import Client
from tests.origin import ScriptedOrigin

FILE = """
[[routes]]
path = "/blog/*"
host = "localhost:8080"
dynamic = "force-static"
revalidate = "60s"
key_headers = ["accept-language"]
only = ["/blog/a"]

[[routes]]
path = "/docs/*"
dynamic = "error"
"""


class Site:
    """A cache with routes, and its admin side."""

    def __init__(self, folder: Path) -> None:
        (folder / "swerve.toml").write_text(FILE)
        settings = load_settings({"origin": "http://origin.test", "dialect": "standard", "log": "off"}, {}, folder)
        self.origin = ScriptedOrigin()
        self.application = build(settings, clock=ManualClock(), transport=self.origin)
        self.visitor, self.admin = Client(self.application.proxy), Client(self.application.admin, "localhost:8081")

    async def told(self, method: str, target: str, content: object = None) -> Any:
        body = b"" if content is None else json.dumps(content).encode()
        return json.loads((await self.admin.request(method, target, body=body)).body)

    async def why(self, target: str) -> tuple[dict[str, Any], str]:
        told = await self.told("POST", "/v1/why", {"url": f"http://localhost:8080{target}"})
        return told, rendered(told, colour=False)


def test_why_says_which_route_applied_and_what_it_changed(tmp_path: Path) -> None:
    async def scene() -> None:
        site = Site(tmp_path)
        site.origin.script({"/blog/a": {"headers": {"cache-control": "private"}, "body": "a"}})
        await site.visitor.request("GET", "/blog/a?b", [("cookie", "session=1"), ("accept-language", "de")])
        told, text = await site.why("/blog/a?b")
        assert (told["route"]["path"], told["route"]["host"]) == ("/blog/*", "localhost:8080")
        assert told["route"]["says"] == {
            "dynamic": '"force-static"', "revalidate": '"60s"', "key_headers": '["accept-language"]',
            "only": '["/blog/a"]',
        }  # fmt: skip
        changes = {one["rule"]: (one["before"], one["after"]) for one in told["route"]["changes"]}
        assert changes["lifetime"] == (None, 60)
        assert changes["set_cookie"] == ("refuse", "strip")
        assert changes["key_headers"] == (["rsc"], ["rsc", "accept-language"])
        assert told["answer"]["kind"] == "hit"
        assert told["key"]["text"] == "GET http localhost:8080 /blog/a accept-language=de"
        assert told["because"] == "the route's lifetime of 1m00s keeps it fresh for 1m00s more"
        assert '  route       /blog/* at localhost:8080: dynamic = "force-static", revalidate = "60s"' in text
        assert "  changes     anonymous is true, not false; lifetime is 60, not unset" in text

    asyncio.run(scene())


def test_why_a_path_is_unknown_and_why_a_page_is_an_error(tmp_path: Path) -> None:
    async def scene() -> None:
        site = Site(tmp_path)
        site.origin.script({"/docs/a": {"headers": {"cache-control": "private"}, "body": "a"}})
        told, text = await site.why("/blog/b")
        assert (told["answer"]["kind"], told["answer"]["status"]) == ("refuse", 404)
        assert "✗ unknown-path" in text
        assert (await site.visitor.request("GET", "/docs/a")).status == 500
        told, text = await site.why("/docs/a")
        assert told["last_answer"]["judgement"]["reason"] == "not-static"
        assert "✗ private" in text

    asyncio.run(scene())


def test_paths_without_a_route_have_none(tmp_path: Path) -> None:
    async def scene() -> None:
        told, text = await Site(tmp_path).why("/other")
        assert told["route"] is None
        assert "  route " not in text

    asyncio.run(scene())


def test_the_configuration_shows_them(tmp_path: Path) -> None:
    async def scene() -> None:
        told = await Site(tmp_path).told("GET", "/v1/config")
        assert [route["path"] for route in told["routes"]] == ["/blog/*", "/docs/*"]
        assert told["routes"][1] == {
            "path": "/docs/*", "host": None, "says": {"dynamic": '"error"'},
            "changes": [{"rule": "must_be_static", "before": False, "after": True}],
        }  # fmt: skip
        assert "of_route" not in told["rules"]

    asyncio.run(scene())


def test_what_is_stored_is_shown_by_the_rules_of_its_route(tmp_path: Path) -> None:
    async def scene() -> None:
        site = Site(tmp_path)
        site.origin.script({"/blog/a": {"headers": {"cache-control": "private"}, "body": "a"}})
        await site.visitor.request("GET", "/blog/a")
        (entry,) = (await site.told("GET", "/v1/entries"))["entries"]
        (variant,) = (await site.told("GET", f"/v1/entries/{entry['id']}"))["variants"]
        assert (variant["ttl"], variant["variant"]["lifetime_from"]) == (60, "route")

    asyncio.run(scene())


def test_a_url_is_purged_as_it_is_in_keys(tmp_path: Path) -> None:
    async def scene() -> None:
        site = Site(tmp_path)
        site.origin.script({"/blog/a": {"headers": {"cache-control": "private"}, "body": "a"}})
        await site.visitor.request("GET", "/blog/a?utm=1")
        listed = await site.told("GET", "/v1/entries?url=http://localhost:8080/blog/a%3Futm=9")
        assert len(listed["entries"]) == 1
        done = await site.told("POST", "/v1/delete", {"urls": ["http://localhost:8080/blog/a?utm=2"]})
        assert done["matched"] == 1
        assert [one["selector"]["value"] for one in done["purges"]] == ["/blog/a?utm=2", "/blog/a"]
        await site.visitor.request("GET", "/blog/a")
        received = await site.admin.request("POST", "/purge/localhost:8080/blog/a?utm=3")
        assert received.header("swerve-purged") == "1"

    asyncio.run(scene())
