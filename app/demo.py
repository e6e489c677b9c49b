"""The demo origin: a small app each of whose pages shows one thing that a cache does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.responses import StreamingResponse as Streaming
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.clock import Clock
from app.core import ranges
from app.core.fields import format_date
from app.core.messages import Headers
from app.core.messages import Request as Head

DOWNLOAD_SIZE = 10_000_000  # bytes: as much as the vercel dialect stores
LINE = 16  # bytes of a line of the download, which says where it stands
RENDERING = 2.0  # seconds that /slow takes
TICKS = 3600  # an event stream ends at last, for those who forgot it

TEMPLATE = (Path(__file__).parent / "demo.html").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Page:
    """A page on the index: `sends` are the fields it shows, `asked` whether a browser may fetch it as a whole."""

    path: str
    sends: str
    shows: str
    curl: str = "-i"
    asked: bool = True


PAGES = (
    Page("/blog", "Cache-Control: s-maxage=60, stale-while-revalidate=300",
        "The usual page: a miss, then hits for a minute, then stale at once while it is fetched anew."),
    Page("/isr-5", "Cache-Control: s-maxage=5, stale-while-revalidate=55",
        "The same, quicker: ask twice within five seconds, then once more after ten."),
    Page("/slow", "Cache-Control: s-maxage=30",
        "Takes two seconds to render. The second time it does not; and many who ask at once wait for one rendering."),
    Page("/account", "Cache-Control: private", "One user's page: passed on, never stored."),
    Page("/cart", "Set-Cookie, and Cache-Control: s-maxage=60",
        "A leak elsewhere: a cookie on a page for everybody. The vercel dialect refuses to store it; not every cache."),
    Page("/vary", "Vary: Accept-Language, Cache-Control: s-maxage=60",
        "Greets in German, French or English: one stored response for each value.", "-i -H 'Accept-Language: fr'"),
    Page("/etag", "Cache-Control: no-cache, with an ETag",
        "Stored by the standard dialect and validated at each use, which costs the origin a 304; refused by vercel."),
    Page("/error-after", "Cache-Control: s-maxage=5, stale-if-error=600",
        "Load it once, take the origin down with the button above, wait five seconds: it is still served."),
    Page("/api/time", "CDN-Cache-Control: max-age=5",
        "JSON with a lifetime for the CDN alone (RFC 9213); browsers are not told to keep it."),
    Page("/stream", "Content-Type: text/event-stream", "One tick a second, passed on as it comes.", "-N", asked=False),
    Page("/download", "Content-Length: 10000000, Cache-Control: s-maxage=600",
        "Ten megabytes, in parts if you like.", "-r 0-99", asked=False),
    Page("/ws", "101 Switching Protocols", "A WebSocket that says back what it hears, tunnelled past the cache.",
        "-i -N -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' "
        "-H 'Sec-WebSocket-Key: c3dlcnZlIGRlbW8gb25seQ=='", asked=False),
)  # fmt: skip

GREETINGS = {"de": "Guten Tag", "fr": "Bonjour", "en": "Hello"}


async def pause(seconds: float) -> None:
    """An origin that takes its time is what is shown here."""
    await asyncio.sleep(seconds)  # noqa: TID251


class Demo:
    """What the pages remember: how often each was rendered, and whether the origin plays dead."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.renders: Counter[str] = Counter()
        self.down = False

    def page(self, request: Request, text: str, **fields: str) -> HTMLResponse:
        """A page that says when and how often it was rendered. `fields` are response fields, `_` for `-`."""
        path = request.url.path
        self.renders[path] += 1
        body = (
            f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<link rel="icon" href="data:,"><title>{path}</title>'
            '<body style="font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem">'
            f"<h1>{path}</h1><p>{text}</p><p>Rendering number {self.renders[path]}, "
            f'{format_date(self.clock.now())}.</p><p><a href="/">all pages</a></p>\n'
        )
        return HTMLResponse(body, headers={name.replace("_", "-"): value for name, value in fields.items()})

    async def index(self, request: Request) -> Response:
        host = escape(request.headers.get("host", "localhost:8080"))
        text = TEMPLATE.replace("{{state}}", "up, but /error-after answers 503" if self.down else "up")
        text = text.replace("{{toggle}}", "bring it back" if self.down else "take it down")
        return HTMLResponse(
            text.replace("{{pages}}", "\n".join(_article(page, host) for page in PAGES)),
            headers={"cache-control": "no-store"},
        )

    async def blog(self, request: Request) -> Response:
        return self.page(request, "Fresh for a minute.", cache_control="s-maxage=60, stale-while-revalidate=300")

    async def isr(self, request: Request) -> Response:
        return self.page(request, "Fresh for five seconds.", cache_control="s-maxage=5, stale-while-revalidate=55")

    async def slow(self, request: Request) -> Response:
        await pause(RENDERING)
        return self.page(request, "That took two seconds to render.", cache_control="s-maxage=30")

    async def account(self, request: Request) -> Response:
        return self.page(request, "For you alone.", cache_control="private")

    async def cart(self, request: Request) -> Response:
        cookie = f"cart={self.renders['/cart'] + 1}; Path=/cart; HttpOnly"
        return self.page(request, "Your cart, in a cookie.", cache_control="s-maxage=60", set_cookie=cookie)

    async def vary(self, request: Request) -> Response:
        language = request.headers.get("accept-language", "en").strip()[:2].lower()
        language = language if language in GREETINGS else "en"
        fields = {"cache_control": "s-maxage=60", "vary": "Accept-Language", "content_language": language}
        return self.page(request, GREETINGS[language], **fields)

    async def etag(self, request: Request) -> Response:
        fields = {"cache_control": "no-cache", "etag": '"v1"'}
        if '"v1"' in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={name.replace("_", "-"): value for name, value in fields.items()})
        return self.page(request, "Never changes, always asks.", **fields)

    async def error_after(self, request: Request) -> Response:
        if self.down:
            return PlainTextResponse("the origin plays dead\n", 503)
        return self.page(request, "Outlives its origin.", cache_control="s-maxage=5, stale-if-error=600")

    async def toggle_down(self, request: Request) -> Response:
        self.down = not self.down
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/", 303)
        return PlainTextResponse("down\n" if self.down else "up\n")

    async def api_time(self, _request: Request) -> Response:
        now = self.clock.now()
        return JSONResponse({"time": format_date(now), "seconds": now}, headers={"cdn-cache-control": "max-age=5"})


