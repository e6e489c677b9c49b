"""The request log, as text and as JSON."""

import asyncio
import io
import json
import re

import pytest

from app.console import FLUSH_LINES, Console, Mode, mode_of
from app.core.decisions import Result, Verdict
from app.core.messages import Headers, Request
from app.core.reasons import MEANINGS, Reason
from app.heads import fields_of
from app.journal import Address, Event, Replay
from app.terminal import wants_color
from tests.edge.events import HIT, KEY, Terminal, asking, event


def printed(mode: Mode, *events: Event, color: bool = False) -> str:
    stream = Terminal()
    console = Console(mode, stream, color, "vercel")
    for one in events:
        console(one)
    return stream.getvalue()


def test_a_line_of_text() -> None:
    line = printed("text", event())
    assert re.fullmatch(r"  \d\d:\d\d:\d\d  GET /blog +200  MISS +212 ms   first time; stored 60 s fresh .*\n", line)


def test_lines_are_aligned() -> None:
    lines = printed("text", event(), event(HIT, duration=0.0012)).splitlines()
    assert lines[0].index("   first") == lines[1].index("   age")


def test_no_colour_unless_asked_for() -> None:
    assert "\x1b" not in printed("text", event(), event(Verdict(Result.NOSTORE, Reason.PRIVATE, KEY)))
    assert "\x1b[32mHIT" in printed("text", event(HIT), color=True)


@pytest.mark.parametrize("result", Result)
def test_every_result_has_a_colour(result: Result) -> None:
    assert "\x1b[3" in printed("text", event(Verdict(result, Reason.FRESH, KEY)), color=True)


def test_advice_comes_once() -> None:
    refused = event(Verdict(Result.NOSTORE, Reason.NO_LIFETIME, KEY))
    first, second = printed("text", refused, refused).splitlines()
    assert first.endswith(f"  → {MEANINGS[Reason.NO_LIFETIME].advice}")
    assert "→" not in second


def test_a_line_of_json() -> None:
    request = asking(target="/blog?a=1", x_request_id="r1", traceparent="00-t", cookie="c=1", authorization="Bearer s")
    line = printed("json", event(request=request))
    assert line.endswith("}\n")
    assert json.loads(line) == {
        "ts": "2023-11-14T22:13:20.113Z", "level": "info", "msg": "request", "method": "GET", "host": "localhost:8080",
        "path": "/blog?a=1", "status": 200, "duration_ms": 212.0, "bytes": 18231, "complete": True, "cache": "miss",
        "reason": "uri-miss", "detail": "first time; stored 60 s fresh + 300 s stale-while-revalidate", "key": KEY,
        "age": 0, "ttl": 60, "ttl_from": None, "fwd": "uri-miss", "stored": True, "origin_ms": 210.0,
        "proxy_error": None, "coalesced": False, "background": False, "dialect": "vercel", "req_id": "r1",
        "traceparent": "00-t",
    }  # fmt: skip


def test_json_levels() -> None:
    failed = event(Verdict(Result.ERROR, Reason.ORIGIN_TIMEOUT, KEY), status=504, origin_duration=None)
    lines = printed("json", failed, event(broken="the client left")).splitlines()
    assert [json.loads(line)["level"] for line in lines] == ["error", "warning"]
    assert json.loads(lines[0])["origin_ms"] is None


def test_one_line_whatever_the_path() -> None:
    forged = event(request=asking(target="/\r\n  04:27:14  GET /fake\x1b[2J", x_request_id="a\nb"))
    for mode in ("text", "json"):
        line = printed(mode, forged)
        assert line.count("\n") == 1
        assert "\x1b" not in line


def test_off_says_nothing() -> None:
    assert printed("off", event()) == ""


def test_lines_for_a_program_are_written_together() -> None:
    stream = io.StringIO()
    console = Console("json", stream, False, "vercel")

    async def listen() -> None:
        console(event())
        console(event())
        assert stream.getvalue() == ""
        console.flush()

    asyncio.run(listen())
    assert stream.getvalue().count("\n") == 2


def test_many_lines_are_not_held_back() -> None:
    stream = io.StringIO()
    console = Console("json", stream, False, "vercel")

    async def listen() -> None:
        for _ in range(600):
            console(event())

    asyncio.run(listen())
    assert stream.getvalue().count("\n") == 500


def test_without_a_loop_nothing_waits() -> None:
    stream = io.StringIO()
    Console("json", stream, False, "vercel")(event())
    assert stream.getvalue().count("\n") == 1


def test_a_stream_that_breaks_stops_the_log_and_nothing_else() -> None:
    stream = Terminal()
    console = Console("text", stream, False, "vercel")
    stream.close()
    console(event())
    console(event())


def test_a_stream_that_cannot_say_it_all() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    Console("text", stream, False, "vercel")(event(Verdict(Result.NOSTORE, Reason.NO_STORE, KEY)))
    assert b"\\u2026" in raw.getvalue()


@pytest.mark.parametrize(
    ("log", "stream", "mode"),
    [
        ("auto", Terminal(),    "text"),
        ("auto", io.StringIO(), "json"),
        ("text", io.StringIO(), "text"),
        ("json", Terminal(),    "json"),
        ("off",  Terminal(),    "off"),
    ],
)  # fmt: skip
def test_modes(log: str, stream: io.StringIO, mode: str) -> None:
    assert mode_of(log, stream) == mode


@pytest.mark.parametrize(
    ("stream", "environ", "color"),
    [
        (Terminal(),    {},                  True),
        (Terminal(),    {"NO_COLOR": "1"},   False),
        (Terminal(),    {"NO_COLOR": ""},    True),
        (Terminal(),    {"TERM": "dumb"},    False),
        (io.StringIO(), {},                  False),
    ],
)  # fmt: skip
def test_when_to_colour(stream: io.StringIO, environ: dict[str, str], color: bool) -> None:
    assert wants_color(stream, environ) is color


HEADS = [
    b"GET /blog HTTP/1.1\r\nHost: localhost:8080\r\n\r\n",
    b'GET /blog HTTP/1.1\r\nHost: localhost:8080\r\nX-Request-ID: a"b\\\r\ncookie: secret\r\n\r\n',
    b"GET /blog HTTP/1.1\r\nhost: localhost:8080\r\ntraceparent: 00-1\r\nx-request-id: {id}\r\n\r\n",
]


def read(head: bytes, _client: Address) -> Request:
    return asking(target='/blog?"{id}"').with_headers(Headers.lowered(fields_of(head)))


@pytest.mark.parametrize("mode", ["json", "text"])
def test_what_was_given_again_has_the_line_that_it_would_have_had(mode: Mode) -> None:
    replays = [
        (Replay(read, 200, HIT, 18_231), head, 1_700_000_000.113 + number / 3, ("::1", 5))
        for number, head in enumerate(HEADS * 2)
    ]
    stream = Terminal()
    Console(mode, stream, False, "vercel").replayed(replays)
    assert stream.getvalue() == printed(mode, *(replay.event(head, at, client) for replay, head, at, client in replays))
    assert "secret" not in stream.getvalue()


def test_the_lines_of_many_answers_take_no_more_memory_than_those_of_a_few() -> None:
    console = Console("json", io.StringIO(), False, "vercel")
    for number in range(3_000):
        console.replayed([(Replay(read, 200, HIT, number), HEADS[0], 0.0, None)])
    assert console._again is not None
    assert len(console._again._cut) <= FLUSH_LINES
