"""The dialect varnish beside Varnish itself: the same origin, the same requests, and what both make of them.

Two requests a row, with some time in between: Varnish's clock is the real one, so all rows wait together.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.live.debian import program
from tests.live.processes import LOOPBACK, free_port, listening, running
from tests.live.raw_client import Answer, calling
from tests.live.routed_origin import RoutedOrigin, ok, response, says
from tests.live.swerve import swerve, within

pytestmark = pytest.mark.live

VCL = 'vcl 4.1; backend default {{ .host = "{host}"; .port = "{port}"; }}'
MAX_AGE = "Cache-Control: max-age=60"
SHORT = "Cache-Control: max-age=1"
PAUSE = 2.2  # seconds: over SHORT, and inside the ten of grace

Row = tuple[str, tuple[str, ...], tuple[str, ...]]
# Status line, response fields; fields of both requests.
ROWS: dict[str, Row] = {
    "nothing is said":             ("200 OK", (), ()),
    "max-age":                     ("200 OK", (MAX_AGE,), ()),
    "s-maxage before max-age":     ("200 OK", ("Cache-Control: max-age=0, s-maxage=60",), ()),
    "in any case":                 ("200 OK", ("Cache-Control: MaX-AgE=60",), ()),
    "an entity-tag alone":         ("200 OK", ('ETag: "1"',), ()),
    "an Age below max-age":        ("200 OK", (MAX_AGE, "Age: 30"), ()),
    "an Age above max-age":        ("200 OK", (MAX_AGE, "Age: 100"), ()),
    "an Age inside grace":         ("200 OK", (MAX_AGE, "Age: 65"), ()),
    "no-store":                    ("200 OK", ("Cache-Control: max-age=60, no-store",), ()),
    "no-cache":                    ("200 OK", ("Cache-Control: max-age=60, no-cache",), ()),
    "private":                     ("200 OK", ("Cache-Control: max-age=60, private",), ()),
    "private for a field":         ("200 OK", ('Cache-Control: max-age=60, private="x"',), ()),
    "no-cache for a field":        ("200 OK", ('Cache-Control: max-age=60, no-cache="x"',), ()),
    "max-age=0 and a window":      ("200 OK", ("Cache-Control: max-age=0, stale-while-revalidate=60",), ()),
    "Set-Cookie":                  ("200 OK", (MAX_AGE, "Set-Cookie: a=1"), ()),
    "Vary: *":                     ("200 OK", (MAX_AGE, "Vary: *"), ()),
    "Vary on what both send":      ("200 OK", (MAX_AGE, "Vary: X"), ("X: 1",)),
    "Surrogate-Control of ESI":    ("200 OK", ("Cache-Control: max-age=60, no-store",
                                               'Surrogate-Control: content="ESI/1.0"'), ()),
    "Surrogate-Control: max-age":  ("200 OK", ("Cache-Control: private", "Surrogate-Control: max-age=60"), ()),
    "Surrogate-Control: no-store": ("200 OK", (MAX_AGE, "Surrogate-Control: no-store"), ()),
    "a Cookie is sent":            ("200 OK", (MAX_AGE,), ("Cookie: a=1",)),
    "Authorization is sent":       ("200 OK", (MAX_AGE,), ("Authorization: x",)),
    "no-cache is sent":            ("200 OK", (MAX_AGE,), ("Cache-Control: no-cache", "Pragma: no-cache")),
    "max-age=0 is sent":           ("200 OK", (MAX_AGE,), ("Cache-Control: max-age=0",)),
    "stale in default grace":      ("200 OK", (SHORT,), ()),
    "stale, s-maxage":             ("200 OK", ("Cache-Control: s-maxage=1",), ()),
    "stale, must-revalidate":      ("200 OK", (f"{SHORT}, must-revalidate",), ()),
    "stale, a window":             ("200 OK", (f"{SHORT}, stale-while-revalidate=60",), ()),
    "stale, a window of none":     ("200 OK", (f"{SHORT}, stale-while-revalidate=0",), ()),
    "stale, a window, no number":  ("200 OK", (f"{SHORT}, stale-while-revalidate",), ()),
    "stale, stale-if-error":       ("200 OK", (f"{SHORT}, stale-while-revalidate=0, stale-if-error=60",), ()),
    **{f"{status}": (f"{status} x", (), ()) for status in (201, 203, 300, 301, 302, 303, 307, 308, 400, 403, 404,
                                                           405, 410, 414, 451, 500, 501, 503)},
    **{f"{status} and max-age": (f"{status} x", (MAX_AGE,), ()) for status in (203, 302, 303, 307, 308, 403, 404, 500)},
}  # fmt: skip
PATHS = {f"/{number}": row for number, row in enumerate(ROWS.values())}


@contextmanager
def varnish(origin: RoutedOrigin) -> Iterator[int]:
    """A Varnish in front of an origin, until the block ends. Yields its port."""
    port = free_port()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "default.vcl").write_text(VCL.format(host=LOOPBACK, port=origin.port))
        words: list[str | Path] = [
            program("varnishd", "varnish", "the dialect varnish"), "-F", "-j", "none", "-n", folder / "state",
            "-f", folder / "default.vcl", "-a", f"{LOOPBACK}:{port}", "-T", "none", "-s", "malloc,16m",
        ]  # fmt: skip
        with running(words, lambda _: listening(port), folder=folder):
            yield port


def an_origin() -> RoutedOrigin:
    pages = {
        path: says(response(b"page", "Content-Length: 4", *lines, status=status))
        for path, (status, lines, _) in PATHS.items()
    }
    return RoutedOrigin({**pages, "/whole": says(ok(b"0123456789", MAX_AGE))})


@asynccontextmanager
async def both() -> AsyncIterator[dict[str, int]]:
    """The ports of Varnish, and of Swerve in its dialect, each in front of an origin of its own."""
    async with an_origin() as one, an_origin() as other, swerve(other.url, dialect="varnish") as ours:
        block = varnish(one)
        port = await asyncio.to_thread(block.__enter__)
        try:
            yield {"varnish": port, "swerve": ours.port}
        finally:
            await asyncio.to_thread(block.__exit__, None, None, None)


async def asked(port: int) -> list[Answer]:
    """The answers to one request for each row."""
    async with calling(port) as caller:
        return [await caller.get(path, *lines) for path, (_, _, lines) in PATHS.items()]


def told(answer: Answer) -> dict[str, object]:
    """What is the same for everybody, of what an answer says: by how many numbers, how old, whether parts may be asked
    for."""
    numbers = len((answer.header("x-varnish") or "").split())
    aged = "fresh" if answer.header("age") == "0" else "aged"
    return {"status": answer.status, "x-varnish": numbers, "age": aged, "accept-ranges": answer.header("accept-ranges")}


@within(60)
async def test_both_say_the_same_of_every_row() -> None:
    async with both() as ports:
        first = {name: await asked(port) for name, port in ports.items()}
        await asyncio.sleep(PAUSE)
        second = {name: await asked(port) for name, port in ports.items()}
    for answers in (first, second):
        found = {name: dict(zip(ROWS, map(told, of), strict=True)) for name, of in answers.items()}
        assert found["swerve"] == found["varnish"]
    assert {told(answer)["x-varnish"] for answer in second["varnish"]} == {1, 2}, "it was asked something"


@within(30)
async def test_both_answer_heads_and_parts_from_the_whole() -> None:
    async with both() as ports:
        found = {}
        for name, port in ports.items():
            async with calling(port) as caller:
                answers = [await caller.get("/whole", method="HEAD"), await caller.get("/whole")]
                answers.append(await caller.get("/whole", "Range: bytes=2-3"))
            found[name] = [(told(answer), answer.body) for answer in answers]
    assert found["swerve"] == found["varnish"]
    assert found["varnish"][2][1] == b"23"
