"""What the origin sees of a client beside the key, where what says private or no-store is shared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core.dialect import Dialect
from app.core.exposure import exposed
from app.core.rules import Authorization, Cookies, Query, RouteRules, Rules

SHARING = Rules(ignored_directives=frozenset({"private", "no-cache"}), query=Query.DROP, store_post=True)
ALL = {"Authorization", "Cookie", "POST", "the query"}


def dialect(rules: Rules, **speech: Any) -> Dialect:
    return Dialect("nimbus", "2026-11", rules=rules, **speech)


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({},                                                        ALL),
        ({"ignored_directives": frozenset({"no-cache"})},           set()),
        ({"cookies": Cookies.BYPASS},                               ALL - {"Cookie"}),
        ({"authorization": Authorization.IGNORE},                   ALL),
        ({"authorization": Authorization.REMOVE},                   ALL - {"Authorization"}),
        ({"authorization": Authorization.BYPASS},                   ALL - {"Authorization"}),
        ({"key_headers": ("cookie", "authorization")},              {"POST", "the query"}),
        ({"query": Query.WITHHOLD},                                 ALL - {"the query"}),
        ({"query": Query.SORT},                                     ALL - {"the query"}),
        ({"store_post": False},                                     ALL - {"POST"}),
        ({"of_route": RouteRules(kept_parameters=("a",))},          ALL - {"the query"}),
        ({"of_route": RouteRules(key_cookies=("a",))},              ALL),
        ({"of_route": RouteRules(anonymous=True)},                  {"POST"}),
        ({"of_route": RouteRules(dynamic=True)},                    set()),
    ],
)  # fmt: skip
def test_what_the_origin_sees_beside_the_key(changes: dict[str, Any], seen: set[str]) -> None:
    assert exposed(dialect(replace(SHARING, **changes))) == {("private", one) for one in seen}


@pytest.mark.parametrize(
    ("speech", "seen"),
    [
        ({"passed_from_requests": frozenset({"accept"})},        {"POST", "the query"}),
        ({"passed_from_requests": frozenset({"co*"})},           {"Cookie", "POST", "the query"}),
        ({"stripped_from_requests": frozenset({"authorization"})}, ALL - {"Authorization"}),
    ],
)  # fmt: skip
def test_what_is_not_passed_is_not_seen(speech: dict[str, Any], seen: set[str]) -> None:
    assert exposed(dialect(SHARING, **speech)) == {("private", one) for one in seen}


def test_lifetimes_for_what_forbids_reuse_share_both() -> None:
    rules = Rules(forbidden_lifetimes={"200": 1}, cookies=Cookies.BYPASS, authorization=Authorization.BYPASS)
    assert exposed(dialect(replace(rules, store_post=True))) == {("private", "POST"), ("no-store", "POST")}
