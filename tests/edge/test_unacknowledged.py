"""What a client gets when its own request makes a purge that the store does not acknowledge: its answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app import asgi
from app.core.purging import Purge
from app.settings import load_settings
from app.store.base import StoreError
from app.store.memory import MemoryStore
from tests.origin import ScriptedOrigin
from tests.wired import WiredClient, WiredServer


class Unheard(MemoryStore):
    """A store that reaches nobody else."""

    async def purge(self, purge: Purge) -> int:
        await super().purge(purge)
        raise StoreError("away")


def test_what_an_unsafe_method_spoils(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "MemoryStore", Unheard)
    settings = load_settings({"origin": "http://origin.test", "dialect": "standard"}, {}, tmp_path)
    origin = ScriptedOrigin()
    origin.script({"/a": {"headers": {"cache-control": "max-age=60"}, "body": "page"}})

    async def story() -> list[int]:
        client = WiredClient(WiredServer(asgi.build(settings, transport=origin), settings))
        return [(await client.request(method, "/a", [])).status for method in ("GET", "POST", "GET")]

    assert asyncio.run(asyncio.wait_for(story(), 10)) == [200, 200, 200]
    assert [one.method for one in origin.requests] == ["GET", "POST", "GET"], "and it is spoiled here"
