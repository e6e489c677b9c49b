"""A key that is new every time: what splits it."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.key import cache_key
from app.core.rules import Rules
from app.core.splitting import Key, Kind, splitting
from tests.core.build import KEY, req, row, stored

BASE = "GET http example.com /a"


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        row("nothing seen", [], None),
        row("one key", [BASE, BASE], None),
        row("another path", [f"{BASE}b", f"{BASE}/b?x=1", BASE], None),
        row("another host", ["GET http other.example /a?x=1", BASE], None),
        row("a parameter", [f"{BASE}?utm={n}&p=1" for n in range(5)], [(Kind.QUERY, "utm", 5, 1)]),
        row("there or not", [BASE, f"{BASE}?x=1"], [(Kind.QUERY, "x", 2, 1)]),
        row(
            "the worst first",
            [f"{BASE}?a={n % 2}&b={n}" for n in range(4)],
            [(Kind.QUERY, "b", 4, 2), (Kind.QUERY, "a", 2, 4)],
        ),
        row("order", [f"{BASE}?a=1&b=2", f"{BASE}?b=2&a=1"], [(Kind.ORDER, "order of the parameters", 2, 1)]),
        row("a field in the key", [BASE, f"{BASE} rsc=1"], [(Kind.FIELD, "rsc", 2, 1)]),
        row(
            "field and parameter",
            [f"{BASE}?x={n} accept={n % 2}" for n in range(4)],
            [(Kind.QUERY, "x", 4, 2), (Kind.FIELD, "accept", 2, 4)],
        ),
    ],
)
def test_what_splits_a_path(recent: list[str], expected: Any) -> None:
    found = splitting(f"{BASE}?x=9" if expected else BASE, recent, [])
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert [(one.kind, one.name, one.values, one.without) for one in found.splitters] == expected
        assert (found.path, found.requests, found.keys) == ("/a", len(recent), len(set(recent)))


def test_what_vary_splits() -> None:
    there = [
        stored("200 | cc: max-age=60 | vary: accept, user-agent", f"GET / | accept: {n % 2} | user-agent: {n}")
        for n in range(4)
    ]
    found = splitting(KEY, [KEY], there)
    assert found is not None
    assert [(one.kind, one.name, one.values, one.without) for one in found.splitters] == [
        (Kind.VARY, "user-agent", 4, 2),
        (Kind.VARY, "accept", 2, 4),
    ]
    assert found.variants == 4
    assert splitting(KEY, [KEY], there[:1]) is None


def test_the_parts_of_a_key() -> None:
    rules = Rules(key_headers=("rsc", "cookie"))
    key = Key.shown(cache_key(req("GET /a?b=c | rsc: 1 | cookie: s=secret"), rules))
    assert key.text == "GET http example.com /a?b=c rsc=1 cookie=(hidden)"
    assert (key.scheme, key.authority, key.target) == ("http", "example.com", "/a?b=c")
    assert [(field.name, field.value) for field in key.fields] == [("rsc", "1"), ("cookie", "(hidden)")]
