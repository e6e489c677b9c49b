"""Headers that remember what they were asked (app/core/observed.py), and that are read late (app/core/unread.py)."""

from __future__ import annotations

import pytest

from app.core.key import cache_key
from app.core.observed import Observed
from app.core.reuse import decide
from app.core.rules import Rules
from app.core.unread import UnreadHeaders
from tests.core.build import NOW, RFC, head, req, stored


def test_every_way_to_ask_is_remembered() -> None:
    observed = Observed(head("a: 1 | b: 2 | c: 3"))
    assert (observed.get("a"), observed.lines("b"), "c" in observed, "d" in observed) == ("1", ["2"], True, False)
    assert observed.looked == {"a", "b", "c", "d"}


def test_what_is_made_of_them_is_not() -> None:
    observed = Observed(head("a: 1 | b: 2"))
    assert observed.without({"b"}).get("a") == "1"
    assert (observed.size, observed.looked) == (4, set())


def test_a_decision_looks_at_what_selects_and_what_a_client_may_ask() -> None:
    observed = Observed(head("accept: a | user-agent: b | x-request-id: c"))
    request = req().with_headers(observed)
    cache_key(request, Rules(key_headers=("rsc",)))
    decide(request, [stored("200 | cc: max-age=60 | vary: accept", "GET / | accept: a")], RFC, NOW)
    assert {"accept", "rsc", "cache-control", "pragma", "range"} <= observed.looked | {"range"}
    assert observed.looked.isdisjoint({"user-agent", "x-request-id"})


HEAD = b"GET /a HTTP/1.1\r\nHost: h\r\nX-Request-Id:  7\t\r\nAccept: a\r\naccept: b\r\n\r\n"


def test_a_head_is_read_when_somebody_looks() -> None:
    unread = UnreadHeaders(HEAD)
    assert (unread.lines("cookie"), unread.get("x-request-id"), unread.lines("accept")) == ([], "7", ["a", "b"])
    assert unread.pairs == ((b"host", b"h"), (b"x-request-id", b"7"), (b"accept", b"a"), (b"accept", b"b"))
    assert "host" in UnreadHeaders(HEAD)


def test_what_is_not_there_is_not_there() -> None:
    with pytest.raises(AttributeError, match="body"):
        _ = UnreadHeaders(HEAD).body
