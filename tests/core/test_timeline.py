"""A stored response over time, and which field governed it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from app.core.explain import Known, explain
from app.core.governing import Decides, Governing, Syntax
from app.core.routing import Ruling
from app.core.rules import Rules
from app.core.timeline import is_secret, timeline, variant
from tests.core.build import NOW, RFC, SPOILED, req, row, stored

NODE = "n0de1"
TWO_FIELDS = Rules(
    governing=(Governing("cdn-cache-control", Syntax.STRUCTURED), Governing("x-cc", Syntax.CACHE_CONTROL))
)
IN_PART = Rules(
    governing=(
        Governing("cdn-cache-control", Syntax.STRUCTURED),
        Governing("x-cc", Syntax.CACHE_CONTROL, Decides.LIFETIMES),
    )
)


def test_the_life_of_a_stored_response() -> None:
    old = stored("200 | cc: max-age=60, stale-while-revalidate=30, stale-if-error=600 | age: 10", held_until=NOW + 90.0)
    marks = asdict(timeline(old, NOW + 70))
    assert {name: mark and mark["from_now"] for name, mark in marks.items() if name != "now"} == {
        "stored": -70,
        "fresh_until": -20,
        "stale_while_revalidate_until": 10,
        "stale_if_error_until": 580,
        "held_until": 20,
    }
    assert marks["fresh_until"]["at"] == NOW + 50


def test_a_life_without_windows() -> None:
    marks = timeline(stored(), NOW)
    assert (marks.stale_while_revalidate_until, marks.stale_if_error_until, marks.held_until) == (None, None, None)


def test_a_variant_hides_credentials() -> None:
    old = stored(
        "200 | cc: max-age=60 | vary: cookie, accept, authorization", "GET / | cookie: session=secret | accept: a"
    )
    shown = variant(old, RFC, NOW, selected=True)
    assert [(field.name, field.value) for field in shown.selecting] == [
        ("accept", "a"),
        ("authorization", None),
        ("cookie", "(hidden)"),
    ]
    assert "secret" not in json.dumps(
        asdict(explain(req("GET / | cookie: session=secret"), Known([old], NODE), Ruling(RFC), NOW))
    )


@pytest.mark.parametrize("field", ["x-prerender-revalidate", "x-preview", "x-bypass"])
def test_a_variant_hides_tokens_for_previews(field: str) -> None:
    old = stored(f"200 | cc: max-age=60 | vary: {field}", f"GET / | {field}: s3cret")
    assert [one.value for one in variant(old, RFC, NOW, selected=True).selecting] == ["(hidden)"]


@pytest.mark.parametrize(
    ("field", "secret"),
    [
        ("authorization", True), ("x-api-key", True), ("connect.sid", False), ("x-sid", True), ("set-cookie", True),
        ("cf-access-jwt-assertion", True), ("x-goog-iap-jwt-assertion", True), ("x-amzn-oidc-identity", True),
        ("x-ms-client-principal", True), ("remote-user", True), ("x-forwarded-user", True), ("x-forwarded-email", True),
        ("x-forwarded-client-cert", True), ("x-otp", True), ("x-csrf", True), ("x-preview", True),
        ("user-agent", False), ("sec-fetch-user", False), ("accept-language", False), ("rsc", False), ("host", False),
    ],
)  # fmt: skip
def test_fields_that_sound_like_credentials(field: str, secret: bool) -> None:
    assert is_secret(field) is secret


def test_a_variant_in_numbers() -> None:
    old = stored('206 | cc: max-age=60, immutable | cr: bytes 0-9/20 | etag: "1" | lm: @-9', "GET / | range: bytes=0-9")
    shown = variant(old.purged(SPOILED), RFC, NOW + 5, selected=False)
    assert (shown.age, shown.size, shown.lifetime, shown.lifetime_from) == (5, 10, 60, "max-age")
    assert (shown.flags, shown.requested_range, shown.etag) == (
        ("purged: validate all", "immutable", "part"),
        "bytes=0-9",
        '"1"',
    )


@pytest.mark.parametrize(
    ("answer", "field", "absent", "unread", "overruled"),
    [
        row("only Cache-Control", "200 | cc: max-age=1", "cache-control", ("cdn-cache-control", "x-cc"), (), ()),
        row(
            "the targeted one",
            "200 | cc: max-age=1 | cdn: max-age=2",
            "cdn-cache-control",
            ("x-cc",),
            (),
            ("cache-control",),
        ),
        row(
            "one unreadable", "200 | cdn: ,,, | x-cc: max-age=2", "x-cc", ("cache-control",), ("cdn-cache-control",), ()
        ),
        row("none", "200", "cache-control", ("cdn-cache-control", "x-cc"), (), ()),
    ],
)
def test_which_field_governed(answer: str, field: str, absent: Any, unread: Any, overruled: Any) -> None:
    found = variant(stored(answer, rules=TWO_FIELDS), TWO_FIELDS, NOW, selected=True).governance
    assert (found.field, found.absent, found.unread, found.overruled) == (field, absent, unread, overruled)
    assert found.beside == ()


@pytest.mark.parametrize(
    ("answer", "field", "beside", "overruled"),
    [
        row("it has the lifetime", "200 | x-cc: max-age=1 | cc: private", "x-cc", ("cache-control",), ()),
        row("it has a window", "200 | x-cc: stale-if-error=1 | cc: max-age=1", "cache-control", ("x-cc",), ()),
        row("another has all", "200 | cdn: max-age=1 | x-cc: max-age=1 | cc: private", "cdn-cache-control", (),
            ("x-cc", "cache-control")),
    ],
)  # fmt: skip
def test_which_fields_governed_together(answer: str, field: str, beside: Any, overruled: Any) -> None:
    found = variant(stored(answer, rules=IN_PART), IN_PART, NOW, selected=True).governance
    assert (found.field, found.beside, found.overruled, found.unread) == (field, beside, overruled, ())
