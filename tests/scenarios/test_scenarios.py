"""Ring 2: one TOML file a conversation, in process, on a clock that stands still until a step moves it; by raw ASGI, by
our own server's protocol, and by that with the memo.

A file has a `title` with its section, optionally `dialect`, `settings`, `[rules]` and `[[routes]]`, `[origin]` (answers
by path: see tests/origin.py), and steps. A step may change the `origin`, `advance` the clock by seconds, then sends its
`request` and compares with `expect`. `request = { get = "/a", headers = { … } }`: any method name; `headers` a table or
a list of pairs, in which `{node}` is the name by which this Swerve knows its own loops; `body`; `host`, "" for none;
`client`, an address.

Several at once: `together = n` sends it n times; a list of requests sends them all, and `each` in `expect` has what
every one of them is to receive. The origin's answers are held back until all have been asked.
`purge = { invalidate = "tag a" }` purges first, by the words of `validate`, `invalidate` or `delete`: a kind (all,
host, url, path, prefix, tag, deployment), a value, perhaps `at` and a host; `deadline` in seconds. Then `sweep` sweeps.
`prerendered = ["/a"]` first tells the admin side what was warmed in the last minute.

`hold = "name"` leaves the request with the origin's answer held back; `release = "name"` lets it go and awaits it.

`expect` may have, of what is received: status, body ("{boundary}" is the one that Content-Type names), broken, age,
headers (name = value or lines), directives (name = members in any order), matches (name = regular expression), absent
and present (names), cache_status (parts of it). Of what happened inside: result, reason (of all: a name, or counts).
Of what the origin has seen: origin_requests (so far, always said), origin_together (so far, before it answered), and of
its last request origin_saw (fields; "" means absent), origin_matches (regular expressions), origin_method, origin_body.
"""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.asgi import Application, build
from app.clock import ManualClock
from app.core.purging import Kind, Mode, Purge, Selector
from app.settings import load_settings
from tests.driver import Client, Received
from tests.origin import ScriptedOrigin
from tests.wired import WiredClient, WiredServer

FOLDER = Path(__file__).parent
SCENARIOS = sorted(FOLDER.rglob("*.toml"))

# Scenarios that our own server cannot be asked to play, and why.
NOT_ON_THE_WIRE = {
    "invalidation/unsafe-success-spoils-the-target": "the parser takes no method that it does not know: 400",
}

OF_THE_ANSWER = frozenset(
    ["status", "body", "broken", "age", "headers", "directives", "matches", "absent", "present", "cache_status"]
)
OF_THE_INSIDE = frozenset(["result", "reason", "each", "origin_requests", "origin_together"])
OF_THE_LAST_FETCH = frozenset(["origin_saw", "origin_matches", "origin_method", "origin_body"])
OF_A_REQUEST = ("headers", "body", "host", "client")

WAYS = ("asgi", "server", "memo")
TURNS = 40  # of the event loop, in which everything comes to where it waits


