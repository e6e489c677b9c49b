"""Decisions on the admin side: the last ones, those since a number, and those to come."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from app.admin import decisions
from app.core.decisions import Result
from app.core.messages import Request
from app.journal import Journal, Replay
from tests.driver import Received
from tests.edge.administered import Administered, run
from tests.edge.events import HIT, MISS, REQUEST, event


async def numbers(site: Administered, query: str = "") -> list[int]:
    return [one["number"] for one in (await site.told("GET", f"/v1/decisions{query}"))["decisions"]]


def test_a_decision_is_a_line_of_the_log_with_its_number() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/blog?token=a")
        told = await site.told("GET", "/v1/decisions")
        first, second = told["decisions"]
        assert (first["number"], first["path"], first["cache"], first["reason"]) == (1, "/blog", "miss", "uri-miss")
        assert (second["number"], told["last"], told["missed"]) == (2, 2, 0)

    run(talk)


@pytest.mark.parametrize(("query", "found"), [
    ("", [1, 2, 3, 4, 5]), ("?limit=2", [4, 5]), ("?since=3", [4, 5]), ("?since=1&limit=2", [2, 3]),
    ("?since=5", []), ("?since=0", [1, 2, 3, 4, 5]), ("?status=hit", [2, 4]), ("?since=2&status=hit", [4]),
    ("?reason=private", [5]), ("?since=2&limit=1&status=hit", [4]), ("?status=hit&reason=private", []),
    ("?since=77", [1, 2, 3, 4, 5]), ("?status=hit&limit=1", [4]), ("?limit=1&reason=uri-miss", [3]),
])  # fmt: skip
def test_which_decisions(query: str, found: list[int]) -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/blog", "/about", "/about", "/cart")
        assert await numbers(site, query) == found

    run(talk)


def test_who_asks_again_with_the_last_number_gets_every_decision_once() -> None:
    async def talk(site: Administered) -> None:
        found, since = list[int](), 0
        for _ in range(4):
            await site.visit("/blog", "/about", "/cart")
            told = await site.told("GET", f"/v1/decisions?since={since}&reason=private&limit=1")
            found += [one["number"] for one in told["decisions"]]
            since = told["last"]
        assert found == [3, 6, 9, 12]

    run(talk)


@pytest.mark.parametrize(("query", "words"), [
    ("?since=x", "since is 'x'; write a whole number from 0"), ("?limit=0", "limit is '0'"),
    ("?status=hits", "status hits is none; did you mean hit?"), ("?reason=privat", "did you mean private?"),
    ("?sinse=1", "sinse is unknown; did you mean since?"),
])  # fmt: skip
def test_decisions_that_cannot_be_asked_for(query: str, words: str) -> None:
    async def talk(site: Administered) -> None:
        status, problem = await site.ask("GET", f"/v1/decisions{query}")
        assert status == 400
        assert words in problem["detail"]

    run(talk)


# The journal numbers what it records.


def replays(journal: Journal, times: int) -> None:
    """So many answers that were given again, which nobody has counted yet."""

    def read(_head: bytes, _client: object) -> Request:
        return REQUEST

    replay = Replay(read, 200, HIT, 10)
    for _ in range(times):
        journal.replays.append((replay, b"", 0.0, None))


def test_replays_are_numbered_like_any_event() -> None:
    journal = Journal()
    journal.record(event(MISS))
    replays(journal, 3)
    journal.record(event(MISS))
    assert journal.last == 5
    page = journal.since(1, 2)
    assert ([number for number, _ in page.events], page.last, page.missed) == ([2, 3], 3, 0)
    assert [found.verdict.result for _, found in journal.since(3, 9).events] == [Result.HIT, Result.MISS]


def test_what_fell_out_of_the_ring_is_missed() -> None:
    journal = Journal(size=4)
    for _ in range(6):
        journal.record(event(MISS))
    page = journal.since(0, 9)
    assert ([number for number, _ in page.events], page.last, page.missed) == ([3, 4, 5, 6], 6, 2)
    assert journal.since(6, 9).missed == journal.since(2, 9).missed == 0


def test_what_does_not_fit_is_passed_over_for_good() -> None:
    journal = Journal()
    for number in range(10):
        journal.record(event(HIT if number == 7 else MISS))
    hits = journal.since(0, 5, lambda verdict, _: verdict.result is Result.HIT)
    assert ([number for number, _ in hits.events], hits.last) == ([8], 10)


def test_a_reset_forgets_and_counts_on() -> None:
    journal = Journal()
    journal.record(event(MISS))
    journal.reset()
    assert (journal.counters.requests, journal.events, journal.last) == (0, [], 1)
    journal.record(event(MISS))
    page = journal.since(0, 9)
    assert ([number for number, _ in page.events], page.missed) == ([2], 1)


# The stream.


class Listener:
    """Somebody who listens to the stream, in process."""

    def __init__(self, site: Administered, query: str = "", **fields: str) -> None:
        self.text = ""
        self._news = asyncio.Condition()
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
        self.scope: dict[str, Any] = {
            "type": "http", "method": "GET", "path": "/v1/stream", "query_string": query.encode(), "root_path": "",
            "headers": [(b"host", b"localhost:8081"), *pairs], "client": None, "server": None, "scheme": "http",
        }  # fmt: skip
        self.gone = asyncio.Event()
        self.ended = False
        self.task = asyncio.ensure_future(site.application.admin(self.scope, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        async with self._news:
            self.text += message.get("body", b"").decode()
            self.ended = message["type"] == "http.response.body" and not message.get("more_body", False)
            self._news.notify_all()

    async def hears(self, text: str) -> None:
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: text in self.text), 5)

    def events(self) -> list[tuple[str, Any]]:
        """Kind and data of each."""
        blocks = [
            dict(line.split(": ", 1) for line in block.splitlines()) for block in self.text.split("\n\n") if block
        ]
        return [(block["event"], json.loads(block["data"])) for block in blocks if "event" in block]


def test_a_stream_tells_what_happens_from_now_on() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        listener = Listener(site)
        await listener.hears("retry: ")
        for target in ("/blog", "/cart"):
            await site.site.request("GET", target)
        await listener.hears("id: 3\n")
        site.application.stopping.set()
        await asyncio.wait_for(listener.task, 5)
        assert listener.ended
        assert [(kind, data["number"], data["cache"]) for kind, data in listener.events()] == [
            ("decision", 2, "hit"), ("decision", 3, "nostore"),
        ]  # fmt: skip

    run(talk)


@pytest.mark.parametrize(("query", "fields", "found"), [
    ("since=1", {}, [2, 3, 4]), ("since=0", {"last_event_id": "2"}, [3, 4]), ("since=0&status=hit", {}, [2, 4]),
    ("since=0&reason=private", {}, [3]), ("", {"last_event_id": "99"}, [1, 2, 3, 4]),
])  # fmt: skip
def test_where_a_stream_begins_and_what_it_leaves_out(query: str, fields: dict[str, str], found: list[int]) -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/blog", "/cart", "/blog")
        listener = Listener(site, query, **fields)
        await listener.hears(f"id: {found[-1]}\n")
        assert [data["number"] for _, data in listener.events()] == found
        listener.gone.set()
        await asyncio.wait_for(listener.task, 5)

    run(talk)


def test_a_stream_says_what_it_missed() -> None:
    async def talk(site: Administered) -> None:
        for _ in range(1_500):
            site.around.journal.record(replace(event(MISS), at=site.clock.now()))
        listener = Listener(site, "since=100")
        await listener.hears("id: 1500\n")
        (kind, missed), *rest = listener.events()
        assert (kind, missed, len(rest)) == ("missed", {"missed": 400}, 1_000)
        listener.gone.set()
        await listener.task

    run(talk)


def test_streams_have_a_bound_and_give_their_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "STREAMS", 1)

    async def talk(site: Administered) -> None:
        for _ in range(2):
            listener = Listener(site)
            await listener.hears("retry: ")
            status, problem = await site.ask("GET", "/v1/stream")
            assert status == 503
            assert "close one" in problem["detail"]
            listener.gone.set()
            await asyncio.wait_for(listener.task, 5)

    run(talk)


def test_a_quiet_stream_shows_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "TICK", 0.001)
    monkeypatch.setattr(decisions, "ALIVE", 0.002)

    async def talk(site: Administered) -> None:
        listener = Listener(site)
        await listener.hears(": still here\n\n")
        listener.gone.set()
        await listener.task

    run(talk)


def test_the_head_of_a_stream_is_no_stream() -> None:
    async def talk(site: Administered) -> None:
        received: Received = await asyncio.wait_for(site.admin.request("HEAD", "/v1/stream"), 5)
        assert received.status == 200
        assert (received.header("content-type") or "").startswith("text/event-stream")

    run(talk)
