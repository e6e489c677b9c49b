"""Headers that remember what they were asked (app/core/observed.py)."""

from __future__ import annotations

from app.core.key import cache_key
from app.core.observed import Observed
from app.core.reuse import decide
from app.core.rules import Rules
from tests.core.build import NOW, RFC, head, req, stored


def test_every_way_to_ask_is_remembered() -> None:
    observed = Observed(head("a: 1 | b: 2 | c: 3"))
    assert (observed.get("a"), observed.lines("b"), "c" in observed, "d" in observed) == ("1", ["2"], True, False)
    assert observed.looked == {"a", "b", "c", "d"}


def test_what_is_left_of_them_is_seen_by_the_same_eyes() -> None:
    observed = Observed(head("a: 1 | b: 2"))
    left = observed.without({"b"}).adding(("d", "4"))
    assert (left.get("a"), "b" in left, left.get("d")) == ("1", False, "4")
    assert (observed.size, observed.looked) == (4, {"a", "b", "d"})
    assert observed.without({"c"}) is observed


def test_whether_a_cookie_is_there_is_asked_unseen() -> None:
    observed = Observed(head("cookie: a=1"))
    assert (observed.has_cookie("a"), observed.looked) == (True, set())


def test_a_decision_looks_at_what_selects_and_what_a_client_may_ask() -> None:
    observed = Observed(head("accept: a | user-agent: b | x-request-id: c"))
    request = req().with_headers(observed)
    cache_key(request, Rules(key_headers=("rsc",)))
    decide(request, [stored("200 | cc: max-age=60 | vary: accept", "GET / | accept: a")], RFC, NOW)
    assert {"accept", "rsc", "cache-control", "pragma", "range"} <= observed.looked | {"range"}
    assert observed.looked.isdisjoint({"user-agent", "x-request-id"})
