"""Cache-Control and its targeted forms become numbers (RFC 9111 §5.2, RFC 9213, Edge Architecture §2.2.1)."""

from __future__ import annotations

import pytest

from app.core.directives import VALUELESS, Directives, parse_cache_control, without_directives
from app.core.fields import MAX_DELTA
from app.core.governing import Decides, Governing, Syntax, governing_directives
from tests.core.build import head, row

OURS = frozenset({"set-cookie"})
TWO = frozenset({"a", "b"})
FLAGS = ("no_store", "public", "must_revalidate", "proxy_revalidate", "must_understand", "immutable")

CACHE_CONTROL = [
    #   value                                     expected
    row("nothing",
        "",                                       {}),
    row("an unknown directive",
        "foo, bar=1",                             {}),
    row("max-age",
        "max-age=60",                             {"max_age": 60}),
    row("any case",
        "Max-AGE=60, NO-Store",                   {"max_age": 60, "no_store": True}),
    row("quoted numbers",
        'max-age="60"',                           {"max_age": 60}),
    row("the first of several counts",
        "max-age=1, max-age=2",                   {"max_age": 1}),
    row("the first counts, unreadable as it may be",
        "max-age=x, max-age=2",                   {"max_age": 0}),
    row("a number that cannot be read is stale",
        "max-age=1.5",                            {"max_age": 0}),
    row("a negative number is stale",
        "max-age=-1",                             {"max_age": 0}),
    row("an empty number is stale",
        "max-age=",                               {"max_age": 0}),
    row("a number that is missing is stale",
        "max-age",                                {"max_age": 0}),
    row("so is white space around the sign",
        "max-age = 60",                           {"max_age": 0}),
    row("an enormous number",
        "max-age=99999999999",                    {"max_age": MAX_DELTA}),
    row("what is quoted is another's value",
        'x="max-age=1, no-store", max-age=2',     {"max_age": 2}),
    row("s-maxage",
        "s-maxage=60, max-age=1",                 {"s_maxage": 60, "max_age": 1}),
    row("stale windows",
        "stale-while-revalidate=1, stale-if-error=2",  {"stale_while_revalidate": 1, "stale_if_error": 2}),
    row("stale windows without a number",
        "stale-while-revalidate, stale-if-error", {"stale_while_revalidate": VALUELESS, "stale_if_error": VALUELESS}),
    row("a stale window cannot be spelled valueless",
        "stale-while-revalidate=-1",              {"stale_while_revalidate": 0}),
    row("max-stale without a number is any",
        "max-stale",                              {"max_stale": MAX_DELTA}),
    row("max-stale",
        "max-stale=5",                            {"max_stale": 5}),
    row("min-fresh",
        "min-fresh=5",                            {"min_fresh": 5}),
    row("only-if-cached",
        "only-if-cached",                         {"only_if_cached": True}),
    row("the flags of a response",
        "no-store, public, must-revalidate, proxy-revalidate, must-understand, immutable",  dict.fromkeys(FLAGS, True)),
    row("an argument of a flag has no meaning",
        "no-store=foo, immutable=1",              {"no_store": True, "immutable": True}),
    row("no-cache",
        "no-cache",                               {"no_cache": True}),
    row("private",
        "private",                                {"private": True}),
    row("no-cache for a field",
        'no-cache="Set-Cookie"',                  {"no_cache_fields": OURS}),
    row("private for a field",
        'private="Set-Cookie"',                   {"private_fields": OURS}),
    row("field names without quotes",
        "private=set-cookie",                     {"private_fields": OURS}),
    row("field names add up",
        'private="a", private="B"',               {"private_fields": TWO}),
    row("several names in one",
        'no-cache="A, b"',                        {"no_cache_fields": TWO}),
    row("both forms are both",
        'private, private="set-cookie"',          {"private": True, "private_fields": OURS}),
    row("no names are all",
        'private="", no-cache=',                  {"private": True, "no_cache": True}),
    row("nor are there names in a comma",
        'private=","',                            {"private": True}),
    row("nor in a space",
        'no-cache=" "',                           {"no_cache": True}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), CACHE_CONTROL)
