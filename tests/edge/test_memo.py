"""The memo's own bounds: what it keeps is little, and consistent."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from app import fingerprints
from app.asgi import build
from app.clock import ManualClock
from app.dialects import dialect_names
from app.fingerprints import Fingerprints
from app.memo import Memo
from app.settings import load_settings
from tests.origin import ScriptedOrigin
from tests.wired import WiredClient, WiredServer

PAGE = {"headers": {"cache-control": "s-maxage=60"}, "body": "page"}


class Site:
    """A cache with its memo, in front of a site on which every page is fresh for a minute."""

    def __init__(self, folder: Path, pages: dict[str, Any], **flags: str) -> None:
        settings = load_settings({"origin": "http://origin.test", "dialect": "standard", **flags}, {}, folder)
        origin = ScriptedOrigin()
        origin.script(pages)
        self.application = build(settings, clock=ManualClock(), transport=origin)
        self.client = WiredClient(WiredServer(self.application, settings))

    @property
    def memo(self) -> Memo:
        assert self.application.memo is not None
        return self.application.memo

    @property
    def answers(self) -> Fingerprints:
        return self.memo._answers

    async def get(self, target: str, *headers: tuple[str, str], times: int = 2) -> None:
        """The second time it is a hit, which is learned, and the third time repeated."""
        for _ in range(times):
            assert (await self.client.request("GET", target, list(headers))).status == 200


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 20))


def consistent(kept: Fingerprints) -> bool:
    """Whether its four ways to an answer lead to the same ones."""
    by_line = {one for answers in kept._by_line.values() for one in answers.values()}
    by_key = {one for several in kept._by_key.values() for one in several}
    heads = {head for one in kept._order for head in one.heads}
    return set(kept._order) == by_line == by_key and heads == set(kept.by_head)


def test_answers_are_bounded_and_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "MOST_ANSWERS", 10)

    async def story() -> None:
        site = Site(tmp_path, {f"/{number}": PAGE for number in range(25)})
        for number in range(25):
            await site.get(f"/{number}")
        assert [one.first_line for one in site.answers._order] == [b"GET /%d HTTP/1.1" % n for n in range(15, 25)]
        assert consistent(site.answers)

    run(story)


def test_heads_are_bounded_and_one_that_comes_once_takes_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "MOST_HEADS", 5)

    async def story() -> None:
        site = Site(tmp_path, {"/a": PAGE})
        await site.get("/a")
        for number in range(20):
            await site.get("/a", ("user-agent", str(number)), times=1)
        assert (len(site.memo), len(site.answers.by_head)) == (1, 1)
        for number in range(20):
            await site.get("/a", ("user-agent", str(number)), times=2)
        assert (len(site.memo), len(site.answers.by_head)) == (1, 5)
        assert consistent(site.answers)

    run(story)


def test_fields_that_tell_requests_apart_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "MOST_LOOKED", 20)

    async def story() -> None:
        names = [", ".join(f"x-{page}-{number}" for number in range(8)) for page in range(4)]
        pages = {f"/{n}": PAGE | {"headers": {"cache-control": "s-maxage=60", "vary": names[n]}} for n in range(4)}
        site = Site(tmp_path, {"/a": PAGE, **pages})
        for target in ("/a", "/0", "/a", "/1", "/2", "/3", "/a"):
            await site.get(target)
            assert len(site.answers._looked) <= 20
            assert consistent(site.answers)
        assert b"GET /a HTTP/1.1" in site.answers._by_line, "others go on"
        assert b"GET /3 HTTP/1.1" not in site.answers._by_line, "it names too many"

    run(story)


@pytest.mark.parametrize(("value", "learned"), [("x" * 5_000, 0), ("x" * 500, 1), ("\x80\xff", 1)])
def test_long_heads_are_not_learned(tmp_path: Path, value: str, learned: int) -> None:
    async def story() -> None:
        site = Site(tmp_path, {"/a": PAGE})
        await site.get("/a", ("x-field", value), times=4)
        assert len(site.memo) == learned

    run(story)


def test_what_has_been_evicted_is_held_by_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        pages = {f"/{number}": PAGE | {"body": f"{number}" * 10_000} for number in range(30)}
        site = Site(tmp_path, pages, max_size="64kb")
        for number in range(30):
            await site.get(f"/{number}", times=3)
        gc.collect()
        bodies = [one for one in gc.get_objects() if type(one).__name__ == "StoredResponse"]
        assert len({one.key for one in bodies}) <= 8, "6 fit"
        assert len(site.memo) <= 8
        assert consistent(site.answers)

    run(story)


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    assert Site(tmp_path, {}, memo="false").application.memo is None


@pytest.mark.parametrize("dialect", dialect_names())
def test_no_dialect_keeps_plain_hits_from_being_given_again(dialect: str, tmp_path: Path) -> None:
    flags = {"origin": "http://origin.test", "dialect": dialect, "log": "off"}
    settings = load_settings(flags, {}, tmp_path)
    origin = ScriptedOrigin()
    origin.script({"/a.css": {"headers": {"cache-control": "public, s-maxage=60"}, "body": "page"}})
    application = build(settings, clock=ManualClock(), transport=origin)

    async def story() -> None:
        client = WiredClient(WiredServer(application, settings))
        for _ in range(4):
            assert (await client.request("GET", "/a.css", [("accept", "*/*")])).status == 200

    asyncio.run(asyncio.wait_for(story(), 20))
    assert len(origin.requests) == 1
    assert application.memo is not None
    assert len(application.memo) == 1
