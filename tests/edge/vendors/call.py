"""Calls of vendors' endpoints, in process: what was purged, and what the client was told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from app.asgi import Application, build
from app.clock import ManualClock
from app.settings import Settings, load_settings
from tests.driver import Client, Received
from tests.origin import ScriptedOrigin

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Called:
    """`purged`: the log in order, each as `mode kind host value`, and `until` with the seconds to its deadline."""

    received: Received
    purged: list[str]

    @property
    def json(self) -> Any:
        return json.loads(self.received.body)


def settings(**flags: str) -> Settings:
    flags = {"origin": "http://localhost:3000", "dialect": "standard", **flags}
    return load_settings(flags, {"SWERVE_ADMIN_TOKEN": flags.pop("token", "")}, Path("/"))


def built(**flags: str) -> Application:
    """Its origin has two pages with tags, and a 404 for all else."""
    origin = ScriptedOrigin()
    origin.script({"/post": page("post-7, posts"), "/": page("posts")})
    return build(settings(**flags), clock=ManualClock(), transport=origin)


def page(tags: str) -> dict[str, Any]:
    return {"headers": {"cache-control": "s-maxage=60", "cache-tag": tags}, "body": tags}


def purged(application: Application) -> list[str]:
    now = application.around.clock.now()
    return [
        f"{one.mode} {one.selector.name}".rstrip() + (f" until {one.deadline - now:g}" if one.deadline else "")
        for _, one in application.around.store.log
    ]


class Site:
    """A cache for several calls."""

    def __init__(self, application: Application | None = None, **flags: str) -> None:
        self.application = application or built(**flags)

    def __enter__(self) -> Site:
        self.runner = asyncio.Runner()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.runner.close()

    def call(self, method: str, target: str, *fields: tuple[str, str], body: object = b"") -> Called:
        """One call of the admin side. A body that is no bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        client = Client(self.application.admin, host="127.0.0.1:8081")
        received = self.runner.run(client.request(method, target, list(fields), content))
        return Called(received, purged(self.application))

    def proxied(self, method: str, target: str, *fields: tuple[str, str], host: str = "example.com") -> Called:
        """One request on the proxy's own port."""
        client = Client(self.application.proxy, host=host)
        received = self.runner.run(client.request(method, target, list(fields)))
        return Called(received, purged(self.application))


def call(
    method: str, target: str, *fields: tuple[str, str], body: object = b"", on: Application | None = None, **flags: str
) -> Called:
    with Site(on, **flags) as site:
        return site.call(method, target, *fields, body=body)


def proxied(method: str, target: str, *fields: tuple[str, str], host: str = "example.com", **flags: str) -> Called:
    with Site(None, **{"purge_method": "open", **flags}) as site:
        return site.proxied(method, target, *fields, host=host)
