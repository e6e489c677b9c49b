"""A cache with a scripted origin and its admin side, both spoken to in process, on a clock that stands still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.asgi import build
from app.clock import ManualClock
from app.core.tags import TagField
from app.settings import load_settings
from tests.driver import Client, Received
from tests.origin import ScriptedOrigin

SWR = "s-maxage=60, stale-while-revalidate=300"


def page(body: str, *tags: str, cc: str = SWR, **fields: str) -> dict[str, Any]:
    """An answer of the origin."""
    headers = {"cache-control": cc} | {name.replace("_", "-"): value for name, value in fields.items()}
    return {"body": body, "headers": headers | ({"cache-tag": ", ".join(tags)} if tags else {})}


PAGES = {
    "/blog": page("blog", "blog", "post-7", etag='"1"'),
    "/blog?page=2": page("more", "blog"),
    "/shop": page("shop", "Products", vary="accept-language"),
    "/about": page("about", cc="s-maxage=60"),
    "/cart": page("cart", cc="private"),
}


class Administered:
    """Tags are read from Cache-Tag. `rules` go over those of the dialect."""

    def __init__(self, rules: Mapping[str, Any] | None = None, **flags: str) -> None:
        self.origin, self.clock = ScriptedOrigin(), ManualClock()
        self.origin.script(PAGES)
        settings = load_settings({"origin": "http://origin.test", "dialect": "standard", **flags}, {}, Path("/"))
        dialect = settings.dialect
        settings = replace(
            settings, dialect=replace(dialect, rules=replace(dialect.rules, **{"tags": TAGS, **(rules or {})}))
        )
        self.application = build(settings, clock=self.clock, transport=self.origin)
        self.around = self.application.around
        self.site = Client(self.application.proxy)
        self.admin = Client(self.application.admin, host="localhost:8081")

    async def visit(self, *targets: str, host: str = "localhost:8080", **fields: str) -> Received:
        """The last of the answers, once everything that they brought about is done."""
        self.site.host = host
        received = Received()
        for target in targets:
            pairs = [(name.replace("_", "-"), value) for name, value in fields.items()]
            received = await self.site.request("GET", target, pairs)
            await self.around.tasks.drain(1)
        return received

    async def ask(self, method: str, target: str, content: object = None) -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        received = await self.admin.request(method, target, body=body)
        return received.status, json.loads(received.body)

    async def told(self, method: str, target: str, content: object = None) -> Any:
        """The JSON of a good answer."""
        status, told = await self.ask(method, target, content)
        assert status == 200, told
        return told


TAGS = (TagField("cache-tag"),)


async def says(site: Administered, target: str) -> str | None:
    """What the dialect `vercel` says of a visit."""
    return (await site.visit(target)).header("x-vercel-cache")


def run(talk: Callable[[Administered], Awaitable[None]], rules: Mapping[str, Any] | None = None, **flags: str) -> None:
    async def scene() -> None:
        one = Administered(rules, **flags)
        await talk(one)
        await one.around.tasks.drain(1)

    asyncio.run(scene())
