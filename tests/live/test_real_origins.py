"""In front of applications that we did not write, on real clocks: Next.js, a Vite dev server, a static file server."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin as OriginField
from websockets.typing import Subprotocol

from tests.live import node
from tests.live.origins import Origin, next_app, third_app, vite_app
from tests.live.processes import LOOPBACK
from tests.live.raw_client import Answer, get
from tests.live.swerve import Swerve, started, within

pytestmark = pytest.mark.live

PATIENCE = 15.0
BROWSER = ("Accept: text/html,*/*;q=0.8", "Accept-Encoding: identity", "User-Agent: probe/1")


@pytest.fixture(scope="module")
def next_origin() -> Iterator[Origin]:
    node.need_node()
    with next_app() as origin:
        yield origin


@pytest.fixture
def next_swerve(next_origin: Origin) -> Iterator[Swerve]:
    with started(next_origin.url, dialect="vercel") as proxy:
        yield proxy


def word(answer: Answer) -> str:
    return answer.header("x-vercel-cache") or ""


def reason(answer: Answer) -> str:
    return (answer.header("cache-status") or "").partition("detail=")[2]


async def until(proxy: Swerve, path: str, wanted: str, *, but: str) -> Answer:
    """Ask until the cache says the wanted word; until then it may only say the other one."""
    deadline = time.monotonic() + PATIENCE
    while word(answer := await get(proxy.port, path, *BROWSER)) != wanted:
        assert word(answer) == but, f"{word(answer)} {reason(answer)} while waiting for {wanted}"
        assert time.monotonic() < deadline, f"never {wanted}"
        await asyncio.sleep(0.02)
    return answer


def shown(answer: Answer, path: str) -> None:
    print(f"{path}: {answer.status} {word(answer)} {reason(answer)}, Cache-Control: {answer.header('cache-control')}")


# Next.js, in the words of Vercel.


@within(60)
async def test_a_next_route_with_a_lifetime(next_swerve: Swerve) -> None:
    first = await get(next_swerve.port, "/api/time", *BROWSER)
    hit = await get(next_swerve.port, "/api/time", *BROWSER)
    assert (word(first), word(hit)) == ("MISS", "HIT")
    assert hit.body == first.body
    stale = await until(next_swerve, "/api/time", "STALE", but="HIT")
    assert stale.body == first.body, "stale is what was stored"
    fresh = await until(next_swerve, "/api/time", "HIT", but="STALE")
    for answer in (first, hit, stale, fresh):
        shown(answer, "/api/time")
        # vercel-next.md §3: s-maxage and stale-while-revalidate are for the CDN; nothing browser-relevant is left.
        assert answer.header("cache-control") == "public, max-age=0, must-revalidate"
        assert answer.header("server") == "Vercel"
        assert re.fullmatch(r"[a-z0-9]+::[a-z0-9]{5}-\d{13}-[0-9a-f]{12}", answer.header("x-vercel-id") or "")
    assert json.loads(fresh.body)["calls"] > json.loads(first.body)["calls"]
    assert int(stale.header("age") or 0) >= 2
    assert int(fresh.header("age") or 0) < 2


@within(60)
async def test_a_next_page_that_is_revalidated(next_swerve: Swerve) -> None:
    first = await get(next_swerve.port, "/isr", *BROWSER)
    assert word(first) == "MISS"
    hit = await until(next_swerve, "/isr", "HIT", but="STALE")  # the origin's own copy may be old already
    stale = await until(next_swerve, "/isr", "STALE", but="HIT")
    assert stale.body == hit.body
    deadline = time.monotonic() + PATIENCE
    while (fresh := await get(next_swerve.port, "/isr", *BROWSER)).body == stale.body:
        assert time.monotonic() < deadline, "never renewed"
        await asyncio.sleep(0.02)
    for answer in (first, hit, stale, fresh):
        shown(answer, "/isr")
        assert answer.status == 200
        assert b"ISR page" in answer.body
        assert "s-maxage" not in (answer.header("cache-control") or "")
        assert "stale-while-revalidate" not in (answer.header("cache-control") or "")


@within(60)
async def test_a_next_page_that_is_static(next_swerve: Swerve) -> None:
    answers = [await get(next_swerve.port, "/", *BROWSER) for _ in range(3)]
    assert [word(answer) for answer in answers] == ["MISS", "HIT", "HIT"]
    for answer in answers:
        shown(answer, "/")
        assert b"Static page" in answer.body
        assert (answer.header("content-type") or "").startswith("text/html")
        assert answer.header("cache-control") == "public, max-age=0, must-revalidate"
    etag = answers[1].header("etag")
    assert etag is not None
    same = await get(next_swerve.port, "/", *BROWSER, f"If-None-Match: {etag}")
    assert (same.status, word(same), same.body) == (304, "HIT", b"")


@within(60)
async def test_a_next_page_that_is_dynamic_is_everybodys_own(next_swerve: Swerve) -> None:
    seen = set()
    for agent in ("one", "two", "one"):
        answer = await get(next_swerve.port, "/dynamic", f"User-Agent: {agent}", f"Cookie: session={agent}")
        shown(answer, "/dynamic")
        assert word(answer) == "MISS"
        assert reason(answer) in ("no-store", "private")
        assert re.search(rb"for (?:<!-- -->)?" + agent.encode(), answer.body)
        assert "private" in (answer.header("cache-control") or "")
        seen.add(answer.body)
    assert len(seen) == 3


@within(60)
async def test_a_next_route_that_sets_a_cookie_is_not_stored(next_swerve: Swerve) -> None:
    answers = [await get(next_swerve.port, "/api/cookie", *BROWSER) for _ in range(3)]
    for answer in answers:
        shown(answer, "/api/cookie")
        assert (word(answer), reason(answer)) == ("MISS", "set-cookie")
    cookies = {tuple(answer.lines("set-cookie")) for answer in answers}
    assert len(cookies) == 3


async def component(proxy: Swerve, path: str) -> Answer:
    """What Next's router asks for: the payload of a page, under the address that the origin redirects to."""
    answer = await get(proxy.port, path, "RSC: 1", "Accept: */*", "Accept-Encoding: identity")
    if answer.status == 307:
        location = answer.header("location") or ""
        assert "_rsc" in location
        answer = await get(proxy.port, location, "RSC: 1", "Accept: */*", "Accept-Encoding: identity")
    return answer


