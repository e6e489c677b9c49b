"""Headless Chromium from Debian's packages, driven by its DevTools protocol: what it was answered, and what went wrong.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.live import debian
from tests.live.processes import LOOPBACK, running

PATIENCE = 20.0
# No service of its maker's is to be reached, and nothing is to be shown.
FLAGS = (
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-extensions",
    "--disable-sync", "--metrics-recording-only", "--window-size=1280,800", "--remote-debugging-port=0",
)  # fmt: skip
DOMAINS = ("Page", "Network", "Runtime", "Log")


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer that the browser has received. `kind`: what it wanted it for, such as Document or Fetch; `asked` and
    `headers`: fields by their names in lower case."""

    url: str
    kind: str
    status: int
    media: str
    asked: Mapping[str, str]
    headers: Mapping[str, str]

    def header(self, name: str) -> str | None:
        return self.headers.get(name)


@dataclass
class Tab:
    """One page, told of by one socket. `answers` are in the order in which they came; `wrong` has what a person would
    see in red: errors in the console, exceptions, requests that failed. `accept` is what it last sent for a page."""

    socket: ClientConnection
    answers: list[Seen] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    loads: int = 0
    session: str | None = None
    accept: str = ""

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._asked: dict[str, tuple[str, Mapping[str, str]]] = {}
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        """Until the socket closes."""
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                self._answered(message)
                continue
            self._happened(message["method"], message["params"])
            async with self._news:
                self._news.notify_all()

    async def call(self, method: str, **parameters: object) -> Any:
        number, future = next(self._ids), asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        to = {} if self.session is None else {"sessionId": self.session}
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters, **to}))
        return await asyncio.wait_for(future, PATIENCE)

    async def open(self, url: str) -> Seen:
        """The page at that URL, loaded, as by who types it; nothing of the browser's own cache. Its last answer."""
        await self.call("Network.clearBrowserCache")
        loads, before = self.loads, len(self.answers)
        told = await self.call("Page.navigate", url=url)
        assert "errorText" not in told, told
        await self._until(lambda: self.loads > loads, f"{url} is not loaded")
        return [one for one in self.answers[before:] if one.kind == "Document"][-1]

    async def click(self, selector: str) -> None:
        await self.see(f"document.querySelector({json.dumps(selector)}) !== null")
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def text(self, selector: str) -> str:
        await self.see(f"document.querySelector({json.dumps(selector)}) !== null")
        return str(await self.run(f"document.querySelector({json.dumps(selector)}).textContent"))

    async def run(self, expression: str) -> Any:
        """The value of JavaScript, awaited if it is a promise."""
        told = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def see(self, expression: str) -> None:
        """Wait until JavaScript says that it is so, asked again with each frame."""
        again = (
            f"new Promise(done => {{ const look = () => {expression} ? done(true) : setTimeout(look, 20); look() }})"
        )
        async with asyncio.timeout(PATIENCE):
            try:
                assert await self.run(again)
            except TimeoutError:
                raise AssertionError(f"never true: {expression}") from None

    async def answer(self, part: str, since: int) -> Seen:
        """The first answer after the first `since` ones whose URL has that part in it."""
        await self._until(lambda: any(part in one.url for one in self.answers[since:]), f"no answer from {part}")
        return next(one for one in self.answers[since:] if part in one.url)

    async def _until(self, there: Any, otherwise: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(there)
        except TimeoutError:
            raise AssertionError(f"{otherwise}; wrong: {self.wrong}") from None

    def _answered(self, message: dict[str, Any]) -> None:
        future = self._waiting.pop(message["id"])
        if future.done():
            return
        if "error" in message:
            future.set_exception(AssertionError(message["error"]))
        else:
            future.set_result(message["result"])

    def _happened(self, method: str, told: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self.loads += 1
            case "Network.requestWillBeSent":
                if "redirectResponse" in told:
                    self._received(told, told["redirectResponse"])
                self._asked[told["requestId"]] = told["request"]["url"], _lowered(told["request"]["headers"])
            case "Network.requestWillBeSentExtraInfo":
                sent = _lowered(told["headers"])
                self.accept = sent["accept"] if sent.get("sec-fetch-dest") == "document" else self.accept
            case "Network.responseReceived":
                self._received(told, told["response"])
            case "Network.loadingFailed":
                self._failed(told)
            case "Runtime.exceptionThrown":
                self.wrong.append(json.dumps(told["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "assert"):
                self.wrong.append(json.dumps(told["args"]))
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.wrong.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def _received(self, told: dict[str, Any], response: dict[str, Any]) -> None:
        _, asked = self._asked.get(told["requestId"], ("", {}))
        headers = _lowered(response["headers"])
        media = headers.get("content-type", "").partition(";")[0]
        self.answers.append(Seen(response["url"], told["type"], response["status"], media, asked, headers))
        if response["status"] >= 400:
            self.wrong.append(f"{response['status']} from {response['url']}")

    def _failed(self, told: dict[str, Any]) -> None:
        """What the page gave up itself, such as a prefetch when it is left, is no failure."""
        if not told.get("canceled") and told["errorText"] != "net::ERR_ABORTED":
            self.wrong.append(f"{told['errorText']} from {self._asked.get(told['requestId'], ('?', {}))[0]}")


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def program() -> str:
    """Where it is, or a failure or a skip."""
    return debian.program("chromium", "chromium", "a browser in front of Swerve")


@asynccontextmanager
async def chromium() -> AsyncIterator[Tab]:
    """A browser with one empty page, nothing remembered, until the block ends."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        told = Path(place) / "DevToolsActivePort"
        flags = [*FLAGS, f"--user-data-dir={place}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        block = running([program(), *flags, "about:blank"], lambda _: _is_written(told), folder=Path(place))
        await asyncio.to_thread(block.__enter__)
        try:
            port, path = told.read_text().split()
            async with _tab(int(port), path) as tab:
                yield tab
        finally:
            await asyncio.to_thread(block.__exit__, None, None, None)


def _is_written(told: Path) -> bool:
    return told.exists() and len(told.read_text().split()) == 2


@asynccontextmanager
async def _tab(port: int, path: str) -> AsyncIterator[Tab]:
    """The one page that is open, by the browser's own socket."""
    async with connect(f"ws://{LOOPBACK}:{port}{path}", max_size=None, compression=None) as socket:
        tab = Tab(socket)
        listening = asyncio.ensure_future(tab.listen())
        try:
            targets = (await tab.call("Target.getTargets"))["targetInfos"]
            (page,) = [target["targetId"] for target in targets if target["type"] == "page"]
            tab.session = (await tab.call("Target.attachToTarget", targetId=page, flatten=True))["sessionId"]
            for domain in DOMAINS:
                await tab.call(f"{domain}.enable")
            yield tab
        finally:
            listening.cancel()