def test_cache_control(value: str, expected: dict[str, object]) -> None:
    assert parse_cache_control([value]) == Directives(**expected)  # type: ignore[arg-type]


def test_lines_are_read_one_by_one() -> None:
    assert parse_cache_control(['x="never closed', "no-store"]) == Directives(no_store=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        row("must-revalidate forbids stale",                 "must-revalidate",  True),
        row("proxy-revalidate forbids stale",                "proxy-revalidate", True),
        row("no-cache forbids stale",                        "no-cache",         True),
        row("s-maxage forbids it by implication, not here",  "s-maxage=1",       False),
        row("nothing forbids nothing",                       "",                 False),
    ],
)  # fmt: skip
def test_forbids_stale(value: str, expected: bool) -> None:
    assert parse_cache_control([value]).forbids_stale is expected


CDN = (Governing("cdn-cache-control", Syntax.STRUCTURED),)
BOTH = (Governing("vercel-cdn-cache-control", Syntax.CACHE_CONTROL), *CDN)
SECONDS = (Governing("x-seconds", Syntax.SECONDS),)
SURROGATE = (Governing("surrogate-control", Syntax.SURROGATE),)
EDGE = (Governing("edge-control", Syntax.EDGE),)
PRESENCE = (*CDN, Governing("surrogate-control", Syntax.PRESENCE))
LIFETIMES = (Governing("surrogate-control", Syntax.SURROGATE, Decides.LIFETIMES),)
STORING = (Governing("surrogate-control", Syntax.SURROGATE, Decides.STORING),)
PLAIN: dict[str, object] = {"max_age": 60}

