"""The demo origin: each page behaves as the index says it does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse

from app import demo
from app.clock import ManualClock
from app.demo import DOWNLOAD_SIZE, PAGES, build_demo


@pytest.fixture
def app() -> Starlette:
    return build_demo(ManualClock())


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits in a test; what would have been waited is noted."""
    noted: list[float] = []

    async def pause(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr(demo, "pause", pause)
    return noted


def send(app: Starlette, *requests: tuple[str, str, dict[str, str]]) -> list[httpx2.Response]:
    async def all_of_them() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://demo.test") as client:
            return [await client.request(method, path, headers=headers) for method, path, headers in requests]

    return asyncio.run(all_of_them())


def get(app: Starlette, path: str, **headers: str) -> httpx2.Response:
    (response,) = send(app, ("GET", path, {name.replace("_", "-"): value for name, value in headers.items()}))
    return response


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/",            {"cache-control": "no-store"}),
        ("/blog",        {"cache-control": "s-maxage=60, stale-while-revalidate=300"}),
        ("/isr-5",       {"cache-control": "s-maxage=5, stale-while-revalidate=55"}),
        ("/slow",        {"cache-control": "s-maxage=30"}),
        ("/account",     {"cache-control": "private"}),
        ("/cart",        {"cache-control": "s-maxage=60", "set-cookie": "cart=1; Path=/cart; HttpOnly"}),
        ("/vary",        {"cache-control": "s-maxage=60", "vary": "Accept-Language", "content-language": "en"}),
        ("/etag",        {"cache-control": "no-cache", "etag": '"v1"'}),
        ("/error-after", {"cache-control": "s-maxage=5, stale-if-error=600"}),
        ("/api/time",    {"cdn-cache-control": "max-age=5", "content-type": "application/json"}),
        ("/download",    {"cache-control": "s-maxage=600", "content-length": "10000000", "accept-ranges": "bytes"}),
    ],
)  # fmt: skip
def test_what_each_page_sends(app: Starlette, path: str, fields: dict[str, str]) -> None:
    response = get(app, path)
    assert response.status_code == 200
    for name, value in fields.items():
        assert response.headers[name] == value


def test_the_index_has_every_page_and_how_to_ask_for_it(app: Starlette) -> None:
    text = get(app, "/", host="localhost:8080").text
    for page in PAGES:
        assert f'href="{page.path}"' in text
        assert f"http://localhost:8080{page.path}</pre>" in text
    assert "{{" not in text
    assert "//cdn" not in text, "self-contained"


def test_the_index_does_not_repeat_a_host_as_html(app: Starlette) -> None:
    assert "<script>alert" not in get(app, "/", host="<script>alert(1)</script>").text


def test_pages_say_how_often_they_were_rendered(app: Starlette) -> None:
    first, second = send(app, ("GET", "/blog", {}), ("GET", "/blog", {}))
    assert "Rendering number 1" in first.text
    assert "Rendering number 2" in second.text


def test_slow_takes_its_time(app: Starlette, pauses: list[float]) -> None:
    get(app, "/slow")
    assert pauses == [2.0]


@pytest.mark.parametrize(
    ("sent", "greeting"), [("de-CH,de;q=0.9", "Guten Tag"), ("fr", "Bonjour"), ("nl", "Hello"), ("", "Hello")]
)
def test_greetings(app: Starlette, sent: str, greeting: str) -> None:
    assert greeting in get(app, "/vary", accept_language=sent).text


def test_etag_answers_conditions(app: Starlette) -> None:
    assert get(app, "/etag", if_none_match='"v1"').status_code == 304
    assert get(app, "/etag", if_none_match='"v0"').status_code == 200


def test_the_origin_plays_dead_and_comes_back(app: Starlette) -> None:
    answers = send(
        app,
        ("GET", "/error-after", {}),
        ("POST", "/toggle-down", {}),
        ("GET", "/error-after", {}),
        ("GET", "/", {}),
        ("POST", "/toggle-down", {"accept": "text/html"}),
        ("GET", "/error-after", {}),
    )
    assert [answer.status_code for answer in answers] == [200, 200, 503, 200, 303, 200]
    assert answers[1].text == "down\n"
    assert "bring it back" in answers[3].text


def test_toggling_needs_a_post(app: Starlette) -> None:
    assert get(app, "/toggle-down").status_code == 405


@pytest.mark.parametrize(
    ("asked", "first", "stop"),
    [
        ("bytes=0-99",          0,          100),
        ("bytes=5-5",           5,          6),
        ("bytes=65530-65545",   65_530,     65_546),
        ("bytes=70001-140000",  70_001,     140_001),
        ("bytes=-7",            9_999_993,  10_000_000),
        ("bytes=9999999-",      9_999_999,  10_000_000),
    ],
)  # fmt: skip
def test_parts_of_the_download(app: Starlette, asked: str, first: int, stop: int) -> None:
    response = get(app, "/download", range=asked)
    assert response.status_code == 206
    assert response.headers["content-range"] == f"bytes {first}-{stop - 1}/{DOWNLOAD_SIZE}"
    assert response.headers["content-length"] == str(stop - first)
    whole = b"".join(b"%015d\n" % position for position in range(0, DOWNLOAD_SIZE, 16))
    assert response.content == whole[first:stop]


def test_a_part_that_is_not_there(app: Starlette) -> None:
    response = get(app, "/download", range="bytes=10000000-")
    assert response.status_code == 416
    assert response.headers["content-range"] == "bytes */10000000"


def test_the_whole_download(app: Starlette) -> None:
    assert len(get(app, "/download").content) == DOWNLOAD_SIZE
    assert get(app, "/download", range="bytes=0-1,5-6").status_code == 200


def test_ticks(pauses: list[float]) -> None:
    async def two() -> list[Any]:
        response = await demo.stream(Request({"type": "http"}))
        assert isinstance(response, StreamingResponse)
        assert response.media_type == "text/event-stream"
        ticks = response.body_iterator
        return [await anext(aiter(ticks)), await anext(aiter(ticks))]

    assert asyncio.run(two()) == ["id: 0\ndata: tick 0\n\n", "id: 1\ndata: tick 1\n\n"]
    assert pauses == [1]


def test_the_websocket_says_back_what_it_hears(app: Starlette) -> None:
    heard = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]
    heard.append({"type": "websocket.disconnect", "code": "1000"})
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return dict(heard.pop(0))

    async def tell(message: Any) -> None:
        said.append(message)

    scope = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b"", "subprotocols": []}
    serve: Callable[..., Awaitable[None]] = app
    asyncio.run(_finish(serve(scope, receive, tell)))
    assert [message["type"] for message in said] == ["websocket.accept", "websocket.send"]
    assert said[1]["text"] == "hello"


async def _finish(work: Awaitable[None]) -> None:
    await work