async def page(proxy: Swerve, path: str) -> Answer:
    return await get(proxy.port, path, "Accept: */*", "Accept-Encoding: identity")


@within(60)
@pytest.mark.parametrize("path", ["/", "/isr"])
@pytest.mark.parametrize("first", ["html", "rsc"])
@pytest.mark.parametrize("dialect", ["vercel", "standard"])
async def test_a_page_and_its_component_payload_are_never_mixed_up(
    next_origin: Origin, path: str, first: str, dialect: str
) -> None:
    with started(next_origin.url, dialect=dialect) as proxy:
        order = [page, component] if first == "html" else [component, page]
        for ask in order * 3:
            answer = await ask(proxy, path)
            kind = answer.header("content-type") or ""
            assert answer.status == 200
            assert kind.startswith("text/html" if ask is page else "text/x-component")
            assert (b"<html" in answer.body) is (ask is page)
        # The address alone, without the field, is HTML (vercel-next.md §6.3).
        for target in (f"{path}?_rsc=HEAvJdHAQJrUAe2K", f"{path}?_rsc"):
            payload = await get(proxy.port, target, "RSC: 1", "Accept: */*")
            html = await get(proxy.port, target, "Accept: */*")
            assert b"<html" not in payload.body
            assert (html.header("content-type") or "").startswith("text/html")


@within(60)
async def test_next_without_a_dialect_of_its_own(next_origin: Origin) -> None:
    with started(next_origin.url, dialect="standard") as proxy:
        answers = [await get(proxy.port, "/", *BROWSER) for _ in range(2)]
        assert [answer.header("x-cache") for answer in answers] == ["MISS", "HIT"]
        assert "s-maxage=31536000" in (answers[1].header("cache-control") or "")
        assert answers[0].body == answers[1].body
        for _ in range(2):
            assert (await get(proxy.port, "/dynamic", *BROWSER)).header("x-cache") == "MISS"


