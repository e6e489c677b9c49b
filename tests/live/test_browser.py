"""A person with a browser, a Next.js app and Swerve between them: each click, and what the cache said to it.

The app purges as it would at Vercel: by its REST API, with another base URL.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.commands.warm import FIELDS
from tests.live import browser, node
from tests.live.browser import Seen, Tab
from tests.live.origins import next_app, prerendered_routes, preview_mode_id
from tests.live.processes import LOOPBACK
from tests.live.raw_client import Answer, get
from tests.live.swerve import Swerve, environment, free_ports, started, within

pytestmark = pytest.mark.live

ADMIN_TOKEN = "choose-one"
WORDS = {"vercel": "x-vercel-cache", "nextjs": "x-nextjs-cache"}
# Next.js tells no tags of pages: those that the app sends for Vercel are read for the dialect nextjs as well.
SETTINGS = {"vercel": "", "nextjs": '[rules]\ntags = [{ field = "Vercel-Cache-Tag" }]\n'}
# As many visits as may be stale before the refresh of the one before is through, on a machine that is busy.
MOST_STALE = 60


@dataclass
class Session:
    """A browser in front of Swerve in front of the app."""

    tab: Tab
    swerve: Swerve
    dialect: str
    variables: Mapping[str, str]

    @property
    def site(self) -> str:
        return f"http://localhost:{self.swerve.port}"

    def word(self, seen: Seen) -> str | None:
        return seen.header(WORDS[self.dialect])

    async def visit(self, path: str) -> str | None:
        """The word for a page that is typed in."""
        return self.word(await self.tab.open(self.site + path))

    async def answered(self, button: str, part: str) -> Seen:
        """What a button brings, once it is shown."""
        since = len(self.tab.answers)
        await self.tab.call("Network.clearBrowserCache")
        await self.tab.click(f"#{button}")
        await self.tab.see(f"document.querySelector('#{button}-answer').textContent !== ''")
        return await self.tab.answer(part, since)

    async def pressed(self, button: str, part: str) -> str | None:
        return self.word(await self.answered(button, part))

    async def until_new(self, path: str, old: str) -> None:
        """Visits that are stale, until the story is another."""
        for _ in range(MOST_STALE):
            word = await self.visit(path)
            if await self.tab.text("#story") != old:
                assert word in ("HIT", "STALE"), word  # what Next.js itself calls stale is not fresh here
                return
            assert word == "STALE", word
        raise AssertionError(f"{path} is never renewed")

    async def until_fresh(self, path: str) -> None:
        for _ in range(MOST_STALE):
            if (word := await self.visit(path)) == "HIT":
                return
            assert word == "STALE", word
        raise AssertionError(f"{path} is never fresh")

    async def warm(self, routes: Sequence[str]) -> None:
        """As this browser asks: what it accepts differs from version to version."""
        admin, accept = f"{LOOPBACK}:{self.swerve.admin}", f"Accept: {self.tab.accept}"
        words = [sys.executable, "-m", "app", "warm", "--file", "-", "--admin", admin, "-H", accept]
        await asyncio.to_thread(
            subprocess.run, words, env={**environment(), **self.variables}, input="\n".join(routes), text=True,
            check=True, timeout=30,
        )  # fmt: skip

    async def renewed(self, path: str, token: str) -> Answer:
        """Asked for as a browser asks, with the token beside."""
        asked = {**FIELDS, "accept": self.tab.accept, "x-prerender-revalidate": token}
        sent = {"host": f"localhost:{self.swerve.port}", **asked}
        return await get(self.swerve.port, path, *(f"{name}: {value}" for name, value in sent.items()))


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    """What takes long the first time is no part of a test's time."""
    node.need_node()
    browser.program()
    node.build(node.APPS / "next")


@asynccontextmanager
async def session(dialect: str, folder: Path) -> AsyncIterator[Session]:
    settings = folder / "swerve.toml"
    settings.write_text(SETTINGS[dialect])
    token = {"SWERVE_ADMIN_TOKEN": ADMIN_TOKEN}
    variables = {**token, "SWERVE_PREVIEW_TOKEN": preview_mode_id(), "SWERVE_CONFIG": str(settings)}
    ports = free_ports()
    with ExitStack() as stack:
        api = {"VERCEL_API_URL": f"http://{LOOPBACK}:{ports[1]}", "VERCEL_TOKEN": ADMIN_TOKEN}
        origin = stack.enter_context(next_app(**api))
        swerve = stack.enter_context(started(origin.url, dialect=dialect, variables=variables, ports=ports))
        async with browser.chromium() as tab:
            one = Session(tab, swerve, dialect, token)
            yield one
            print(*(_line(one, seen) for seen in tab.answers), sep="\n")
            assert tab.wrong == [], "nothing in red"
            assert_never_mixed_up(tab)


def _line(one: Session, seen: Seen) -> str:
    return f"{seen.status} {one.word(seen) or '-':<11} {seen.kind:<9} {seen.media:<18} {seen.url}"


def assert_never_mixed_up(tab: Tab) -> None:
    """A page's data is for who asks for it, and the page for who does not (CVE-2026-44576)."""
    data = [seen for seen in tab.answers if "rsc" in seen.asked and seen.status == 200]
    assert data, "the router asks for data"
    assert {seen.media for seen in data} == {"text/x-component"}
    assert {seen.media for seen in tab.answers if seen.kind == "Document" and seen.status == 200} == {"text/html"}


# Of each: what is seen in `vercel`, and in `nextjs`.
PRERENDERED = {"vercel": ["PRERENDER", "HIT", "HIT"], "nextjs": ["HIT", "HIT", "HIT"]}
DELETED = {"vercel": "REVALIDATED", "nextjs": "MISS"}
DYNAMIC = {"vercel": "MISS", "nextjs": None}
DRAFT = {"vercel": "BYPASS", "nextjs": None}


