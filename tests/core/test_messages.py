"""Heads of messages: order and duplicates survive, hop-by-hop fields stop here (RFC 9110 §5, §7.6.1)."""

from __future__ import annotations

import pytest

from app.core.messages import Headers, end_to_end, has_body, is_event_stream, packed, unpacked
from tests.core.build import head, req, res, row, text_of

COOKIES = "set-cookie: a=1 | x: 0 | set-cookie: b=2, c"

LINES = [
    #                                            headers               name          lines              joined
    row("names are compared without case",       "X-A: 1",             "x-a",        ["1"],             "1"),
    row("a value keeps its case",                "x: Ab",              "x",          ["Ab"],            "Ab"),
    row("white space around a value is no part", "x: \t a \t",         "x",          ["a"],             "a"),
    row("an empty value is there",               "x:",                 "x",          [""],              ""),
    row("lines stay apart and in order",         "x: 2 | y: 0 | x: 1", "x",          ["2", "1"],        "2, 1"),
    row("Set-Cookie lines stay apart",           COOKIES,              "set-cookie", ["a=1", "b=2, c"], "a=1, b=2, c"),
    row("what is absent has no lines",           "x: 1",               "y",          [],                None),
    row("latin-1 survives",                      "x: \xe9",            "x",          ["\xe9"],          "\xe9"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "name", "lines", "joined"), LINES)
def test_reading_fields(headers: str, name: str, lines: list[str], joined: str | None) -> None:
    fields = head(headers)
    assert fields.lines(name) == lines
    assert fields.get(name) == joined
    assert (name in fields) is (joined is not None)


CHANGES = [
    #   headers               how        what                      expected
    row("without takes every line of a name",
        "a: 1 | b: 2 | a: 3", "without", {"a"},                    "b: 2"),
    row("without nothing changes nothing",
        "a: 1",               "without", set(),                    "a: 1"),
    row("without an absent field changes nothing",
        "a: 1",               "without", {"b"},                    "a: 1"),
    row("without leaves Set-Cookie lines apart",
        COOKIES,              "without", {"x"},                    "set-cookie: a=1 | set-cookie: b=2, c"),
    row("with_ replaces every line, at the end",
        "a: 1 | b: 2 | a: 3", "with_",   [("A", "4")],             "b: 2 | a: 4"),
    row("with_ may set several lines of one name",
        "a: 1",               "with_",   [("b", "2"), ("b", "3")], "a: 1 | b: 2 | b: 3"),
    row("with_ leaves Set-Cookie lines apart",
        COOKIES,              "with_",   [("x", "1")],             "set-cookie: a=1 | set-cookie: b=2, c | x: 1"),
    row("adding keeps what is there",
        "a: 1",               "adding",  [("a", "2")],             "a: 1 | a: 2"),
    row("adding nothing changes nothing",
        COOKIES,              "adding",  [],                       COOKIES),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "how", "what", "expected"), CHANGES)
def test_changing_fields(headers: str, how: str, what: set[str] | list[tuple[str, str]], expected: str) -> None:
    before = head(headers)
    after = before.without(what) if isinstance(what, set) else getattr(before, how)(*what)
    assert text_of(after) == expected
    assert text_of(before) == text_of(head(headers))