class Conversation:
    """A scenario under way."""

    def __init__(self, scenario: dict[str, Any], folder: Path, way: str) -> None:
        flags = {
            "origin": "http://origin.test",
            "dialect": scenario.get("dialect", "standard"),
            "log": "off",
            "memo": str(way == "memo").lower(),
        } | scenario.get("settings", {})
        (folder / "swerve.toml").write_text(_file(scenario))
        self.clock = ManualClock()
        self.origin = ScriptedOrigin()
        self.origin.script(scenario.get("origin", {}))
        settings = load_settings(flags, {}, folder)
        self.application: Application = build(settings, clock=self.clock, transport=self.origin)
        self.server = None if way == "asgi" else WiredServer(self.application, settings)
        self.held: dict[str, tuple[asyncio.Event, asyncio.Task[Received]]] = {}

    async def step(self, step: dict[str, Any]) -> None:
        self.origin.script(step.get("origin", {}))
        if "prerendered" in step:
            await self._prerendered(step["prerendered"])
        self.clock.advance(step.get("advance", 0))
        await self._purge(dict(step.get("purge", {})))
        if step.get("sweep"):
            await self.application.around.store.sweep()
        expect = step.get("expect", {})
        unknown = expect.keys() - OF_THE_ANSWER - OF_THE_INSIDE - OF_THE_LAST_FETCH
        assert not unknown, f"unknown expectations: {unknown}"
        assert expect.keys() >= {"origin_requests"} or step.keys() <= {
            "origin",
            "advance",
            "purge",
            "sweep",
            "prerendered",
        }, "say origin_requests"
        if "hold" in step:
            await self._hold(step["hold"], step["request"])
            self._check_origin(expect)
        elif "release" in step:
            gate, task = self.held.pop(step["release"])
            gate.set()
            await self._check([await task], expect)
        elif "request" in step:
            requests = step["request"] if isinstance(step["request"], list) else [step["request"]]
            await self._check(await self._send(requests * step.get("together", 1), expect), expect)

    async def _purge(self, purge: dict[str, Any]) -> None:
        deadline = purge.pop("deadline", None)
        for mode, words in purge.items():
            kind, _, value = words.partition(" ")
            value, _, host = value.partition(" at ")
            at = self.clock.now()
            until = None if deadline is None else at + deadline
            selector = Selector(Kind(kind), value, host or None)
            await self.application.around.store.purge(Purge(Mode(mode), selector, until, at))

    async def _prerendered(self, urls: list[str]) -> None:
        told = json.dumps({"urls": urls, "within": 60}).encode()
        answer = await Client(self.application.admin).request("POST", "/v1/prerendered", [], told)
        assert answer.status == 200, answer.body

    async def _check(self, received: list[Received], expect: dict[str, Any]) -> None:
        await self._settle()
        each = expect.get("each", [{}] * len(received))
        assert len(each) == len(received), "one expectation for each request"
        for one, wanted in zip(received, each, strict=True):
            check(one, {name: value for name, value in expect.items() if name in OF_THE_ANSWER} | wanted)
        self._check_verdicts(expect, len(received))
        self._check_origin(expect)

    async def _send(self, requests: list[dict[str, Any]], expect: dict[str, Any]) -> list[Received]:
        if len(requests) == 1:
            return [await self._one(requests[0])]
        self.origin.gate.clear()
        sent = [asyncio.ensure_future(self._one(request)) for request in requests]
        await _turns()
        asked = len(self.origin.requests)
        self.origin.gate.set()
        received = await asyncio.gather(*sent)
        assert asked == expect.get("origin_together", asked), "requests that the origin had seen before it answered"
        return received

    async def _hold(self, name: str, request: dict[str, Any]) -> None:
        usual, gate = self.origin.gate, asyncio.Event()
        self.origin.gate = gate
        self.held[name] = gate, asyncio.ensure_future(self._one(request))
        await _turns()
        self.origin.gate = usual

    async def _one(self, request: dict[str, Any]) -> Received:
        ((method, target),) = ((name, value) for name, value in request.items() if name not in OF_A_REQUEST)
        headers = request.get("headers", {})
        pairs = headers.items() if isinstance(headers, dict) else headers
        node = self.application.around.forwarding.node
        fields = [(name, value.replace("{node}", node)) for name, value in pairs]
        who = request.get("host", "localhost:8080"), request.get("client", "192.0.2.7")
        client = Client(self.application.proxy, *who) if self.server is None else WiredClient(self.server, *who)
        return await client.request(method.upper(), target, fields, request.get("body", "").encode())

    async def _settle(self) -> None:
        """Let background refreshes end, so that the next step sees what they did."""
        await _turns()
        for _ in range(1_000):
            if self.held or not len(self.application.around.tasks):
                return
            await asyncio.sleep(0)
        raise AssertionError("a task that never ends")

    async def end(self) -> None:
        assert not self.held, "held, and never released"
        await self._settle()
        assert len(self.application.around.flights) == 0, "a flight that nobody ended"

    def _check_verdicts(self, expect: dict[str, Any], sent: int) -> None:
        events = list(self.application.around.journal.events)[-sent:]
        for name in ("result", "reason"):
            if name in expect:
                wanted = expect[name] if isinstance(expect[name], dict) else {expect[name]: sent}
                assert Counter(str(getattr(event.verdict, name)) for event in events) == wanted, name

    def _check_origin(self, expect: dict[str, Any]) -> None:
        assert len(self.origin.requests) == expect["origin_requests"], "requests that the origin has seen"
        if not expect.keys() & OF_THE_LAST_FETCH:
            return
        last = self.origin.requests[-1]
        for name, value in expect.get("origin_saw", {}).items():
            assert last.headers.get(name, "") == value, f"what the origin saw of {name}"
        for name, pattern in expect.get("origin_matches", {}).items():
            assert re.fullmatch(pattern, last.headers.get(name, "")), f"{name}: {last.headers.get(name)}"
        assert last.method == expect.get("origin_method", last.method)
        assert self.origin.bodies[-1].decode() == expect.get("origin_body", self.origin.bodies[-1].decode())


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def check(received: Received, expect: dict[str, Any]) -> None:
    assert received.status == expect.get("status", 200)
    assert received.broken == expect.get("broken", False)
    if "body" in expect:
        boundary = (received.header("content-type") or "").partition("boundary=")[2]
        assert received.body.decode("latin-1") == expect["body"].replace("{boundary}", boundary)
    if "age" in expect:
        assert received.header("age") == str(expect["age"]), f"age: {received.header('age')}"
    _check_fields(received, expect)
    for part in expect.get("cache_status", []):
        assert part in (received.header("cache-status") or "").split("; "), received.header("cache-status")