def _article(page: Page, host: str) -> str:
    button = f'<button data-path="{page.path}">ask</button>' if page.asked else ""
    return (
        f'<article><header><a href="{page.path}">{page.path}</a><code>{escape(page.sends)}</code>{button}</header>'
        f"<p>{escape(page.shows)}</p><pre>curl {escape(page.curl)} http://{host}{page.path}</pre><output></output></article>"
    )


async def stream(_request: Request) -> Response:
    async def ticks() -> AsyncIterator[str]:
        for number in range(TICKS):
            yield f"id: {number}\ndata: tick {number}\n\n"
            await pause(1)

    return Streaming(ticks(), media_type="text/event-stream")


async def download(request: Request) -> Response:
    """Ten megabytes that know their place, whole or one part of them (RFC 9110 §14)."""
    head = Head(request.method, "http", "", "/download", Headers(request.headers.raw))
    fields = {"accept-ranges": "bytes", "cache-control": "s-maxage=600", "etag": '"ten-megabytes"'}
    spans = ranges.requested_spans(head, DOWNLOAD_SIZE)
    if spans is None or len(spans) > 1:
        fields["content-length"] = str(DOWNLOAD_SIZE)
        return Streaming(_lines(0, DOWNLOAD_SIZE), 200, fields, "text/plain")
    if not spans:
        return Response(status_code=416, headers={"content-range": f"bytes */{DOWNLOAD_SIZE}"})
    ((first, stop),) = spans
    fields |= {"content-range": f"bytes {first}-{stop - 1}/{DOWNLOAD_SIZE}", "content-length": str(stop - first)}
    return Streaming(_lines(first, stop), 206, fields, "text/plain")


async def _lines(first: int, stop: int, piece: int = 65_536) -> AsyncIterator[bytes]:
    """The bytes from `first` up to `stop`, in pieces: lines that are numbered by their position."""
    for start in range(first - first % LINE, stop, piece):
        end = min(start + piece, stop)
        text = b"".join(b"%015d\n" % position for position in range(start, end, LINE))
        yield text[max(0, first - start) : end - start]


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


def build_demo(clock: Clock) -> Starlette:
    """A demo origin with a state of its own."""
    demo = Demo(clock)
    pages: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/": demo.index, "/blog": demo.blog, "/isr-5": demo.isr, "/slow": demo.slow, "/account": demo.account,
        "/cart": demo.cart, "/vary": demo.vary, "/etag": demo.etag, "/error-after": demo.error_after,
        "/api/time": demo.api_time, "/stream": stream, "/download": download,
    }  # fmt: skip
    routes = [Route(path, page) for path, page in pages.items()]
    toggle = Route("/toggle-down", demo.toggle_down, methods=["POST"])
    return Starlette(routes=[*routes, toggle, WebSocketRoute("/ws", echo)])


demo_app = build_demo(Clock())
