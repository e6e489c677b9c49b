"""Settings that change while a cache runs: what holds at once, what waits for a restart, and what stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.asgi import build
from app.clock import ManualClock
from app.reloading import Reloading, in_words
from app.server import RequestLog
from app.settings import Sources
from app.units import Address
from tests.driver import Client, Received
from tests.origin import ScriptedOrigin
from tests.wired import WiredClient, WiredServer

PAGE = {"headers": {"cache-control": "s-maxage=60", "cache-tag": "a"}, "body": "page"}


class Site:
    """A cache whose settings lie in a file. `flags` go before it."""

    def __init__(self, folder: Path, text: str = "", **flags: str | None) -> None:
        self.file = folder / "swerve.toml"
        self.origin, self.clock = ScriptedOrigin(), ManualClock()
        self.origin.script({"/a": PAGE, "/b": {"body": "b"}})
        self.write(text)
        sources = Sources({"origin": "http://origin.test", "log": "off", **flags}, folder)
        settings = sources.read()
        reloading = Reloading(settings, sources)
        self.application = build(settings, clock=self.clock, transport=self.origin, reloading=reloading)
        self.wired = WiredServer(self.application, settings)
        self.admin = Client(self.application.admin, "localhost:8081")

    def write(self, text: str) -> None:
        self.file.write_text(text)

    async def get(self, target: str = "/a", method: str = "GET", **fields: str) -> Received:
        """By the server's own protocol, with the memo."""
        pairs = [(name.replace("_", "-"), value) for name, value in fields.items()]
        received = await WiredClient(self.wired).request(method, target, pairs)
        await self.application.lasting.tasks.drain(1)
        return received

    async def ask(self, method: str = "POST", target: str = "/v1/reload", content: object = None) -> tuple[int, Any]:
        body = b"" if content is None else json.dumps(content).encode()
        received = await self.admin.request(method, target, body=body)
        return received.status, json.loads(received.body)

    async def reload(self, text: str) -> tuple[list[tuple[str, Any, Any]], list[str]]:
        """What has changed, and the names of what needs a restart."""
        self.write(text)
        status, told = await self.ask()
        assert status == 200, told
        changed = [(one["setting"], one["before"], one["after"]) for one in told["changed"]]
        return changed, [one["setting"] for one in told["restart"]]


async def turns() -> None:
    """Of the event loop, in which everything comes to where it waits."""
    for _ in range(50):
        await asyncio.sleep(0)


def run(folder: Path, talk: Callable[[Site], Awaitable[None]], text: str = "", **flags: str | None) -> None:
    async def scene() -> None:
        site = Site(folder, text, **flags)
        await talk(site)

    asyncio.run(scene())


