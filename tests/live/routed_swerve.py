"""A Swerve in front of a routed origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.live.raw_client import get
from tests.live.routed_origin import Handler, RoutedOrigin, ok, says
from tests.live.swerve import Swerve, swerve


@asynccontextmanager
async def behind(handlers: dict[str, Handler], *flags: str) -> AsyncIterator[tuple[RoutedOrigin, Swerve]]:
    """An origin and a Swerve, which must still answer when the test is done."""
    ping = says(ok(b"pong", "Cache-Control: no-store"))
    async with RoutedOrigin({**handlers, "/ping": ping}) as origin, swerve(origin.url, *flags) as proxy:
        yield origin, proxy
        assert (await get(proxy.port, "/ping")).body == b"pong"
