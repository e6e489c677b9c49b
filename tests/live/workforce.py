"""A Swerve of several processes, seen from outside: its workers by their ids, and what its admin side tells."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.live.processes import POLL
from tests.live.raw_client import get
from tests.live.swerve import Swerve

COUNT = 2
SEVERAL = ("--workers", str(COUNT))


def workers(proxy: Swerve) -> list[int]:
    """The ids of the processes that it has started, and that run."""
    try:
        children = Path(f"/proc/{proxy.pid}/task/{proxy.pid}/children").read_text()
    except OSError:
        return []
    return [child for child in map(int, children.split()) if runs(child)]


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def sockets(process: int) -> int:
    """How many it has open."""
    count = 0
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        try:
            count += os.readlink(descriptor).startswith("socket:")
        except OSError:  # closed meanwhile
            continue
    return count


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(POLL)


async def until_up(proxy: Swerve, count: int = COUNT) -> None:
    """Wait until so many workers serve."""
    async with asyncio.timeout(15):
        while (await stats(proxy))["workers"]["up"] < count:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(POLL)


async def stats(proxy: Swerve) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((await get(proxy.admin, "/v1/stats")).body)
    return told


async def metric(proxy: Swerve, name: str) -> float:
    """One sample by its name, summed over its labels."""
    text = (await get(proxy.admin, "/metrics")).body.decode()
    return sum(float(found) for found in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))
