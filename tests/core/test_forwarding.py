"""The request as the origin shall see it (RFC 9110 §7.6; RFC 7239; RFC 8586)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.forwarding import Forwarding, arrived, has_looped, outbound
from app.core.key import cache_key
from tests.core.build import RFC, head, req, row, text_of

PLAIN = Forwarding("n1")
TRUSTING = Forwarding("n1", trust=True)
FULL = Forwarding(
    "n1", "origin.test", stripped=frozenset({"x-gone", "x-middleware-*"}), announced=(("x-edge", "1"),),
    identity_field="x-id", confined=(("x-data", "/data/"),),
)  # fmt: skip

PICKY = Forwarding("n1", passed=frozenset({"accept", "x-a-*"}), stripped=frozenset({"x-a-gone"}))

VISITOR = 'x-visitor: {"scheme":"http"} example.com'
TELLING = Forwarding("n1", announced=(("x-from", "{client}"), ("x-visitor", '{{"scheme":"{scheme}"}} {host}')))
VIA = "via: 1.1 swerve | cdn-loop: swerve; node=n1"
OURS = 'forwarded: host="example.com";proto=http | x-forwarded-host: example.com | x-forwarded-proto: http'
KNOWN = (
    'forwarded: for=1.2.3.4;host="example.com";proto=http | x-forwarded-for: 1.2.3.4 | x-forwarded-host: example.com'
    " | x-forwarded-proto: http"
)
IPV6 = (
    'forwarded: for="[::1]";host="example.com";proto=http | x-forwarded-for: ::1 | x-forwarded-host: example.com'
    " | x-forwarded-proto: http"
)
CHAINED = (
    'forwarded: for=9, for=1.2.3.4;host="example.com";proto=http | x-forwarded-for: 9, 1.2.3.4 | x-forwarded-host: a'
    " | x-forwarded-proto: https"
)

SENT = [
    #   forwarding request_ client expected
    row("a request of our own",
        PLAIN, "GET / | accept: a",
                        "", f"host: example.com | accept: a | {OURS} | {VIA}"),
    row("a field that goes to some paths only",
        FULL,  "GET /a | x-data: 1 | x-data: 2",
                        "", f"host: origin.test | {OURS} | {VIA} | x-id: id | x-edge: 1"),
    row("a field that goes to this path",
        FULL,  "GET /data/a | x-data: 1",
                        "", f"host: origin.test | x-data: 1 | {OURS} | {VIA} | x-id: id | x-edge: 1"),
    row("a client that is known",
        PLAIN, "GET /", "1.2.3.4",  f"host: example.com | {KNOWN} | {VIA}"),
    row("who asks, in the dialect's words",
        TELLING, "GET / | x-from: me",
                        "1.2.3.4",  f"host: example.com | {KNOWN} | {VIA} | x-from: 1.2.3.4 | {VISITOR}"),
    row("who asks for nobody",
        TELLING, "GET /", "", f"host: example.com | {OURS} | {VIA} | {VISITOR}"),
    row("an IPv6 client is quoted in Forwarded",
        PLAIN, "GET /", "::1",  f"host: example.com | {IPV6} | {VIA}"),
    row("the client's Host is the validated one",
        PLAIN, "GET / | host: EXAMPLE.com:80",
                        "", f"host: example.com | {OURS} | {VIA}"),
    row("what could poison is replaced",
        PLAIN, "GET / | x-forwarded-host: evil | x-original-url: /b | x-forwarded-for: 9",
                        "1.2.3.4",  f"host: example.com | {KNOWN} | {VIA}"),
    row("hop-by-hop fields stop",
        PLAIN, "GET / | connection: a | a: 1 | te: x | b: 2",
                        "", f"host: example.com | b: 2 | {OURS} | {VIA}"),
    row("cookies on several lines go on one line",
        PLAIN, "GET / | cookie: a=1; b=2 | a: 1 | cookie: a=3",
                        "", f"host: example.com | a: 1 | cookie: a=1; b=2; a=3 | {OURS} | {VIA}"),
    row("one line of them where it stood",
        PLAIN, "GET / | cookie: a=1; a=3; | a: 1",
                        "", f"host: example.com | cookie: a=1; a=3; | a: 1 | {OURS} | {VIA}"),
    row("trusted chains are continued",
        TRUSTING,
               "GET / | x-forwarded-for: 9 | x-forwarded-host: a | x-forwarded-proto: https | forwarded: for=9",
                        "1.2.3.4",  f"host: example.com | {CHAINED} | {VIA}"),
    row("trusted chains begin somewhere",
        TRUSTING,
               "GET /", "1.2.3.4",  f"host: example.com | {KNOWN} | {VIA}"),
    row("Via and CDN-Loop are continued",
        PLAIN, "GET / | via: 1.0 a | cdn-loop: a | cdn-loop: b",
                        "", f"host: example.com | {OURS} | via: 1.0 a, 1.1 swerve | cdn-loop: a, b, swerve; node=n1"),
    row("a body without a length is chunked",
        PLAIN, "POST / | transfer-encoding: chunked",
                        "", f"host: example.com | {OURS} | transfer-encoding: chunked | {VIA}"),
    row("a body with a length",
        PLAIN, "POST / | cl: 5",
                        "", f"host: example.com | cl: 5 | {OURS} | {VIA}"),
    row("a refresh has left its client behind",
        PLAIN, "GET / | x-forwarded-host: example.com | x-forwarded-proto: http | forwarded: for=9",
                        "", f"host: example.com | {OURS} | {VIA}"),
    row("Max-Forwards of OPTIONS is counted down",
        PLAIN, "OPTIONS / | max-forwards: 3",
                        "", f"host: example.com | {OURS} | {VIA} | max-forwards: 2"),
    row("but not of others",
        PLAIN, "GET / | max-forwards: 3",
                        "", f"host: example.com | max-forwards: 3 | {OURS} | {VIA}"),
    row("a method that is said elsewhere may be said to unsafe methods alone",
        PLAIN, "POST / | x-http-method-override: PUT",
                        "", f"host: example.com | x-http-method-override: PUT | {OURS} | {VIA}"),
    row("only what is passed goes on, and what HTTP needs",
        PICKY, "PUT / | cookie: a | accept: b | x-a-1: c | x-a-gone: d | x: e | cl: 5 | via: 1.1 f | cdn-loop: g",
                        "", f"host: example.com | accept: b | x-a-1: c | cl: 5 | {OURS} | via: 1.1 f, 1.1 swerve"
                            " | cdn-loop: g, swerve; node=n1"),
    row("Host, announcements, identity and what is stripped",
        FULL,  "GET / | x-gone: 1 | x-middleware-a: 2 | x-middleware: 3 | x-edge: 9 | x-id: 9",
                        "", f"host: origin.test | x-middleware: 3 | {OURS} | {VIA} | x-id: id | x-edge: 1"),
]  # fmt: skip


@pytest.mark.parametrize(("forwarding", "request_", "client", "expected"), SENT)
def test_outbound(forwarding: Forwarding, request_: str, client: str, expected: str) -> None:
    asked = arrived(replace(req(request_, client=client), identity="id"), forwarding)
    assert text_of(outbound(asked, forwarding)) == text_of(head(expected))


LOOPS = [
    #                                                   headers                                    expected
    row("never been anywhere",                          "",                                        False),
    row("been here",                                    "cdn-loop: swerve; node=n1",               True),
    row("been here among others",                       "cdn-loop: a, swerve; node=n1, b",         True),
    row("been here, on another line",                   "cdn-loop: a | cdn-loop: swerve; node=n1", True),
    row("been to another Swerve",                       "cdn-loop: swerve; node=m1",               False),
    row("been elsewhere",                               "cdn-loop: n1",                            False),
    row("been to one with a longer name",               "cdn-loop: swerve; node=n12",              False),
    row("been to another CDN with a node of that name", "cdn-loop: other; node=n1",                False),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "expected"), LOOPS)
def test_loops(headers: str, expected: bool) -> None:
    assert has_looped(req(f"GET / | {headers}"), "n1") is expected


KEYED = [
    #                                                  request_
    row("what is keyed by is sent",                    "GET / | rsc: 1"),
    row("unless Connection names it: then neither is", "GET / | rsc: 1 | connection: rsc"),
]  # fmt: skip


@pytest.mark.parametrize("request_", KEYED)
def test_the_origin_sees_what_the_key_was_made_of(request_: str) -> None:
    asked = arrived(req(request_), PLAIN)
    assert cache_key(asked.with_headers(outbound(asked, PLAIN)), RFC) == cache_key(asked, RFC)