TARGETED = [
    #   governing headers                                     source           expected
    row("Edge-Control has a lifetime of its own",
        EDGE, "cc: no-cache, s-maxage=9, stale-if-error=9 | edge-control: max-age=1m",
                                                              "edge-control",  PLAIN),
    row("what may not be stored stays so beside it",
        EDGE, "cc: no-store | edge-control: max-age=1m",      "edge-control",  PLAIN | {"no_store": True}),
    row("unless it takes that back",
        EDGE, "cc: no-store | edge-control: !no-store, max-age=1m",
                                                              "edge-control",  PLAIN),
    row("what is private stays private",
        EDGE, "cc: private | edge-control: !no-store, max-age=1m",
                                                              "edge-control",  PLAIN | {"private": True}),
    row("also a field",
        EDGE, 'cc: private="Set-Cookie" | edge-control: max-age=1m',
                                                              "edge-control",  PLAIN | {"private_fields": OURS}),
    row("without a lifetime it leaves the others",
        EDGE, "cc: max-age=60, must-revalidate | edge-control: downstream-ttl=5",
                                                              "cache-control",
                                                                    PLAIN | {"must_revalidate": True, "downstream": 5}),
    row("it forbids to store",
        EDGE, "cc: max-age=60 | edge-control: bypass-cache",  "edge-control",  PLAIN | {"no_store": True}),
    row("it allows it",
        EDGE, "cc: max-age=60, no-store | edge-control: !no-store",
                                                              "cache-control", PLAIN),
    row("where there is none",
        EDGE, "cc: max-age=60",                               "cache-control", PLAIN),
    row("a field whose presence is enough",
        PRESENCE,
              "cc: max-age=60, no-store | surrogate-control: ",
                                                              "surrogate-control",  {}),
    row("behind one that says something",
        PRESENCE,
              "cdn: max-age=5 | surrogate-control: max-age=60",
                                                              "cdn-cache-control",  {"max_age": 5}),
    row("without a targeted field Cache-Control governs",
        CDN,  "cc: max-age=60",                               "cache-control", PLAIN),
    row("a targeted field governs alone",
        CDN,  "cc: max-age=60, private | cdn: max-age=5",     "cdn-cache-control",  {"max_age": 5}),
    row("the first one that is there governs",
        BOTH, "cdn: max-age=5 | vercel-cdn-cache-control: max-age=6",
                                                              "vercel-cdn-cache-control",  {"max_age": 6}),
    row("the second one, if the first is not there",
        BOTH, "cdn: max-age=5 | cc: max-age=60",              "cdn-cache-control",  {"max_age": 5}),
    row("an empty structured one is not there",
        CDN,  "cdn: | cc: max-age=60",                        "cache-control", PLAIN),
    row("an empty plain one is not there",
        BOTH, "vercel-cdn-cache-control: | cc: max-age=60",   "cache-control", PLAIN),
    row("one of nothing but commas is not there either",
        BOTH, "vercel-cdn-cache-control: , | cdn: max-age=5", "cdn-cache-control",  {"max_age": 5}),
    row("one that does not parse is not there",
        CDN,  "cdn: max-age=60=1 | cc: max-age=60",           "cache-control", PLAIN),
    row("upper-case keys are no Dictionary",
        CDN,  "cdn: Max-Age=5 | cc: max-age=60",              "cache-control", PLAIN),
    row("several lines are one Dictionary",
        CDN,  "cdn: max-age=5 | cdn: no-store",               "cdn-cache-control",  {"max_age": 5, "no_store": True}),
    row("its last member of a name counts",
        CDN,  "cdn: max-age=5, max-age=6",                    "cdn-cache-control",  {"max_age": 6}),
    row("its parameters are ignored",
        CDN,  "cdn: max-age=5;a=1, no-store;b",               "cdn-cache-control",  {"max_age": 5, "no_store": True}),
    row("a String is no number, so stale",
        CDN,  'cdn: max-age="5"',                             "cdn-cache-control",  {"max_age": 0}),
    row("a Decimal is no number, so stale",
        CDN,  "cdn: max-age=5.0",                             "cdn-cache-control",  {"max_age": 0}),
    row("a Token is no number, so stale",
        CDN,  "cdn: max-age=five",                            "cdn-cache-control",  {"max_age": 0}),
    row("a Date is no number, so stale",
        CDN,  "cdn: max-age=@5",                              "cdn-cache-control",  {"max_age": 0}),
    row("an Inner List is no number, so stale",
        CDN,  "cdn: max-age=(5 6)",                           "cdn-cache-control",  {"max_age": 0}),
    row("a negative Integer is stale",
        CDN,  "cdn: max-age=-5",                              "cdn-cache-control",  {"max_age": 0}),
    row("a number that is missing is stale",
        CDN,  "cdn: max-age",                                 "cdn-cache-control",  {"max_age": 0}),
    row("a window without a number",
        CDN,  "cdn: stale-while-revalidate",                  "cdn-cache-control",
                                                                               {"stale_while_revalidate": VALUELESS}),
    row("a flag that is false is not there",
        CDN,  "cdn: max-age=5, no-store=?0",                  "cdn-cache-control",  {"max_age": 5}),
    row("a private that is false is not there",
        CDN,  "cdn: max-age=5, private=?0",                   "cdn-cache-control",  {"max_age": 5}),
    row("private",
        CDN,  "cdn: private",                                 "cdn-cache-control",  {"private": True}),
    row("private for a field",
        CDN,  'cdn: private="Set-Cookie"',                    "cdn-cache-control",  {"private_fields": OURS}),
    row("private for an Integer is private",
        CDN,  "cdn: private=1",                               "cdn-cache-control",  {"private": True}),
    row("private for a Token is for that field, or private",
        CDN,  "cdn: private=set-cookie",                      "cdn-cache-control",  {"private": True}),
    row("no-cache for an Inner List is no-cache",
        CDN,  'cdn: no-cache=("a" "b")',                      "cdn-cache-control",  {"no_cache": True}),
    row("Surrogate-Control governs",
        SURROGATE,
              "surrogate-control: max-age=5 | cc: no-store",  "surrogate-control",  {"max_age": 5}),
    row("its no-store governs",
        SURROGATE,
              "surrogate-control: No-Store | cc: max-age=60", "surrogate-control",  {"no_store": True}),
    row("what it says of ESI is not ours",
        SURROGATE,
              'surrogate-control: content="ESI/1.0" | cc: max-age=60',
                                                              "cache-control", PLAIN),
    row("what it says to us is ours",
        SURROGATE,
              "surrogate-control: max-age=5;us | cc: max-age=60",
                                                              "surrogate-control",  {"max_age": 5}),
    row("what it says to others is not",
        SURROGATE,
              "surrogate-control: max-age=5;them | cc: max-age=60",
                                                              "cache-control", PLAIN),
    row("what it says to several is ours if we are among them",
        SURROGATE,
              "surrogate-control: max-age=5; them; us, no-store;them",
                                                              "surrogate-control",  {"max_age": 5}),
    row("a number of seconds",
        SECONDS,    "x-seconds: 5 | cc: no-store",            "x-seconds", {"max_age": 5}),
    row("0 to store nothing",
        SECONDS,    "x-seconds: 0 | cc: max-age=60",          "x-seconds", {"no_store": True}),
    row("a time",
        SECONDS,    "x-seconds: @1000 | cc: max-age=60",      "x-seconds", {"until": 1000}),
    row("no number is not there",
        SECONDS,    "x-seconds: off | cc: max-age=60",        "cache-control", PLAIN),
    row("lifetimes only: its own before those of Cache-Control",
        LIFETIMES,  "surrogate-control: max-age=5 | cc: s-maxage=60, max-age=70",
                                                              "surrogate-control",  {"max_age": 5}),
    row("lifetimes only: whether it is stored, Cache-Control says",
        LIFETIMES,  "surrogate-control: max-age=5, no-store | cc: private, must-revalidate",
                                                              "surrogate-control",
                                                      {"max_age": 5, "private": True, "must_revalidate": True}),
    row("lifetimes only: each window in the place of the other's",
        LIFETIMES,  "surrogate-control: stale-while-revalidate=5 | cc: stale-while-revalidate=9, stale-if-error=9",
                                                              "cache-control",
                                            {"stale_while_revalidate": 5, "stale_if_error": 9}),
    row("lifetimes only: one that says none of ours",
        LIFETIMES,  'surrogate-control: content="ESI/1.0" | cc: max-age=60',
                                                              "cache-control", PLAIN),
    row("storing only: for how long, Cache-Control says",
        STORING,    "surrogate-control: max-age=5 | cc: max-age=60, no-store, private, no-cache",
                                                              "cache-control", PLAIN),
    row("storing only: its no-store",
        STORING,    "surrogate-control: no-store | cc: max-age=60",
                                                              "cache-control", PLAIN | {"no_store": True}),
    row("storing only: that it is there is enough",
        STORING,    'surrogate-control: content="ESI/1.0" | cc: max-age=60, private',
                                                              "cache-control", PLAIN),
    row("storing only: where it is not there",
        STORING,    "cc: max-age=60, private",                "cache-control", PLAIN | {"private": True}),
    row("an empty Surrogate-Control is not there",
        SURROGATE,  "surrogate-control: | cc: max-age=60",    "cache-control", PLAIN),
]  # fmt: skip