END_TO_END = [
    #   headers                                                 expected
    row("ordinary fields pass",
        "a: 1 | b: 2",                                          "a: 1 | b: 2"),
    row("hop-by-hop fields stop",
        "te: x | upgrade: h2c | keep-alive: 1 | a: 1",          "a: 1"),
    row("transfer-encoding and trailer stop",
        "transfer-encoding: chunked | trailer: x | a: 1",       "a: 1"),
    row("proxy fields stop",
        "proxy-connection: x | proxy-authorization: y",         ""),
    row("proxy authentication stops",
        "proxy-authenticate: x | proxy-authentication-info: y", ""),
    row("fields that Connection names stop",
        "connection: X-A, x-b | x-a: 1 | x-b: 2 | c: 3",        "c: 3"),
    row("every Connection line counts",
        "connection: a | connection: b | a: 1 | b: 2",          ""),
    row("an empty member names nothing",
        "connection: , a,, | a: 1 | b: 2",                      "b: 2"),
    row("close is no field",
        "connection: close | close: 1",                         "close: 1"),
    row("Connection cannot name Cache-Control away",
        "connection: cache-control | cc: private",              "cache-control: private"),
    row("Connection cannot name the length away",
        "connection: content-length, host | cl: 1 | host: a",   "content-length: 1 | host: a"),
    row("Set-Cookie lines stay apart",
        f"{COOKIES} | te: x",                                   COOKIES),
    row("Connection cannot name Vary away",
        "connection: vary | vary: cookie",                      "vary: cookie"),
    row("Connection cannot name Set-Cookie away",
        "connection: set-cookie | set-cookie: a=1",             "set-cookie: a=1"),
    row("Connection cannot name a targeted field away",
        "connection: cdn-cache-control | cdn: no-store",        "cdn-cache-control: no-store"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "expected"), END_TO_END)
def test_hop_by_hop_fields_stop_here(headers: str, expected: str) -> None:
    assert text_of(end_to_end(head(headers))) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        row("no field announces one",       "",                            False),
        row("a length does",                "cl: 5",                       True),
        row("a length of nothing does not", "cl: 0",                       False),
        row("a coding does",                "transfer-encoding: chunked",  True),
    ],
)  # fmt: skip
def test_a_request_body_is_announced(headers: str, expected: bool) -> None:
    assert has_body(head(headers)) is expected


@pytest.mark.parametrize(
    ("target", "path"),
    [row("without a query", "/a", "/a"), row("with one", "/a?b?c", "/a"), row("with an empty one", "/a?", "/a")],
)
def test_path_ends_at_the_query(target: str, path: str) -> None:
    assert req(f"GET {target}").path == path


def test_headers_are_values() -> None:
    one = head("A: 1 | b: 2")
    assert one == head("a: 1 | B: 2")
    assert hash(one) == hash(head("a: 1 | b: 2"))
    assert one != head("b: 2 | a: 1")
    assert one != "a: 1"
    assert len(one) == len(list(one)) == 2
    assert sorted(one.names()) == ["a", "b"]
    assert repr(one) == "Headers([(b'a', b'1'), (b'b', b'2')])"


def test_heads_are_replaced_not_changed() -> None:
    assert req("GET /a").with_headers(head("x: 1")) == req("GET /a | x: 1")
    assert res("404").with_headers(head("x: 1")) == res("404 | x: 1")


@pytest.mark.parametrize("fields", ["", "a: 1", "a:", "a: 1 | b: | a: 3", COOKIES])
def test_fields_are_kept_as_they_came(fields: str) -> None:
    assert text_of(unpacked(packed(head(fields)))) == text_of(head(fields))


def test_a_line_feed_cannot_make_fields_of_its_own() -> None:
    assert unpacked(packed(Headers([(b"a", b"1\nset-cookie\nx")]))) == head("a: 1 set-cookie x")


@pytest.mark.parametrize(("fields", "size"), [("", 0), ("a: 1", 2), ("ab: 1 | ab: 23", 7)])
def test_size_counts_names_and_values(fields: str, size: int) -> None:
    assert head(fields).size == size


def test_what_is_read_cannot_be_changed_by_the_reader() -> None:
    fields = head("x: 1")
    fields.lines("y").append("2")
    assert fields.get("y") is None


@pytest.mark.parametrize(
    ("fields", "endless"),
    [
        ("content-type: text/event-stream",                True),
        ("content-type: Text/Event-Stream; charset=utf-8", True),
        ("content-type: text/html",                        False),
        ("",                                               False),
    ],
)  # fmt: skip
def test_what_is_an_event_stream(fields: str, endless: bool) -> None:
    assert is_event_stream(head(fields)) is endless
