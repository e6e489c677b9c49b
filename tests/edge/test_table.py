"""`swerve table`: heads as people have them, the text, and where the response comes from."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import trustme
from click.testing import CliRunner, Result

from app.cli import cli
from app.core.table import compared
from app.core.trial import Seen
from app.dialects import CONFIG, dialect_names, load_dialect
from app.table.fetch import request_for
from app.table.heads import HeadError, field_of, read_head, status_of
from app.table.layout import blocks, lines_of_text
from app.table.text import rendered
from tests.core.build import NOW, req, res

SWR = "public, max-age=60, s-maxage=300, stale-while-revalidate=30"
# As no admin side answers: discard (RFC 863) is nobody's port on loopback.
NO_ADMIN = {"SWERVE_ADMIN": "127.0.0.1:9"}


def comparison(response: str, names: list[str] | None = None, request: str = "GET /?a=1") -> dict[str, Any]:
    dialects = [load_dialect(name) for name in names or dialect_names()]
    told = json.loads(json.dumps(asdict(compared(dialects, Seen(req(request), res(response), NOW)))))
    assert isinstance(told, dict)
    return told


def table(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["table", *words], input=stdin, env=NO_ADMIN, prog_name="swerve")


@contextmanager
def server(*fields: tuple[str, str], tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path} {self.headers.get('cookie', '')}".strip())
            self.send_response(200)
            for field in fields:
                self.send_header(*field)
            self.send_header("content-length", "100000000")  # more than anybody waits for
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        if tls is not None:
            listening.socket = tls.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}", asked
        finally:
            listening.shutdown()
            thread.join()


HEADS = [
    ("HTTP/1.1 404 Not Found\r\nVary: a\r\n\r\n", 404, [("vary", "a")]),
    ("HTTP/2 301 \r\nlocation: /b\r\n\r\nHTTP/2 200 \r\nage: 1\r\n\r\n", 200, [("age", "1")]),
    ("age: 1\nset-cookie: a\nset-cookie: b: c\n", 200, [("age", "1"), ("set-cookie", "a"), ("set-cookie", "b: c")]),
    ("* Connected\n> GET / HTTP/1.1\n> Accept: x\n>\n< HTTP/1.1 200 OK\n< Age: 1\n< \n", 200, [("age", "1")]),
    ("HTTP/1.1 200 OK\nage: 1\n\n<html>content\nage: 2\n", 200, [("age", "1")]),
    ("HTTP/1.0 204\n", 204, []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "status", "fields"), HEADS)
def test_heads_as_people_have_them(text: str, status: int, fields: list[tuple[str, str]]) -> None:
    read = read_head(text.splitlines(keepends=True))
    assert read.status == status
    assert [(name.decode(), value.decode()) for name, value in read.headers] == fields


@pytest.mark.parametrize("text", ["", "\n", "<html>", "no head at all\n"])
def test_what_is_no_head(text: str) -> None:
    with pytest.raises(HeadError, match="write"):
        read_head(text.splitlines())


def test_status_lines_and_fields_by_hand() -> None:
    assert [status_of(text) for text in ("200", "HTTP/1.1 503", "404 Not Found", "HTTP/2 200 ")] == [200, 503, 404, 200]
    assert field_of("A: b:c ") == ("A", "b:c")
    for text in ("ok", "99", "HTTP/1.1", "700"):
        with pytest.raises(HeadError, match="no status line"):
            status_of(text)
    for text in ("a", "a b: c", "a: \u2026"):
        with pytest.raises(HeadError, match="no field"):
            field_of(text)


def test_columns_that_do_not_fit_go_below() -> None:
    found = list(blocks(["", "one", "two", "three"], [["name", "1", "2", "3"], ["other", "11", "22", "33"]], 16))
    assert found == [
        ["       one  two", "name   1    2", "other  11   22"],
        ["       three", "name   3", "other  33"],
    ]
    (whole,) = blocks(["", "one"], [["name", "1"]], 80)
    assert whole == ["      one", "name  1"]


def test_paragraphs_are_broken_at_spaces_alone() -> None:
    assert lines_of_text("a-b-c d-e-f", 7, "  ", "    ") == ["  a-b-c", "    d-e-f"]


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("response", [
    f"200 | cc: {SWR}", f"200 | cc: {SWR} | set-cookie: a=b | vary: cookie, accept-encoding", "200 | cc: private",
    '404 | cdn: max-age=60 | etag: "1" | cc: no-cache',
])  # fmt: skip
def test_it_fits(width: int, response: str) -> None:
    text = rendered(comparison(response), width, colour=False)
    assert "in their own words" in text
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


def test_differences_come_first_and_the_rest_is_one_line() -> None:
    lines = rendered(comparison(f"200 | cc: {SWR}", ["vercel", "nginx", "squid"]), 100, colour=False).splitlines()
    assert lines[:10] == [
        "GET http://example.com/?a=1  200",
        f"  Cache-Control: {SWR}",
        "",
        "        then stale  on error  stale    down",
        "vercel  30 s        30 s      STALE    STALE",
        "nginx   –           30 s      EXPIRED  STALE",
        "squid   –           –         EXPIRED  ERROR 502",
        "",
        "all alike: stored, fresh for 5m00s; by s-maxage; told apart by query; 1st MISS; 2nd HIT",
        "",
    ]
    assert "  vercel  x-vercel-cache: MISS · HIT · STALE · STALE" in lines
    at = lines.index("Cache-Control for the client")
    assert lines[at + 1 : at + 5] == ["  public, max-age=60", "      vercel", f"  {SWR}", "      nginx, squid"]


def test_a_cookie_for_everybody_is_told() -> None:
    lines = rendered(comparison("200 | cc: s-maxage=60 | set-cookie: sid=1", ["souin", "vercel"]), 100, colour=False)
    assert "stored with it: every visitor gets the first one's\n      souin" in lines
    assert "  1st          set-cookie: vercel" in lines
    assert "sid=1" not in lines


def test_one_dialect_alone_is_one_sentence() -> None:
    lines = rendered(comparison("200 | cc: no-cache", ["standard"], "GET /"), 200, colour=False).splitlines()
    assert lines[3] == (
        "standard: not stored (no-lifetime); 1st NOSTORE; 2nd NOSTORE; origin down ERROR 502; "
        "Cache-Control for the client: no-cache"
    )


def test_on_a_terminal_titles_are_bold() -> None:
    assert "\x1b[1mwhy\x1b[0m" in rendered(comparison("200 | cc: private", ["nginx"]), 80, colour=True)


def test_a_server_is_asked_once_and_its_body_is_not_waited_for() -> None:
    with server(("Cache-Control", SWR)) as (url, asked):
        done = table(f"{url}/a?b#c", "-H", "Cookie: a=b", "--json", "--dialects", "vercel, nginx,vercel")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert asked == ["GET /a?b a=b"]
    assert [one["dialect"] for one in told["dialects"]] == ["vercel", "nginx"]
    assert told["url"] == f"{url}/a?b"
    assert {"name": "cache-control", "value": SWR} in told["fields"]


def test_a_certificate_is_verified_unless_it_is_said() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with server(("Cache-Control", SWR), tls=context) as (plain, asked):
        url = plain.replace("http:", "https:")
        refused = table(url, "--dialects", "nginx")
        assert (refused.exit_code, asked) == (2, [])
        assert "certificate cannot be verified" in refused.output
        assert table(url, "-k", "--dialects", "nginx").exit_code == 0
        assert asked == ["GET /"]


def test_a_dialect_of_ones_own() -> None:
    words = ("-R", "cache-control: s-maxage=60", "--dialects", str(CONFIG / "examples" / "counted.toml"))
    (one,) = json.loads(table(*words, "--json").output)["dialects"]
    assert [one[turn]["says"]["x-cache"] for turn in ("first", "second", "stale")] == ["MISS", "HIT: 1", "MISS"]


def test_no_server_no_table() -> None:
    done = table("http://127.0.0.1:9/")
    assert done.exit_code == 2
    assert "http://127.0.0.1:9/ gave no answer: the origin refused the connection" in done.output


def test_headers_can_be_tried_without_a_server() -> None:
    done = table("--response", "HTTP/1.1 404", "-R", "cache-control: max-age=5", "/a.css", "--dialects", "nginx")
    assert done.output.startswith("GET http://example.com/a.css  404\n  Cache-Control: max-age=5\n")
    assert "nginx: stored, fresh for 5 s; by max-age" in done.output
    assert table("-R", "cache-control: private").output.startswith("GET http://example.com/  200\n")


def test_a_head_from_a_pipe_is_judged_as_if_it_had_just_come() -> None:
    head = "HTTP/1.1 200 OK\r\nDate: Sun, 09 Sep 2001 01:46:40 GMT\r\nCache-Control: max-age=60\r\nVary: x\r\n\r\n"
    for words in (["-"], ["--response-file", "-"], ["http://a/b", "--response-file", "-"]):
        (one,) = json.loads(table(*words, "--json", "--dialects", "nginx", stdin=head).output)["dialects"]
        assert (one["stored"], one["fresh_for"], one["told_apart_by"]) == (True, 60, ["x"])
    by_hand = ("-", "--response", "500", "-R", "cache-control: no-store", "--json", "--dialects", "nginx,vercel")
    told = json.loads(table(*by_hand, stdin=head).output)
    assert told["status"] == 500
    assert {one["refused"] for one in told["dialects"]} == {"no-store"}


def test_a_head_that_has_been_through_a_swerve_is_pointed_out() -> None:
    done = table("-R", "Cache-Status: swerve; hit", "--dialects", "nginx")
    assert "has been through a Swerve" in done.stderr


@pytest.mark.parametrize(("words", "told"), [
    ([], "nothing to look at"),
    (["ftp://a/"], "no URL; write http://HOST:PORT/PATH"),
    (["http://u:p@a/"], "no URL"),
    (["--response", "ok"], "'ok' is no status line"),
    (["-R", "x"], "'x' is no field"),
    (["--response", "200", "--dialects", "nginz"], "did you mean nginx?"),
    (["/blog"], "does not answer"),
    (["-"], "there is no head"),
    (["--response", "200", "-H", "x"], "'x' is no field"),
])  # fmt: skip
def test_mistakes_say_what_to_write(words: list[str], told: str) -> None:
    done = table(*words, stdin="")
    assert done.exit_code == 2
    assert told in done.output


def test_a_request_as_it_is_sent() -> None:
    request = request_for("http://A:80/ü?x=y z#frag", [("Accept", "text/html"), ("Host", "b")])
    assert (request.authority, request.target) == ("b", "/%C3%BC?x=y%20z")
    assert sorted(request.headers.names()) == ["accept", "host", "user-agent"]
    assert request.headers.lines("accept") == ["text/html"]
