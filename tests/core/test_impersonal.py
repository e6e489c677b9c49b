"""Requests on behalf of everybody (app/core/impersonal.py)."""

from __future__ import annotations

import pytest

from app.core.impersonal import as_anybody, impersonal
from app.core.rules import Query, RouteRules, Rules
from tests.core.build import RFC, req, row, stored

ASKED = "GET /a?b=1&c=2 | cookie: s=1; k=2 | authorization: t | forwarded: f | x-forwarded-for: 1.2.3.4 | ua: a"
PERSON = "cookie: s=1; k=2 | authorization: t | forwarded: f | x-forwarded-for: 1.2.3.4 | ua: a"
NOBODY = RouteRules(anonymous=True)
WITH_COOKIE = RouteRules(anonymous=True, key_cookies=("k", "missing"))

AS_ANYBODY = [
    #                                    rules                                               sent
    row("as it came",                    RFC,                                                ASKED),
    row("where the dialect drops it",    Rules(query=Query.DROP),                            ASKED),
    row("what is kept of the query",     Rules(of_route=RouteRules(kept_parameters=("c",))), f"GET /a?c=2 | {PERSON}"),
    row("what is not ignored of it",     Rules(of_route=RouteRules(ignored_parameters=("b",))),
        f"GET /a?c=2 | {PERSON}"),
    row("where all of it is kept",       Rules(of_route=RouteRules(kept_parameters=("*",))), ASKED),
    row("as nobody in particular",       Rules(of_route=NOBODY),                             "GET /a?b=1&c=2 | ua: a"),
    row("without any query",             Rules(query=Query.DROP, of_route=NOBODY),           "GET /a | ua: a"),
    row("with the cookie in the key",    Rules(of_route=WITH_COOKIE),        "GET /a?b=1&c=2 | ua: a | cookie: k=2"),
    row("with all of that name",         Rules(of_route=RouteRules(anonymous=True, key_cookies=("K", "s"))),
        "GET /a?b=1&c=2 | ua: a | cookie: k=2; s=1"),
    row("with the field in the key",     Rules(key_headers=("cookie",), of_route=NOBODY),
        "GET /a?b=1&c=2 | cookie: s=1; k=2 | ua: a"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "sent"), AS_ANYBODY)
def test_who_asks_first_does_not_decide_what_all_get(rules: Rules, sent: str) -> None:
    assert as_anybody(req(ASKED), rules) == req(sent)


def test_nobody_in_particular_has_no_address() -> None:
    asked = req("GET /", client="192.0.2.1")
    assert as_anybody(asked, Rules(of_route=NOBODY)).client == ""
    assert as_anybody(asked, RFC).client == "192.0.2.1"


@pytest.mark.parametrize(("rules", "sent"), [
    row("nothing of who triggered it",   RFC,                                                "GET /a?b=1&c=2 | ua: a"),
    row("but what is in the key",        Rules(of_route=RouteRules(key_cookies=("k",))),
        "GET /a?b=1&c=2 | ua: a | cookie: k=2"),
    row("also without a query",          Rules(query=Query.DROP, of_route=NOBODY),           "GET /a | ua: a"),
])  # fmt: skip
def test_a_refresh_is_what_the_key_says(rules: Rules, sent: str) -> None:
    assert impersonal(req(ASKED, client="192.0.2.1"), stored(), rules) == req(sent)