@pytest.mark.parametrize(("governing", "headers", "source", "expected"), TARGETED)
def test_what_governs(governing: tuple[Governing, ...], headers: str, source: str, expected: dict[str, object]) -> None:
    directives = Directives(source, **expected)  # type: ignore[arg-type]
    assert governing_directives(head(headers), governing, "us") == directives


WITHOUT = [
    #   value                                   expected
    row("what is named goes, in any case",
        "S-MaxAge=60, public",                  "public"),
    row("what is left stays as written",
        'Public,  x="a, s-maxage=1",max-age=5', 'Public, x="a, s-maxage=1", max-age=5'),
    row("all may go",
        "s-maxage=60, s-maxage",                ""),
    row("white space before the sign",
        "s-maxage =60, a",                      "a"),
    row("nothing is nothing",
        "",                                     ""),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), WITHOUT)
def test_without_directives(value: str, expected: str) -> None:
    assert without_directives(value, {"s-maxage"}) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [('private="a", no-cache="b"', "private, no-cache"), ("public", "public")]
)
def test_unqualified(value: str, expected: str) -> None:
    assert parse_cache_control([value]).unqualified() == parse_cache_control([expected])


def test_what_is_said_and_what_is_not_obeyed() -> None:
    found = parse_cache_control(["no-store, s-maxage=0"])
    assert [found.says(name) for name in ("no-store", "s-maxage", "max-age")] == [True, True, False]
    assert found.without(frozenset({"no-store"})) == parse_cache_control(["s-maxage=0"])