def _check_fields(received: Received, expect: dict[str, Any]) -> None:
    for name, value in expect.get("headers", {}).items():
        wanted = value if isinstance(value, list) else [value]
        assert received.lines(name) == wanted, name
    for name, value in expect.get("directives", {}).items():
        assert _members(received.header(name)) == _members(value), f"{name}: {received.header(name)}"
    for name, pattern in expect.get("matches", {}).items():
        assert re.fullmatch(pattern, received.header(name) or ""), f"{name}: {received.header(name)}"
    for name in expect.get("absent", []):
        assert received.header(name) is None, f"{name} should be absent, not {received.header(name)}"
    for name in expect.get("present", []):
        assert received.header(name) is not None, f"{name} should be present"


def _members(value: str | None) -> set[str]:
    return {member.strip().lower() for member in (value or "").split(",")}


def _file(scenario: dict[str, Any]) -> str:
    """What a scenario has of swerve.toml."""
    lines = [f"{key} = {_toml(scenario[key])}" for key in ("rules", "routes") if key in scenario]
    return "\n".join([*lines, ""])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {_toml(one)}' for key, one in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def _name(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def _parameter(path: Path, way: str) -> Any:
    wrong = NOT_ON_THE_WIRE.get(_name(path)) if way != "asgi" else None
    marks = [pytest.mark.xfail(reason=wrong, strict=True, raises=AssertionError)] if wrong else []
    return pytest.param(path, way, id=f"{_name(path)}, {way}", marks=marks)


@pytest.mark.parametrize(("path", "way"), [_parameter(path, way) for path in SCENARIOS for way in WAYS])
def test_scenario(path: Path, way: str, tmp_path: Path) -> None:
    scenario = tomllib.loads(path.read_text())
    assert "§" in scenario["title"] or "vercel" in scenario["title"].lower(), "a title names its source"

    async def run() -> None:
        conversation = Conversation(scenario, tmp_path, way)
        for number, step in enumerate(scenario["step"], 1):
            try:
                await conversation.step(step)
            except AssertionError as error:
                raise AssertionError(f"{path.name}, step {number} ({step}): {error}") from error
        await conversation.end()

    asyncio.run(run())


def test_what_cannot_be_played_on_the_wire_is_there() -> None:
    assert NOT_ON_THE_WIRE.keys() <= {_name(path) for path in SCENARIOS}