@within(120)
@pytest.mark.parametrize("dialect", ["vercel", "nextjs"])
async def test_a_person_clicks_through_an_app(dialect: str, tmp_path: Path) -> None:
    async with session(dialect, tmp_path) as one:
        await static_pages(one)
        await links(one)
        await a_page_that_expires(one)
        await a_route_handler(one)
        await a_page_by_its_tag(one)
        await drafts(one)
        await a_page_by_the_token(one)


async def static_pages(one: Session) -> None:
    """Prerendered, and then stored; a page for each visitor never is."""
    assert [await one.visit("/dynamic") for _ in range(2)] == [DYNAMIC[one.dialect]] * 2
    await one.warm(prerendered_routes())
    first = await one.tab.open(f"{one.site}/")
    assert [one.word(first), await one.visit("/"), await one.visit("/")] == PRERENDERED[one.dialect]
    assert first.header("age") == {"vercel": "0", "nextjs": None}[one.dialect]
    assert await one.tab.text("h1") == "Static page"
    assert [await one.visit("/news") for _ in range(2)] == PRERENDERED[one.dialect][:2]


async def links(one: Session) -> None:
    """The router has prefetched what the links lead to, and follows them without another document."""
    await one.visit("/")
    before = len(one.tab.answers)
    for link, title in (("news", "News"), ("home", "Static page"), ("stock", "Stock"), ("home", "Static page"),
                        ("dynamic", "Dynamic page")):  # fmt: skip
        await one.tab.click(f"#{link}")
        await one.tab.see(f"document.querySelector('h1')?.textContent === '{title}'")
    assert not [seen for seen in one.tab.answers[before:] if seen.kind == "Document"], "one page, and its data"
    data = [seen for seen in one.tab.answers if "/news" in seen.url and "rsc" in seen.asked]
    assert {one.word(seen) for seen in data} <= {"MISS", "HIT"}
    assert any("next-router-prefetch" in seen.asked for seen in data)


async def a_page_that_expires(one: Session) -> None:
    """Revalidated every two seconds: STALE to one, HIT to the next, whoever they are."""
    words = [await one.visit("/isr")]
    while not {"HIT", "STALE"} <= set(words[1:]):
        words.append(await one.visit("/isr"))
        assert len(words) < 1_000, words
    assert set(words[1:]) == {"HIT", "STALE"}
    assert await one.tab.text("h1") == "ISR page"


async def a_route_handler(one: Session) -> None:
    """With tags of its own, by which the app purges it."""
    await one.visit("/stock")
    first, hit = await one.answered("count", "/api/stock"), await one.answered("count", "/api/stock")
    assert [one.word(first), one.word(hit)] == ["MISS", "HIT"]
    shown = hit.header("vercel-cache-tag")
    assert shown == {"vercel": None, "nextjs": "stock,goods"}[one.dialect]
    count = await one.tab.text("#count-answer")
    await one.pressed("invalidate", "/api/revalidate")
    assert await one.pressed("count", "/api/stock") == "STALE"
    assert await one.tab.text("#count-answer") == count
    await one.pressed("delete", "/api/revalidate")
    assert [await one.pressed("count", "/api/stock") for _ in range(2)] == [DELETED[one.dialect], "HIT"]
    assert await one.tab.text("#count-answer") != count


async def a_page_by_its_tag(one: Session) -> None:
    """revalidateTag with a lifetime, and updateTag with revalidatePath in a Server Action, each with a purge."""
    await one.until_fresh("/news")
    story = await one.tab.text("#story")
    await one.pressed("refresh", "/api/revalidate")
    assert await one.visit("/news") == "STALE"
    assert await one.tab.text("#story") == story
    await one.until_new("/news", story)
    await one.until_fresh("/news")
    story, since = await one.tab.text("#story"), len(one.tab.answers)
    await one.tab.click("#remove")
    await one.tab.see(f"document.querySelector('#story').textContent !== '{story}'")
    action = await one.tab.answer("/news", since)
    assert ("next-action" in action.asked, one.word(action)) == (True, DRAFT[one.dialect])
    deleted = await one.tab.open(f"{one.site}/news")
    assert one.word(deleted) == DELETED[one.dialect]
    if one.dialect == "vercel":
        assert action.header("x-vercel-cache-reason") == "prerender_bypass"
        assert deleted.header("x-vercel-cache-reason") == "Tag-based deletion"
    assert await one.tab.text("#story") != story
    assert await one.visit("/news") == "HIT"


async def drafts(one: Session) -> None:
    """Who has the cookie sees drafts, and nobody else sees any of them."""
    draft = await one.tab.open(f"{one.site}/api/draft")
    assert (draft.url, one.word(draft)) == (f"{one.site}/news", DRAFT[one.dialect])
    assert await one.tab.text("#draft") == "draft"
    assert await one.visit("/news") == DRAFT[one.dialect]
    published = await one.tab.open(f"{one.site}/api/published")
    assert (published.url, one.word(published)) == (f"{one.site}/news", "HIT")
    assert await one.tab.text("#draft") == "published"


async def a_page_by_the_token(one: Session) -> None:
    """Made anew here and in the app, by the token of its build; nobody else can."""
    name = WORDS[one.dialect]
    assert await one.visit("/news") == "HIT"
    wrong = await one.renewed("/news", "0" * 32)
    assert wrong.header(name) == "HIT"
    right = await one.renewed("/news", preview_mode_id())
    assert (right.status, right.header(name)) == (200, "REVALIDATED")
    assert await one.visit("/news") == "HIT", "what was made anew is what everybody gets"
