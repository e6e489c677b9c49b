"""What a successful unsafe request spoils (RFC 9111 §4.4)."""

from __future__ import annotations

import pytest

from app.core.invalidation import perhaps_spoiled_by, same_origin_target, spoiled_by
from app.core.purging import Kind, Mode
from app.core.rules import RouteRules, Rules
from app.core.tags import Separator, TagField
from tests.core.build import NOW, RFC, req, res, row

GROUPS = Rules(tags=(TagField("cache-groups", Separator.STRUCTURED),))

SPOILED = [
    #   request_      response                                                                  targets
    row("POST",
        "POST /a?b",  "200",                                                                    ["/a?b"]),
    row("a method that nobody knows",
        "FROB /a",    "200",                                                                    ["/a"]),
    row("a redirect says that it worked",
        "POST /a",    "303 | location: /b",                                                     ["/a", "/b"]),
    row("GET",
        "GET /a",     "200 | location: /b",                                                     []),
    row("HEAD",
        "HEAD /a",    "200",                                                                    []),
    row("OPTIONS",
        "OPTIONS /a", "200",                                                                    []),
    row("TRACE",
        "TRACE /a",   "200",                                                                    []),
    row("an error of the client",
        "DELETE /a",  "404 | location: /b",                                                     []),
    row("an error of the server",
        "PUT /a",     "500",                                                                    []),
    row("not yet an answer",
        "POST /a",    "103 | location: /b",                                                     []),
    row("Location and Content-Location",
        "POST /a",    "201 | location: /b | content-location: /c",                              ["/a", "/b", "/c"]),
    row("each once",
        "POST /a",    "201 | location: /a | content-location: /a",                              ["/a"]),
    row("what lies elsewhere is not ours",
        "POST /a",    "201 | location: http://b.com/ | content-location: https://example.com/", ["/a"]),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "response", "targets"), SPOILED)
def test_spoiled(request_: str, response: str, targets: list[str]) -> None:
    spoiled = spoiled_by(req(request_), res(response), RFC, NOW)
    assert [(one.mode, one.selector.name) for one in spoiled] == [
        (Mode.VALIDATE, f"url example.com {target}") for target in targets
    ]
    assert all(one.slots for one in spoiled), "clients fill no log"


def test_spoiled_by_the_key_without_what_it_leaves_out() -> None:
    rules = Rules(of_route=RouteRules(kept_parameters=("b",)))
    spoiled = spoiled_by(req("POST /a?b=1&c=2"), res("200"), rules, NOW)
    assert [one.selector.value for one in spoiled] == ["/a?b=1&c=2", "/a?b=1"]


GROUPED = [
    #                                     rules   response                                    groups
    row("groups that the response names", GROUPS, '200 | cache-group-invalidation: "a", "b"', ["a", "b"]),
    row("not of an error",                GROUPS, '404 | cache-group-invalidation: "a"',      []),
    row("not where groups are not read",  RFC,    '200 | cache-group-invalidation: "a"',      []),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "response", "groups"), GROUPED)
def test_spoiled_groups(rules: Rules, response: str, groups: list[str]) -> None:
    """RFC 9875 §3: of the same origin only."""
    spoiled = spoiled_by(req("POST /a"), res(response), rules, NOW)
    found = [one.selector.name for one in spoiled if one.selector.kind is Kind.TAG]
    assert found == [f"tag example.com {group}" for group in groups]
    assert all(one.slots for one in spoiled), "nor does what an answer names"


def test_a_cache_that_does_not_invalidate() -> None:
    assert spoiled_by(req("POST /a"), res("200"), Rules(invalidates=False), NOW) == ()


def test_what_is_perhaps_spoiled() -> None:
    found = [perhaps_spoiled_by(req(f"{method} /a"), RFC, NOW) for method in ("POST", "GET")]
    assert [[one.selector.name for one in purges] for purges in found] == [["url example.com /a"], []]


REFERENCES = [
    #                                  reference                    target
    row("a path",                      "/x",                        "/x"),
    row("a relative path",             "x",                         "/a/x"),
    row("a path upwards",              "../x",                      "/x"),
    row("a path with dots",            "/y/./z/../x",               "/y/x"),
    row("a query",                     "?x=1",                      "/a/b?x=1"),
    row("nothing: the request's own",  "",                          "/a/b?c"),
    row("a fragment is no part of it", "/x#y",                      "/x"),
    row("its own origin",              "http://example.com/x",      "/x"),
    row("its own origin, no path",     "http://example.com",        "/"),
    row("in capitals, with its port",  "HTTP://EXAMPLE.com:80/x",   "/x"),
    row("without a scheme",            "//example.com/x",           "/x"),
    row("percent signs as they are",   "/%2f%2F?%20",               "/%2f%2F?%20"),
    row("another host",                "http://b.com/x",            None),
    row("another host, no scheme",     "//b.com/x",                 None),
    row("another port",                "http://example.com:8080/x", None),
    row("another scheme",              "https://example.com/x",     None),
    row("somebody at the same host",   "http://u@example.com/x",    None),
    row("no web address",              "mailto:a@example.com",      None),
    row("half an IPv6 address",        "http://[::1/x",             None),
    # The server does not tell `/x?` from `/x`, so both are one key here.
    row("an empty query is no query",  "/x?",                       "/x"),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "target"), REFERENCES)
def test_same_origin_target(reference: str, target: str | None) -> None:
    assert same_origin_target(req("GET /a/b?c"), reference) == target