def test_another_dialect_speaks_at_once_of_what_is_stored(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        for _ in range(3):
            received = await site.get()
        assert received.header("x-vercel-cache") == "HIT"
        assert await site.reload('dialect = "nginx"') == ([("dialect", "vercel", "nginx")], [])
        for _ in range(3):
            received = await site.get()
            assert received.header("x-vercel-cache") is None
        assert await site.reload("") == ([("dialect", "nginx", "vercel")], [])
        assert (await site.get()).header("x-vercel-cache") == "HIT"

    run(tmp_path, talk)


def test_rules_and_routes(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        for _ in range(3):  # as often as the memo needs to answer by itself
            await site.get("/a")
        changed, _ = await site.reload('[rules]\nquery = "drop"\n[[routes]]\npath = "/a"\ndynamic = "force-dynamic"\n')
        assert changed == [("rules.query", "keep", "drop"), ("routes", [], ["/a"])]
        assert (await site.get("/a")).header("x-vercel-cache") == "BYPASS"
        _, told = await site.ask("GET", "/v1/config")
        assert (told["rules"]["query"], told["routes"][0]["path"]) == ("drop", "/a")
        _, told = await site.ask("POST", "/v1/why", {"url": "http://localhost:8080/a"})
        assert told["answer"]["judgement"]["reason"] == "dynamic-route"
        assert await site.reload("") == ([("rules.query", "drop", "keep"), ("routes", ["/a"], [])], [])
        assert (await site.get("/a")).header("x-vercel-cache") == "HIT", "what was stored is still there"

    run(tmp_path, talk)


ROUTE = "[[routes]]\npath = '/a'\n"
OTHERS = "[[routes]]\npath = '*'\n"
ADVISED = [
    # before                          after                                        what is named
    ("",                              "[rules]\nkey_headers = ['rsc', 'dnt']",     "rules.key_headers"),
    ("",                              "[rules]\nquery = 'drop'\nset_cookie = 'strip'", "rules.query, rules.set_cookie"),
    ("",                              "[rules]\nauthorization = 'rfc'",            "rules.authorization"),
    ("[rules]\ncookies = 'bypass'",   "",                                           "rules.cookies"),
    ("",                              "[rules]\nbypass_cookies = ['draft']",       "rules.bypass_cookies"),
    ("",                              "dialect = 'nginx'",                          "dialect"),
    ("",                              f"{ROUTE}key_cookies = ['lang']",             "routes"),
    (f"{ROUTE}key_cookies = ['a']",   f"{ROUTE}key_cookies = ['a', 'b']",           "routes"),
    (f"{ROUTE}key_cookies = ['a']",   "",                                           "routes"),
    (f"{ROUTE}dynamic = 'force-static'", ROUTE,                                     "routes"),
    ("",                              f"{ROUTE}rules = {{ vary = 'ignore' }}",      "routes"),
    ("",                              f"{ROUTE}ignore_parameters = ['utm_*']",      "routes"),
    (f"{OTHERS}key_cookies = ['a']",  f"{ROUTE}{OTHERS}key_cookies = ['a']",        "routes"),
    (f"{ROUTE}host = 'a'\nkey_cookies = ['a']", f"{ROUTE}host = 'b'\nkey_cookies = ['a']", "routes"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "named"), ADVISED)
def test_what_is_stored_by_other_keys_is_told_of(tmp_path: Path, before: str, after: str, named: str) -> None:
    async def talk(site: Site) -> None:
        site.write(after)
        _, told = await site.ask()
        command = "to begin anew: swerve delete --all"
        assert told["advice"] == f"what is stored was stored before this changed: {named}; {command}"
        _, told = await site.ask()
        assert told["advice"] is None, "once"

    run(tmp_path, talk, before)


@pytest.mark.parametrize(("before", "after"), [
    ("", ""),
    ("", "[rules]\ndefault_stale_if_error = 5\nheuristic_max = 5\nuncacheable_memory = 5"),
    ("", "max_refreshes = 7\nworkers = 3\nhost_header = 'origin'"),
    ("", f"{ROUTE}revalidate = 5\ntags = ['a']"),
    (f"{ROUTE}key_cookies = ['a']", f"{ROUTE}key_cookies = ['a']\nrevalidate = 5\n{OTHERS}revalidate = 9"),
])  # fmt: skip
def test_what_leaves_keys_as_they_are_advises_nothing(tmp_path: Path, before: str, after: str) -> None:
    async def talk(site: Site) -> None:
        site.write(after)
        _, told = await site.ask()
        assert told["advice"] is None

    run(tmp_path, talk, before)


def test_what_a_signal_has_brought_is_advised_in_the_same_line(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        site.write("[rules]\nquery = 'drop'")
        told = in_words(await site.application.reload())
        assert told == (
            "reloaded: rules.query; what is stored was stored before this changed: rules.query;"
            " to begin anew: swerve delete --all"
        )

    run(tmp_path, talk)


@pytest.mark.parametrize(("text", "told"), [
    ("[rules]\nqueri = 'drop'",      ["swerve.toml: rules: queri is unknown", "did you mean query?"]),
    ("drain = 5",                    ["swerve.toml: drain: '5' is no duration"]),
    ("[[routes]]\nrevalidate = 1",   ["swerve.toml: routes[1].path is missing"]),
    ("[rules",                       ["swerve.toml is not TOML"]),
    ("dialect = 'vercl'",            ["dialect 'vercl' is unknown", "did you mean vercel?"]),
])  # fmt: skip
def test_a_mistake_changes_nothing(tmp_path: Path, text: str, told: list[str]) -> None:
    async def talk(site: Site) -> None:
        before = site.application.serving
        site.write(text)
        status, answer = await site.ask()
        assert status == 400
        assert answer["detail"].endswith("; nothing has changed")
        assert all(words in answer["detail"] for words in told)
        assert site.application.serving is before
        assert await site.reload("max_refreshes = 7") == ([("max_refreshes", 100, 7)], [])

    run(tmp_path, talk)


def test_what_a_running_swerve_cannot_change_waits_for_a_restart(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        text = 'store = "./cache"\nmax_size = "1mb"\nworkers = 3\nlisten = ":1"\nadmin = ":2"\nhost_header = "origin"\n'
        waiting = ["listen", "admin", "store", "max_size", "workers"]
        assert await site.reload(text) == ([("host_header", "preserve", "origin")], waiting)
        assert await site.reload(text) == ([], waiting), "as long as it does"
        settings = site.application.serving.settings
        assert (settings.store, settings.workers, settings.max_size) == ("memory", 1, 2**28)
        assert settings.listen == Address("127.0.0.1", 8080)
        await site.get("/b")
        assert site.origin.requests[-1].headers["host"] == "origin.test"
        assert await site.reload("") == ([("host_header", "origin", "preserve")], [])

    run(tmp_path, talk)


def test_the_flags_still_go_before_the_file(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        assert await site.reload('dialect = "nginx"') == ([], [])

    run(tmp_path, talk, dialect="vercel")


def test_the_environment_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(site: Site) -> None:
        monkeypatch.setenv("SWERVE_MAX_OBJECT", "1kb")
        assert await site.reload("") == ([("max_object", None, 1024)], [])
        assert site.application.around.ruling.rules.max_body == 1024

    run(tmp_path, talk)


def test_bounds_timeouts_and_deployments(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        text = 'timeout_first_byte = "7s"\nmax_refreshes = 3\ndeployment = "two"\ndeployment_header = "x-d"\n'
        changed, _ = await site.reload(text)
        assert {name for name, *_ in changed} == {
            "timeout_first_byte", "max_refreshes", "deployment", "deployment_header",
        }  # fmt: skip
        around = site.application.around
        assert (around.limits.refreshes, around.limits.deployment_field) == (3, "x-d")
        assert around.upstream.timeouts.first_byte == 7
        assert around.store.log.deployment == "two"
        await site.ask("POST", "/v1/deployments", {"id": "three"})
        await site.reload(text + "max_object = 5")
        assert around.store.log.deployment == "three", "only a setting that has changed is announced"

    run(tmp_path, talk, 'deployment = "one"')


def test_who_may_purge(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        await site.get()
        assert (await site.get(method="PURGE")).header("swerve-purged") is None
        assert (await site.get(method="BAN")).status == 400, "the parser does not know it"
        await site.reload('purge_method = "open"')
        assert (await site.get(method="PURGE")).header("swerve-purged") is not None
        assert (await site.get(method="BAN")).status == 200
        await site.reload("")
        assert (await site.get(method="BAN")).status == 400

    run(tmp_path, talk)


def test_another_token(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        assert await site.reload('admin_token = "hush"') == ([("admin_token", None, "(hidden)")], [])
        assert (await site.ask("GET", "/v1/config"))[0] == 401

    run(tmp_path, talk)


def test_what_follows_from_a_setting_is_not_told_beside_it(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        text = 'max_object = "1kb"\npreview_token = "hush"\nenvironment = "preview"\n'
        changed, _ = await site.reload(text)
        assert changed == [
            ("environment", "production", "preview"), ("preview_token", None, "(hidden)"), ("max_object", None, 1024),
        ]  # fmt: skip
        assert (await site.get()).header("x-robots-tag") == "noindex"

    run(tmp_path, talk)


def test_the_memo_goes_and_comes(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        await site.get()
        await site.get()
        memo = site.application.memo
        assert memo is not None
        assert len(memo) == 1
        await site.reload("memo = false")
        assert site.application.memo is None
        assert len(memo) == 0, "its memory is given back"
        assert (await site.get()).header("x-vercel-cache") == "HIT"
        await site.reload("")
        await site.get()
        await site.get()
        assert site.application.memo is not None
        assert len(site.application.memo) == 1
        await site.ask("POST", "/v1/delete", {"all": True})
        assert (await site.get()).header("x-vercel-cache") == "REVALIDATED", "it hears of what changes"

    run(tmp_path, talk)


def test_hits_are_counted_on(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        await site.get()
        assert [(await site.get()).header("x-cache") for _ in range(2)] == ["HIT: 1", "HIT: 2"]
        await site.reload("max_object = 100000")
        assert (await site.get()).header("x-cache") == "HIT: 3"

    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nas_of = "2026-11"\n[speech.fields.x-cache.words]\nhit = "HIT: {hits}"\nstale = ""\nmiss = ""\n'
        'expired = ""\nrenewed = ""\nrevalidated = ""\nnostore = ""\npass = ""\nerror = ""\n[rules]\n'
    )
    run(tmp_path, talk, dialect=str(tmp_path / "mine.toml"))


def test_a_file_of_ones_own_that_says_something_else(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "mine"\nas_of = "2026-11"\n[speech]\nserver = "A"\n[rules]\n')

    async def talk(site: Site) -> None:
        assert (await site.get()).header("server") == "A"
        mine.write_text('name = "mine"\nas_of = "2026-11"\n[speech]\nserver = "B"\n[rules]\nheuristic_max = 5\n')
        assert await site.reload("") == ([("dialect.server", "A", "B"), ("rules.heuristic_max", 86_400, 5)], [])
        assert (await site.get()).header("server") == "B"

    run(tmp_path, talk, dialect=str(mine))


def test_a_request_under_way_ends_as_it_began(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        site.origin.gate.clear()
        asked = asyncio.ensure_future(site.get())
        await turns()
        assert len(site.origin.requests) == 1
        await site.reload('dialect = "standard"\n[[routes]]\npath = "/a"\nrevalidate = 10\n')
        later = asyncio.ensure_future(site.get())  # by the new ones
        await turns()
        site.origin.gate.set()
        first, second = await asked, await later
        assert (first.header("x-vercel-cache"), second.header("x-vercel-cache")) == ("MISS", None)
        assert "ttl=60" in (first.header("cache-status") or "")
        assert "ttl=10" in (second.header("cache-status") or "")
        assert len(site.application.around.flights) == 0

    run(tmp_path, talk)


def test_keys_known_to_be_uncacheable_stay_known(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        site.origin.script({"/a": {"headers": {"cache-control": "private"}, "body": "a"}})
        await site.get()
        await site.reload("max_object = 100000")
        _, told = await site.ask("POST", "/v1/why", {"url": "http://localhost:8080/a"})
        assert told["uncacheable"]

    run(tmp_path, talk)


def test_one_after_the_other(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        site.write("max_refreshes = 5")
        answers = await asyncio.gather(site.ask(), site.ask())
        assert sorted(len(told["changed"]) for _, told in answers) == [0, 1]

    run(tmp_path, talk)


def test_settings_that_came_from_nowhere(tmp_path: Path) -> None:
    async def scene() -> None:
        settings = Site(tmp_path).application.serving.settings
        admin = Client(build(settings, transport=ScriptedOrigin()).admin, "localhost:8081")
        received = await admin.request("POST", "/v1/reload")
        assert received.status == 400
        assert b"not read from anywhere" in received.body

    asyncio.run(scene())


def test_the_log_in_another_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def talk(site: Site) -> None:
        log = RequestLog(site.application.serving.settings, site.application)

        async def lines() -> tuple[str, str]:
            await site.get("/a")
            log.flush()
            told = capsys.readouterr()
            return told.out, told.err

        assert await lines() == ("", "")
        assert ("log", "off", "json") in (await site.reload('dialect = "nginx"\nlog = "json"'))[0]
        out, err = await lines()
        assert (json.loads(out)["dialect"], err) == ("nginx", "")
        await site.reload('log = "text"')
        out, err = await lines()
        assert (out, "/a" in err) == ("", True)
        await site.reload('log = "off"')
        assert await lines() == ("", "")

    run(tmp_path, talk, 'log = "off"', log=None)


def test_what_is_under_way_is_shared_where_its_rules_still_hold(tmp_path: Path) -> None:
    async def talk(site: Site) -> None:
        site.origin.gate.clear()
        asked = asyncio.ensure_future(site.get())
        await turns()
        await site.reload('max_refreshes = 5\n[[routes]]\npath = "/b"\nrevalidate = 10\n')
        joined = asyncio.ensure_future(site.get())
        await turns()
        site.origin.gate.set()
        assert [(await one).body for one in (asked, joined)] == [b"page", b"page"]
        assert len(site.origin.requests) == 1

    run(tmp_path, talk)


def test_nobody_joins_a_fetch_that_began_by_other_settings(tmp_path: Path) -> None:
    """What it brings may be shared by those, and not by the ones that hold now."""

    async def talk(site: Site) -> None:
        site.origin.script(
            {
                "/c": [
                    {"headers": {"cache-control": "no-store"}, "body": one}
                    for one in ("of alice", "of bob", "of carol")
                ]
            }
        )
        site.origin.gate.clear()
        alice = asyncio.ensure_future(site.get("/c", cookie="session=alice"))
        await turns()
        await site.reload("dialect = 'standard'")
        bob, carol = (asyncio.ensure_future(site.get("/c", cookie=f"session={name}")) for name in ("bob", "carol"))
        await turns()
        site.origin.gate.set()
        assert [(await one).body for one in (alice, bob, carol)] == [b"of alice", b"of bob", b"of carol"]

    run(tmp_path, talk, "dialect = 'fastly'")
