"""`swerve why`: what people read, and what happens when nobody answers."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from app.core.explain import Known, explain
from app.core.routing import Ruling
from app.core.rules import Rules
from app.terminal import harmless
from app.why import why_command
from app.why.drawing import WIDTH, drawing, length
from app.why.text import rendered
from app.why.words import became, rounded
from tests.core.build import KEY, NOW, RFC, exchange, req, stored

SWR = stored('200 | cc: s-maxage=60, stale-while-revalidate=300 | etag: "1"')


def reasoning(
    asked: str = "GET /", *, later: int = 137, rules: Rules = RFC, last: str | None = None, **known: Any
) -> dict[str, Any]:
    """What the admin side would answer."""
    known = {"stored": [SWR], "node": "n", "exchange": exchange(asked, last or "200 | cc: s-maxage=60", rules), **known}
    explanation = asdict(explain(req(asked), Known(**known), Ruling(rules), NOW + later))
    whole = {
        "request": {"method": "GET", "url": "http://example.com/", "as_last": False},
        **explanation,
        "in_flight": False, "last_request": None, "dialect": "vercel", "route": None, "says": {},
    }  # fmt: skip
    found = json.loads(json.dumps(whole))
    assert isinstance(found, dict)
    return found


def text(asked: str = "GET /", **known: Any) -> str:
    extra = {name: known.pop(name) for name in ("in_flight", "last_request", "says", "request") if name in known}
    return rendered(reasoning(asked, **known) | extra, colour=False)


def test_a_stale_page() -> None:
    lines = text(says={"x-vercel-cache": "STALE"}).splitlines()
    assert lines[0].startswith("GET http://example.com/   ")
    assert lines[0].endswith("STALE, then refreshed in the background")
    assert lines[2].startswith(
        "  because     s-maxage=60 ended 1m17s ago, and stale-while-revalidate=300 allows stale for 3m43s"
    )
    assert "  from        Cache-Control: s-maxage=60, stale-while-revalidate=300  (no CDN-Cache-Control)" in lines
    assert f"  key         {KEY}" in lines
    assert "  says        x-vercel-cache: STALE" in lines
    assert "  lifetime    60 s by s-maxage, stale-while-revalidate=300" in lines


def test_a_year_is_told_in_whole_seconds() -> None:
    year = stored("200 | cc: max-age=31536000, stale-while-revalidate=31536000, stale-if-error=31536000")
    lines = text(stored=[year]).splitlines()
    assert "  lifetime    365 d by max-age, stale-while-revalidate=31536000, stale-if-error=31536000" in lines
    assert not any("e+0" in line for line in lines)


def test_nothing_is_wider_than_a_hundred_columns() -> None:
    for one in (
        text(),
        text("GET / | cc: no-cache, max-age=0, min-fresh=9999"),
        text(
            stored=[],
            last="200 | cc: s-maxage=60, stale-while-revalidate=60, stale-if-error=60, a | set-cookie: a=1",
        ),
        text(recent_keys=[f"{KEY}?utm_source={n}" for n in range(9_999)]),
        text(later=9_999, request={"method": "GET", "url": "http://example.com/" + "a" * 60, "as_last": True}),
    ):
        assert max(len(line) for line in one.splitlines()) <= WIDTH


def test_every_rule_has_its_mark_and_section() -> None:
    found = text("GET / | cc: no-cache", last="200 | cc: private | set-cookie: s=secret")
    assert re.search(r"✗ request-no-cache +the client sent Cache-Control: no-cache: +RFC 9111 §5\.2\.1\.4", found)
    assert re.search(r"✓ method +GET +RFC 9110 §9\.2\.3", found)
    assert re.search(r"✗ private +the response says private: Cache-Control: private +RFC 9111 §5\.2\.2\.7", found)
    assert "Set-Cookie: s" in found
    assert "secret" not in found
    assert "advice      where it may be shared, leave private away and say s-maxage=…" in found


def test_colour_only_where_it_is_wanted() -> None:
    found = reasoning("GET / | cc: no-store")
    assert "\x1b" not in rendered(found, colour=False)
    assert "\x1b[32m✓\x1b[0m" in rendered(found, colour=True)
    assert "\x1b[31m✗\x1b[0m" in rendered(found, colour=True)


def test_what_was_seen_last() -> None:
    last = {"status": 200, "result": "miss", "reason": "uri-miss", "duration": 0.214, "ago": 137}
    assert "last seen   2 min ago: 200 miss (uri-miss) in 214 ms\n" in text(last_request=last)
    request = {"method": "GET", "url": "/", "as_last": True}
    assert "in 214 ms; explained with its fields" in text(last_request=last, request=request)


def test_what_goes_on_now() -> None:
    assert "now         it is being fetched" in text(in_flight=True)
    assert "now         known as uncacheable" in text(uncacheable=True)


def test_nothing_known() -> None:
    found = text(stored=[], exchange=None)
    assert "asks the origin (uri-miss)" in found
    assert "the origin has not answered under this key lately" in found
    assert "nothing splits this path lately" in found
    assert "  from  " not in found


def test_other_outcomes() -> None:
    assert "asks the origin whether it has changed" in text(later=1000)
    assert "504: the client wanted a stored response only" in text("GET / | cc: only-if-cached", stored=[])
    assert text(later=1).splitlines()[0].endswith(" HIT")
    long = text(request={"method": "GET", "url": "/" + "a" * 99, "as_last": False}).splitlines()
    assert long[1] == "  STALE, then refreshed in the background"


def test_a_variant_with_marks() -> None:
    old = stored(
        "200 | cc: max-age=60, must-revalidate | vary: accept, cookie",
        "GET / | cookie: secret",
        failures=2,
        held_until=NOW + 150,
    )
    found = text(stored=[old])
    assert "vary        accept: (absent), cookie: (hidden)" in found
    assert "marks       must-revalidate, 2 failed refreshes, the next try waits 13 s more" in found
    assert "validators  none: once stale, the whole is fetched again" in found
    assert "2 failed refreshes\n" in text(stored=[old], later=151)
    assert "lifetime    none: nothing gives it one" in text(stored=[stored('200 | etag: "1"')])


def test_a_path_that_falls_apart() -> None:
    found = text(recent_keys=[f"{KEY}?utm={n}&b={n % 2}" for n in range(4)])
    assert "4 keys for 4 recent requests, a new one every time" in found
    assert "✗ query parameter utm: 4 values; without it there would be 2 keys" in found
    assert "advice      link without utm where the page does not depend on it" in found
    there = [stored("200 | cc: s-maxage=60 | vary: accept", f"GET / | accept: {n}") for n in range(2)]
    found = text(stored=there)
    assert "0 keys for 0 recent requests; 2 variants under this one" in found
    assert "✗ Vary on accept: 2 values; without it there would be 1 variant" in found
    assert "advice      leave accept out of Vary" in found


UNKEPT = "which confirmed what was stored, but may not be kept: private"
GONE = "storable, but not stored now: broken off, too large, evicted or replaced"


@pytest.mark.parametrize(("last", "words"), [
    ({"outcome": "save", "kept": True},                                     "stored"),
    ({"outcome": "save", "kept": False},                                    GONE),
    ({"outcome": "freshen"},                                                "which confirmed what is stored"),
    ({"outcome": "reuse", "judgement": {"reason": "private"}},              UNKEPT),
    ({"outcome": "serve-stale"},                                            "an error: what was stored goes on"),
    ({"outcome": "pass", "judgement": {"reason": "private"}},               "not stored: private"),
])  # fmt: skip
def test_what_became_of_the_last_answer(last: dict[str, Any], words: str) -> None:
    assert became(last) == words


def test_fields_that_could_have_governed() -> None:
    assert "CDN-Cache-Control: s-maxage=9  (it overrules Cache-Control)" in text(
        stored=[stored("200 | cdn: s-maxage=9 | cc: private")], later=1
    )
    assert "no Cache-Control  (CDN-Cache-Control cannot be read)" in text(stored=[stored('200 | cdn: ,, | etag: "1"')])


# The drawing.


def drawn(response: str, later: int) -> list[str]:
    (variant,) = reasoning(stored=[stored(response)], later=later)["variants"]
    return drawing(variant["timeline"])


def test_the_life_of_a_stored_response() -> None:
    line, mark = drawn("200 | cc: s-maxage=60, stale-while-revalidate=300, stale-if-error=600", 137)
    stretches = ("fresh 60 s", "stale-while-revalidate 300 s", "stale-if-error 600 s")
    life = "┤".join(f"─+ {stretch} ─+" for stretch in stretches)
    assert re.fullmatch(rf"  stored \d\d:\d\d:\d\d  ├{life}┤ expired", line)
    assert line.index("┤") < mark.index("▲") < line.index("stale-if-error")


@pytest.mark.parametrize(("later", "share"), [(0, 0.0), (30, 0.5), (59, 0.98)])
def test_now_is_where_it_belongs(later: int, share: float) -> None:
    line, mark = drawn("200 | cc: s-maxage=60", later)
    start, end = line.index("├"), line.index("┤")
    assert (mark.index("▲") - start) / (end - start) == pytest.approx(share, abs=0.03)


def test_after_the_end() -> None:
    line, mark = drawn("200 | cc: s-maxage=60", 1000)
    assert mark.index("▲") == line.index("expired")
    assert len(mark) <= WIDTH


def test_no_life_at_all() -> None:
    line, mark = drawn('200 | etag: "1"', 5)
    assert re.fullmatch(r"  stored \d\d:\d\d:\d\d   expired", line)
    assert mark.index("▲") == line.index("expired")


@pytest.mark.parametrize(("seconds", "words", "passing"), [
    (60, "60 s", "60 s"), (300, "300 s", "5 min"), (7200, "2 h", "2 h"), (86_400, "1 d", "24 h"),
    (31_536_000, "365 d", "365 d"), (40_000, "11.1 h", "11 h"),
])  # fmt: skip
def test_lengths(seconds: float, words: str, passing: str) -> None:
    assert (length(seconds), rounded(seconds)) == (words, passing)


# The command.


@dataclass
class Stand:
    """An admin side that answers what it is told to."""

    url: str
    status: int = 200
    body: bytes = b""
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@pytest.fixture
def stand() -> Iterator[Stand]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["content-length"])))
            found.asked.append((self.path, dict(self.headers), question))
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    found = Stand(f"http://127.0.0.1:{server.server_port}", body=json.dumps(reasoning()).encode())
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_asking(stand: Stand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert why_command(stand.url, "pass", "/blog", "HEAD", [("a", "b")], False) == 0
    ((path, fields, question),) = stand.asked
    assert path == "/v1/why"
    assert {name.lower(): value for name, value in fields.items()}["authorization"] == "Bearer pass"
    assert question == {"url": "/blog", "method": "HEAD", "headers": [["a", "b"]]}
    assert "STALE, then refreshed" in capsys.readouterr().out


def test_json(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    assert why_command(stand.url, None, "/", "GET", [], True) == 0
    assert json.loads(capsys.readouterr().out) == reasoning()
    assert "authorization" not in {name.lower() for name in stand.asked[0][1]}


@pytest.mark.parametrize(("status", "body", "words"), [
    (401, b'{"detail": "x"}',                   ["wants its admin token", "SWERVE_ADMIN_TOKEN"]),
    (400, b'{"detail": "url is \\u001b bad"}',  ["refused: url is \\x1b bad"]),
    (200, b"<html>",                            ["is no admin side of Swerve", "--admin"]),
    (200, b"[]",                                ["is no admin side of Swerve"]),
    (302, b"{}",                                ["is no admin side of Swerve", "302"]),
])  # fmt: skip
def test_refusals(stand: Stand, capsys: pytest.CaptureFixture[str], status: int, body: bytes, words: list[str]) -> None:
    stand.status, stand.body = status, body
    assert why_command(stand.url, "pass", "/", "GET", [], False) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert all(word in told.err for word in words)


def test_nobody_there(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    assert why_command("http://127.0.0.1:1", None, "/", "GET", [], False) == 2
    assert "is Swerve running? Name its admin side with --admin or SWERVE_ADMIN" in capsys.readouterr().err


def test_what_clients_sent_moves_no_cursor() -> None:
    assert harmless({"a": ["\x1b[2Jb\n", 1, None]}) == {"a": ["\\x1b[2Jb\\n", 1, None]}
