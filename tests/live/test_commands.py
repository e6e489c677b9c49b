"""The commands and the stream, against a real running Swerve."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from app.commands.warm import FIELDS
from tests.live.processes import LOOPBACK
from tests.live.raw_client import calling
from tests.live.raw_origin import Wire
from tests.live.routed_origin import RoutedOrigin, ok, response, says
from tests.live.swerve import Swerve, environment, swerve, within

pytestmark = pytest.mark.live

SWR = "Cache-Control: s-maxage=600, stale-while-revalidate=600"
SITEMAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
  <url><loc>https://shop.example/blog?page=2</loc></url><url><loc> https://shop.example/about </loc></url>
</urlset>"""
INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
  <sitemap><loc>https://shop.example/pages.xml.gz</loc></sitemap>
  <sitemap><loc>https://shop.example/sitemap.xml</loc></sitemap>
</sitemapindex>"""
PAGES = {
    "/blog": says(ok(b"blog", SWR, "Cache-Tag: blog, post-7")),
    "/about": says(ok(b"about", SWR)),
    "/cart": says(ok(b"cart", "Cache-Control: private")),
    "/broken": says(response(b"", "Content-Length: 0", status="500 Internal Server Error")),
    "/sitemap.xml": says(ok(INDEX, "Cache-Control: no-store")),
    "/pages.xml.gz": says(ok(gzip.compress(SITEMAP), "Cache-Control: no-store")),
}


@dataclass
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shell:
    """Runs commands against one Swerve."""

    proxy: Swerve
    variables: dict[str, str]

    @property
    def site(self) -> str:
        return f"http://localhost:{self.proxy.port}"

    async def start(self, *words: str, terminal: int | None = None) -> asyncio.subprocess.Process:
        where = {"SWERVE_ADMIN": f"{LOOPBACK}:{self.proxy.admin}"}
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", *words, env={**environment(), **where, **self.variables},
            stdin=asyncio.subprocess.DEVNULL if terminal is None else terminal,
            stdout=asyncio.subprocess.PIPE if terminal is None else terminal, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def run(self, *words: str, code: int = 0) -> Ran:
        process = await self.start(*words)
        out, err = await asyncio.wait_for(process.communicate(), 20)
        ran = Ran(process.returncode or 0, out.decode(), err.decode())
        assert ran.code == code, ran
        assert "Traceback" not in ran.err, ran.err
        assert "\x1b" not in ran.out, "no colour off a terminal"
        return ran

    async def says(self, path: str) -> str | None:
        async with calling(self.proxy.port) as caller:
            await caller.ask(path, *(f"{name}: {value}" for name, value in FIELDS.items()))
            answer = await caller.head()
            async for _ in caller.pieces(answer):
                pass
            return answer.header("x-vercel-cache")


@asynccontextmanager
async def shell(tmp_path: Path, **variables: str) -> AsyncIterator[Shell]:
    """In front of PAGES, tags read from Cache-Tag."""
    settings = tmp_path / "swerve.toml"
    settings.write_text('[rules]\ntags = [{ field = "cache-tag" }]\n')
    given = {"SWERVE_CONFIG": str(settings), **variables}
    async with RoutedOrigin(PAGES) as origin, swerve(origin.url, dialect="vercel", variables=given) as proxy:
        yield Shell(proxy, variables)


@within(60)
async def test_a_day_of_an_operator(tmp_path: Path) -> None:
    async with shell(tmp_path) as one:
        warmed = await one.run("warm", "/blog", f"{one.site}/cart", "--sitemap", f"{one.site}/sitemap.xml")
        assert warmed.out.endswith("warmed 4, failed 0\n"), "the sitemap's pages are asked for here, once each"
        for word in ("PRERENDER", "HIT"):
            assert [await one.says(path) for path in ("/blog", "/about", "/blog?page=2")] == [word] * 3

        listed = await one.run("ls")
        assert listed.out.endswith("3 stored responses\n")
        assert (await one.run("ls", "/blog", "--tag", "post-7")).out.count("blog, post-7") == 2
        (entry, *_) = (await one.run("ls", "/blog", "--json")).json["entries"]
        by_key, by_id, by_url, by_path = [
            (await one.run("show", what, "--json")).json
            for what in (entry["key"], entry["id"], entry["url"], "/blog")
        ]  # fmt: skip
        assert by_key["entries"][0]["url"] == f"{one.site}/blog"
        assert [one["id"] for one in by_id["entries"]] == [one["id"] for one in by_url["entries"]] == [entry["id"]]
        assert by_path["entries"][0]["variants"][0]["tags"] == ["blog", "post-7"]
        assert "stale-while-revalidate 600 s" in (await one.run("show", "/blog")).out
        assert "nothing is stored for /none" in (await one.run("show", "/none", code=1)).err

        tried = await one.run("invalidate", "--tag", "post-7", "--dry-run")
        assert tried.out.startswith("would have invalidated 2 stored responses\n  fresh ")
        done = await one.run("invalidate", "--url", "/blog", "--tag", "none", "--json")
        assert (done.json["matched"], len(done.json["purges"])) == (1, 2)
        assert [await one.says("/blog"), await one.says("/about")] == ["STALE", "HIT"]

        assert (await one.run("delete", "--path", "/blog")).out.startswith("deleted 2 stored responses\n")
        assert [await one.says("/blog"), await one.says("/blog")] == ["REVALIDATED", "HIT"]

        assert (await one.run("deploy", "v1")).out == "v1 is current\n"
        assert (await one.run("deploy", "v2")).out == "v2 is current; known besides: v1\n"
        assert (await one.run("delete", "--all")).code == 0, "nobody is asked where there is no terminal"
        assert (await one.run("ls")).out == "0 stored responses\n"


@within(60)
async def test_what_exit_codes_say(tmp_path: Path) -> None:
    async with shell(tmp_path) as one:
        await one.run("warm", "/blog", "--json")
        missed = await one.run("invalidate", "--tag", "post_7")
        assert missed.out == "invalidated 0 stored responses\n  did you mean tag post-7? (spelled alike)\n"
        assert (await one.run("invalidate", "--tag", "post_7", "--must-match", code=1)).out == missed.out
        broken = await one.run("warm", "/broken", "/about", code=1)
        assert broken.out.endswith("warmed 1, failed 1\n")
        for words, told in (
            (["invalidate"], "nothing is named; write one of --tag"),
            (["delete", "--path", "blog"], "paths: 'blog' is no path"),
            (["invalidate", "--all", "--deadline", "soon"], "'soon' is no duration"),
            (["warm"], "nothing to warm"),
            (["warm", "blog"], "'blog' is neither a URL nor a path"),
            (["warm", "--sitemap", "/blog"], "it is no sitemap"),
            (["warm", "--sitemap", "/none.xml"], "it answered 404"),
            (["ls", "blog"], "prefix 'blog' is neither a path nor a URL"),
            (["show", "GET x"], "is no key"),
            (["deploy", ""], "id is ''"),
            (["tail", "--status", "hits"], "did you mean hit?"),
            (["ls", "--admin", f"{LOOPBACK}:{one.proxy.port}"], "is no admin side of Swerve"),
            (["tail", "--admin", f"{LOOPBACK}:{one.proxy.port}"], "is no admin side of Swerve"),
            (["tail", "--admin", f"{LOOPBACK}:1"], "is Swerve running?"),
            (["ls", "--admin", f"{LOOPBACK}:1"], "is Swerve running?"),
        ):
            failed = await one.run(*words, code=2)
            assert told in failed.err, (words, failed.err)
            assert failed.out == ""


@pytest.mark.parametrize(("words", "typed", "left"), [
    (["--all"],               b"n\n", 1), (["--all"],               b"y\n", 0), (["--all", "--yes"],     b"",     0),
    (["--all", "--dry-run"],  b"",     1), (["--path", "/none"],     b"",     1),
])  # fmt: skip
@within(60)
async def test_on_a_terminal_everything_is_deleted_only_when_it_is_meant(
    tmp_path: Path, words: list[str], typed: bytes, left: int
) -> None:
    async with shell(tmp_path) as one:
        await one.says("/blog")
        terminal, end = os.openpty()
        try:
            os.write(terminal, typed)
            process = await one.start("delete", *words, terminal=end)
            _, asked = await asyncio.wait_for(process.communicate(), 20)
            assert process.returncode == (1 if typed == b"n\n" else 0)
            assert (b"Delete everything that is stored? [y/N]" in asked) is (typed != b"")
        finally:
            os.close(terminal)
            os.close(end)
        assert len((await one.run("ls", "--json")).json["entries"]) == left


@within(60)
async def test_the_token_is_asked_for_and_shown(tmp_path: Path) -> None:
    async with shell(tmp_path, SWERVE_ADMIN_TOKEN="hush") as one:
        assert (await one.run("ls")).out == "0 stored responses\n"
        one.variables = {"SWERVE_ADMIN_TOKEN": "wrong"}
        failed = await one.run("ls", code=2)
        assert failed.err.startswith("swerve: http://")
        assert "wants its admin token; set SWERVE_ADMIN_TOKEN" in failed.err
        assert failed.err.count("\n") == 1


@within(60)
async def test_followers_see_what_happens_and_hold_nothing_up(tmp_path: Path) -> None:
    async with shell(tmp_path) as one:
        text, lines = await one.start("tail", "--since", "0"), await one.start("tail", "--json", "--reason", "fresh")
        assert text.stdout is not None
        assert lines.stdout is not None
        for path in ("/blog", "/blog", "/cart"):
            await one.says(path)
        read = [(await text.stdout.readline()).decode() for _ in range(3)]
        assert [line.split()[4] for line in read] == ["MISS", "HIT", "NOSTORE"]
        while True:  # it may have begun after the first hit
            await one.says("/blog")
            try:
                line = await asyncio.wait_for(lines.stdout.readline(), 0.5)
                break
            except TimeoutError:
                continue
        assert json.loads(line)["reason"] == "fresh"

        since = perf_counter()
        os.kill(one.proxy.pid, signal.SIGTERM)
        assert await one.proxy.ended() == 0
        took = perf_counter() - since
        print(f"ended after {took:.2f} s with two followers")
        assert took < 2
        assert [await text.wait(), await lines.wait()] == [0, 0]


@within(60)
async def test_a_stream_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    big = "x" * 8_000

    async def page(wire: Wire, _: bytes) -> None:
        await wire.send(ok(b"page", "Cache-Control: no-store"))

    async with (
        RoutedOrigin({f"/{big}": page}) as origin,
        swerve(origin.url) as proxy,
        calling(proxy.admin) as stalled,
        calling(proxy.port) as visitor,
    ):
        await stalled.ask("/v1/stream", "Last-Event-ID: 0")
        assert (await stalled.head()).status == 200
        for _ in range(1_000):  # 16 MB of events: more than sockets and buffers hold
            await visitor.ask(f"/{big}")
            answer = await visitor.head()
            async for _ in visitor.pieces(answer):
                pass
        since = perf_counter()
        os.kill(proxy.pid, signal.SIGTERM)
        assert await proxy.ended() == 0
        took = perf_counter() - since
        print(f"ended after {took:.2f} s with a stream that nobody reads")
        assert took < 2


@within(60)
async def test_a_table_of_what_the_origin_has_said(tmp_path: Path) -> None:
    """The proxy's own URL, or a path, is a question to the running Swerve; any other server is asked for itself."""
    async with shell(tmp_path) as one:
        await one.says("/blog")
        by_url, by_path = [(await one.run("table", what, "--json")).json for what in (f"{one.site}/blog", "/blog")]
        assert [by_url["fetched"], by_path["fetched"]] == [False, False]
        assert {"name": "cache-control", "value": SWR.partition(": ")[2]} in by_url["fields"], "the origin's own head"
        assert by_url["dialects"] == by_path["dialects"]
        fetched = (await one.run("table", "/about", "--json", "--dialects", "vercel,nginx")).json
        assert fetched["fetched"]
        assert (await one.run("ls")).out.endswith("1 stored response\n"), "nothing is kept of it"
        answer = await one.run("table", f"http://{LOOPBACK}:{one.proxy.admin}/version", "--dialects", "nginx")
        assert "Cache-Control: no-store" in answer.out
        assert "does not answer" in (await one.run("table", "/", "--admin", f"{LOOPBACK}:9", code=2)).err
