"""The edge by raw ASGI: what the scenarios cannot say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.asgi import build
from app.core.decisions import StoredResponse
from app.core.reasons import Reason
from app.settings import load_settings
from app.store.memory import MemoryStore
from tests.driver import Client
from tests.edge.administered import Administered, run
from tests.origin import ScriptedOrigin


async def broken(_store: MemoryStore, _key: str) -> Sequence[StoredResponse]:
    raise RuntimeError("the store is gone")


def test_what_fails_inside_is_a_500_with_a_reason_and_a_cause_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(MemoryStore, "lookup", broken)
    settings = load_settings({"origin": "http://origin.test"}, {}, tmp_path)

    async def conversation() -> None:
        application = build(settings, transport=ScriptedOrigin())
        received = await Client(application.proxy).request("GET", "/a")
        assert (received.status, received.broken) == (500, False)
        assert received.body.startswith(b"500 Internal Server Error\n\nswerve: Swerve itself failed (internal)")
        assert [event.verdict.reason for event in application.around.journal.events] == [Reason.INTERNAL]

    asyncio.run(conversation())
    assert "the store is gone" in caplog.text


class Torn:
    """A stored body that cannot be read to its end."""

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        yield b"0123"
        raise OSError("input/output error")


def test_a_stored_body_that_cannot_be_read_breaks_off_and_is_on_the_log() -> None:
    async def conversation(site: Administered) -> None:
        await site.visit("/blog")
        [stored] = await site.around.store.lookup("GET http localhost:8080 /blog")
        torn = replace(stored, number=stored.number + 1, body=Torn())
        await site.around.store.save(torn)
        received = await site.visit("/blog")
        assert (received.status, received.body, received.broken) == (200, b"0123", True)
        event = site.around.journal.events[-1]
        assert (event.verdict.reason, event.size) == (Reason.FRESH, 4)
        assert event.broken == "what is stored cannot be read: input/output error"

    run(conversation)
