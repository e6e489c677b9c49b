"""Requests that no origin is asked for (RFC 9110 §4.2, §9.3; RFC 9112 §3.2; RFC 8586)."""

from __future__ import annotations

import pytest

from app.core.decisions import Refuse
from app.core.reasons import Reason
from app.core.reasons import Reason as R
from app.core.refusing import REFUSED, refusal
from tests.core.build import req, row

REFUSALS = [
    #   authority           request_                                         why               status
    row("a name",
        "example.com",      "GET / | host: example.com",                     None,             0),
    row("a name with a port",
        "example.com:8080", "GET /",                                         None,             0),
    row("an underscore, as many use it",
        "a_b.test",         "GET /",                                         None,             0),
    row("an IPv4 address",
        "127.0.0.1:80",     "GET /",                                         None,             0),
    row("an IPv6 address",
        "[::1]",            "GET /",                                         None,             0),
    row("an IPv6 address with a port",
        "[2001:DB8::1]:80", "GET /",                                         None,             0),
    row("no Host",
        "",                 "GET /",                                         R.BAD_HOST,       400),
    row("two Hosts, though the same",
        "example.com",      "GET / | host: example.com | host: example.com", R.BAD_HOST,       400),
    row("two Hosts in one",
        "a, b",             "GET /",                                         R.BAD_HOST,       400),
    row("a space",
        "a b",              "GET /",                                         R.BAD_HOST,       400),
    row("somebody at a host",
        "u@example.com",    "GET /",                                         R.BAD_HOST,       400),
    row("a path in it",
        "example.com/a",    "GET /",                                         R.BAD_HOST,       400),
    row("a bare IPv6 address",
        "::1",              "GET /",                                         R.BAD_HOST,       400),
    row("a port alone",
        ":80",              "GET /",                                         R.BAD_HOST,       400),
    row("a port that is no number",
        "example.com:x",    "GET /",                                         R.BAD_HOST,       400),
    row("a line break",
        "example.com\n",    "GET /",                                         R.BAD_HOST,       400),
    row("letters of other scripts",
        "ex\xe4mple.com",   "GET /",                                         R.BAD_HOST,       400),
    row("CONNECT",
        "example.com:443",  "CONNECT example.com:443",                       R.METHOD_REFUSED, 405),
    row("TRACE",
        "example.com",      "TRACE /",                                       R.METHOD_REFUSED, 405),
    row("a target that is just short enough",
        "example.com",      f"GET /{'a' * (16 * 1024 - 1)}",                 None,             0),
    row("a target that is too long",
        "example.com",      f"GET /{'a' * (16 * 1024)}",                     R.TARGET_TOO_LONG, 414),
    row("a head that is too large",
        "example.com",      f"GET / | cookie: {'a' * (64 * 1024)}",          R.HEAD_TOO_LARGE, 431),
    row("a port that is none",
        "example.com:65536", "GET /",                                        R.BAD_HOST,       400),
    row("a target that is no path",
        "example.com",      "GET *",                                         R.BAD_TARGET,     400),
    row("a fragment",
        "example.com",      "GET /a#b",                                      R.BAD_TARGET,     400),
    row("OPTIONS that may go no further",
        "example.com",      "OPTIONS / | max-forwards: 0",                   R.MAX_FORWARDS,   204),
    row("OPTIONS that may go on",
        "example.com",      "OPTIONS / | max-forwards: 1",                   None,             0),
    row("a GET that counts",
        "example.com",      "GET / | max-forwards: 0",                       None,             0),
    row("OPTIONS",
        "example.com",      "OPTIONS *",                                     None,             0),
    row("been here before",
        "example.com",      "GET / | cdn-loop: swerve; node=n1",             R.LOOP,           508),
    row("been elsewhere before",
        "example.com",      "GET / | cdn-loop: swerve; node=m1",             None,             0),
    row("the first row is the reason",
        "",                 "TRACE / | cdn-loop: swerve; node=n1",           R.BAD_HOST,       400),
]  # fmt: skip


@pytest.mark.parametrize(("authority", "request_", "why", "status"), REFUSALS)
def test_refusal(authority: str, request_: str, why: Reason | None, status: int) -> None:
    assert refusal(req(request_, authority=authority), "n1") == (None if why is None else Refuse(why, status))


def test_every_row_fires() -> None:
    assert {reason for reason, *_ in REFUSED} == {case.values[2] for case in REFUSALS} - {None}