@within(60)
async def test_a_next_herd(next_swerve: Swerve) -> None:
    answers = await asyncio.gather(*(get(next_swerve.port, "/api/time", *BROWSER) for _ in range(50)))
    assert len({answer.body for answer in answers}) == 1, "one render for all of them"


# A Vite dev server: nothing is cached that should not be, and hot reload works.


@contextmanager
def vite_behind(dialect: str) -> Iterator[tuple[Origin, Swerve]]:
    node.need_node()
    with vite_app() as origin, started(origin.url, dialect=dialect, quiet=False) as proxy:
        yield origin, proxy


@within(60)
@pytest.mark.parametrize("dialect", ["vercel", "standard"])
async def test_hot_reload_works_through_the_proxy(dialect: str) -> None:
    with vite_behind(dialect) as (origin, proxy):
        html = await get(proxy.port, "/", *BROWSER)
        assert b"/@vite/client" in html.body
        client = await get(proxy.port, "/@vite/client")
        assert "javascript" in (client.header("content-type") or "")
        token = re.search(rb'wsToken = "([^"]+)"', client.body)
        assert token is not None
        for module in ("/main.js", "/greeting.js"):
            assert (await get(proxy.port, module)).status == 200
        async with connect(
            f"ws://{LOOPBACK}:{proxy.port}/?token={token[1].decode()}",
            subprotocols=[Subprotocol("vite-hmr")],
            origin=OriginField(f"http://{LOOPBACK}:{proxy.port}"),
        ) as socket:
            assert socket.subprotocol == "vite-hmr"
            assert json.loads(await socket.recv())["type"] == "connected"
            (origin.folder / "greeting.js").write_text("export const greeting = 'Hello again'\n")
            async with asyncio.timeout(PATIENCE):
                while (message := json.loads(await socket.recv()))["type"] != "update":
                    pass
            (update,) = message["updates"]
            print(f"{dialect}: {update}")
            assert update["acceptedPath"] == "/greeting.js"
        fresh = await get(proxy.port, f"/greeting.js?t={update['timestamp']}")
        assert b"Hello again" in fresh.body
        assert b"Hello again" in (await get(proxy.port, "/greeting.js")).body, "an old module was kept"


# A static file server.


@contextmanager
def serve_behind(dialect: str) -> Iterator[Swerve]:
    node.need_node()
    with third_app() as origin, started(origin.url, dialect=dialect) as proxy:
        yield proxy


@within(60)
async def test_static_files() -> None:
    with serve_behind("standard") as proxy:
        first, hit = [await get(proxy.port, "/style.css") for _ in range(2)]
        assert [first.header("x-cache"), hit.header("x-cache")] == ["MISS", "HIT"]
        assert first.body == hit.body
        etag = hit.header("etag")
        assert etag is not None
        same = await get(proxy.port, "/style.css", f"If-None-Match: {etag}")
        assert (same.status, same.header("x-cache"), same.body) == (304, "HIT", b"")
        part = await get(proxy.port, "/style.css", "Range: bytes=2-5")
        assert (part.status, part.body) == (206, hit.body[2:6])
        assert part.header("content-range") == f"bytes 2-5/{len(hit.body)}"
        assert part.header("x-cache") == "HIT"
        beyond = await get(proxy.port, "/style.css", f"Range: bytes={len(hit.body)}-")
        assert beyond.status == 416
        head = await get(proxy.port, "/style.css", method="HEAD")
        assert (head.status, head.header("content-length")) == (200, str(len(hit.body)))
        validated = [await get(proxy.port, "/") for _ in range(2)]
        print([answer.header("cache-status") for answer in (first, hit, same, part, *validated)])
        assert validated[0].body == validated[1].body


@within(60)
async def test_static_files_in_the_words_of_vercel() -> None:
    """max-age alone is for browsers: nothing is stored (vercel-next.md §2.1)."""
    with serve_behind("vercel") as proxy:
        for _ in range(2):
            answer = await get(proxy.port, "/style.css")
            assert (word(answer), reason(answer)) == ("MISS", "no-lifetime")
            assert answer.header("cache-control") == "public, max-age=60"
