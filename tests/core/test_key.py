"""Cache keys and the selection of variants: nothing collides that an origin could tell apart (RFC 9111 §2, §4.1)."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from app.core.key import base_key, base_of, cache_key, normalised, selecting_fields, selects, sent_target, vary_names
from app.core.messages import Headers, Request
from app.core.rules import Query, RouteRules, Rules, VaryRule
from tests.core.build import RFC, head, req, row

KEYS = [
    #   scheme   authority           request_              key
    row("the plainest",
        "http",  "example.com",      "GET /",              "GET http example.com /"),
    row("HEAD is answered from what GET stored",
        "http",  "example.com",      "HEAD /",             "GET http example.com /"),
    row("POST spoils what GET stored",
        "http",  "example.com",      "POST /",             "GET http example.com /"),
    row("another scheme",
        "https", "example.com",      "GET /",              "GET https example.com /"),
    row("hosts in lower case",
        "http",  "EXAMPLE.com",      "GET /A",             "GET http example.com /A"),
    row("the default port of http",
        "http",  "example.com:80",   "GET /",              "GET http example.com /"),
    row("the default port of https",
        "https", "example.com:443",  "GET /",              "GET https example.com /"),
    row("the default port of the other",
        "http",  "example.com:443",  "GET /",              "GET http example.com:443 /"),
    row("a port that only ends like it",
        "http",  "example.com:8080", "GET /",              "GET http example.com:8080 /"),
    row("an IPv6 address that only ends like it",
        "http",  "[::80]",           "GET /",              "GET http [::80] /"),
    row("an IPv6 address with the default port",
        "http",  "[::1]:80",         "GET /",              "GET http [::1] /"),
    row("an empty port is the default port",
        "http",  "example.com:",     "GET /",              "GET http example.com /"),
    row("a scheme without a default port",
        "ws",    "example.com:80",   "GET /",              "GET ws example.com:80 /"),
    row("a query in its order",
        "http",  "example.com",      "GET /?b=1&a=2",      "GET http example.com /?b=1&a=2"),
    row("an empty query",
        "http",  "example.com",      "GET /?",             "GET http example.com /?"),
    row("percent signs as they are",
        "http",  "example.com",      "GET /%2f%2F%20",     "GET http example.com /%2f%2F%20"),
    row("unicode as it is",
        "http",  "example.com",      "GET /\xe9",          "GET http example.com /\xe9"),
    row("RSC",
        "http",  "example.com",      "GET / | rsc: 1",     "GET http example.com / rsc=1"),
    row("RSC, empty",
        "http",  "example.com",      "GET / | rsc:",       "GET http example.com / rsc="),
    row("RSC with what could end it",
        "http",  "example.com",      'GET / | rsc: 1 "=%', "GET http example.com / rsc=1%20%22%3D%25"),
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "authority", "request_", "key"), KEYS)
def test_cache_key(scheme: str, authority: str, request_: str, key: str) -> None:
    asked = req(request_, scheme=scheme, authority=authority)
    assert cache_key(asked, RFC) == key
    assert base_of(key) == base_key(scheme, authority, asked.target)


def test_keys_follow_the_order_of_the_rules() -> None:
    rules = Rules(key_headers=("b", "a", "c"))
    assert cache_key(req("GET / | a: 1 | b: 2"), rules) == "GET http example.com / b=2 a=1"


# Every pair of these must have two keys. Values as they come on the wire; None: the field is absent.
DIFFERENT = [
    #    authority             target          RSC
    ("example.com",            "/",            None),
    ("example.com",            "/",            ""),
    ("example.com",            "/",            "1"),
    ("example.com",            "/",            "1 rsc=1"),
    ("example.com",            "/",            "1%20rsc=1"),
    ("example.com",            "/",            '"1"'),
    ("example.com",            "/",            "1=1"),
    ("example.com",            "/",            "%31"),
    ("example.com",            "/",            "\xe9"),
    ("example.com",            "/",            "%C3%A9"),
    ("example.com",            "/",            "%E9"),
    ("example.com",            "/?",           None),
    ("example.com",            "/?rsc=1",      None),
    ("example.com",            "/rsc=1",       None),
    ("example.com",            "/%20rsc=1",    None),
    ("example.com",            "/%2520rsc=1",  None),
    ("example.com",            "/\xe9",        None),
    ("example.com",            "/%C3%A9",      None),
    ("example.com",            "/%c3%a9",      None),
    ("example.com",            "//",           None),
    ("example.com",            "/?a=1&b=2",    None),
    ("example.com",            "/?b=2&a=1",    None),
    ("example.com",            "/A",           None),
    ("example.com",            "/a",           None),
    ("example.com:8080",       "/",            None),
    ("example.com.",           "/",            None),
    ("a.example.com",          "/",            None),
    ("[::1]",                  "/",            None),
]  # fmt: skip

# The same for RSC values that a list-reader takes for one another; an origin that compares with "1" does not.
LISTS = ["1", "1,", ",1", "1,,"]


def _key(authority: str, target: str, rsc: str | None) -> str:
    headers = Headers([] if rsc is None else [(b"rsc", rsc.encode("latin-1"))])
    return cache_key(Request("GET", "http", authority, target, headers), RFC)


def test_different_requests_have_different_keys() -> None:
    keys = {_key(*parts): parts for parts in DIFFERENT}
    assert len(keys) == len(DIFFERENT)


@pytest.mark.parametrize(("one", "other"), list(combinations(LISTS, 2)))
def test_rsc_is_no_list(one: str, other: str) -> None:
    assert _key("example.com", "/", one) != _key("example.com", "/", other)


def test_a_long_value_is_a_digest_and_no_other_value_looks_like_one() -> None:
    long, other = _key("example.com", "/", "a" * 300), _key("example.com", "/", "a" * 301)
    assert long != other
    assert len(long) < 100
    assert _key("example.com", "/", long.partition("rsc=")[2]) != long


def test_the_same_request_has_the_same_key() -> None:
    assert _key("example.com", "/", "1") == _key("EXAMPLE.COM:80", "/", " 1\t")


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        row("no Vary",                    "a: 1",                         ()),
        row("sorted, once, lower case",   "vary: B, a | vary: b, C",      ("a", "b", "c")),
        row("a star among them",          "vary: a, *",                   ("*", "a")),
        row("an empty Vary",              "vary:",                        ()),
    ],
)  # fmt: skip
def test_vary_names(headers: str, names: tuple[str, ...]) -> None:
    assert vary_names(head(headers), RFC) == names


KINDS_OF_VARY = [
    #                                       rules                                   names
    row("as the RFC has it",                RFC,                                    ("*", "a", "accept-encoding")),
    row("encodings alone",                  Rules(vary=VaryRule.ENCODING),          ("*", "accept-encoding")),
    row("nothing but the star",             Rules(vary=VaryRule.IGNORE),            ("*",)),
    row("not even that",                    Rules(vary=VaryRule.IGNORE, vary_star=False), ()),
    row("all but the star",                 Rules(vary_star=False),                 ("a", "accept-encoding")),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "names"), KINDS_OF_VARY)
def test_which_names_in_vary_count(rules: Rules, names: tuple[str, ...]) -> None:
    assert vary_names(head("vary: a, accept-encoding, *"), rules) == names


QUERIES = [
    #                       rule        target            keyed
    row("kept",             Query.KEEP, "/a?b=2&a=1",     "/a?b=2&a=1"),
    row("sorted",           Query.SORT, "/a?b=2&a=1&b=1", "/a?a=1&b=2&b=1"),
    row("by name alone",    Query.SORT, "/a?b=2&a=2&a=1", "/a?a=2&a=1&b=2"),
    row("none to sort",     Query.SORT, "/a",             "/a"),
    row("dropped",          Query.DROP, "/a?b=2",         "/a"),
    row("withheld",         Query.WITHHOLD, "/a?b=2",     "/a"),
]  # fmt: skip


PARAMETERS = [
    #                          rules                                                                 keyed
    row("ignored by name",     Rules(of_route=RouteRules(ignored_parameters=("b",))),                "/a?utm_x=1&c=2"),
    row("ignored by a star",   Rules(of_route=RouteRules(ignored_parameters=("utm_*", "c"))),        "/a?b=3&b"),
    row("kept by name",        Rules(of_route=RouteRules(kept_parameters=("c",))),                   "/a?c=2"),
    row("kept but for some",   Rules(of_route=RouteRules(kept_parameters=("*",), ignored_parameters=("b",))),
        "/a?utm_x=1&c=2"),
    row("none kept",           Rules(of_route=RouteRules(kept_parameters=())),                       "/a"),
    row("kept, and sorted",    Rules(query=Query.SORT, of_route=RouteRules(kept_parameters=("c", "b"))),
        "/a?b=3&b&c=2"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "keyed"), PARAMETERS)
def test_which_parameters_are_in_the_key(rules: Rules, keyed: str) -> None:
    assert cache_key(req("GET /a?utm_x=1&b=3&c=2&b"), rules) == f"GET http example.com {keyed}"


BY_COOKIES = Rules(key_headers=(), of_route=RouteRules(key_cookies=("b", "C")))
COOKIES = [
    #                                       sent                                in the key
    row("none",                             "",                                 ""),
    row("others",                           "cookie: a=b; bb=1; =b",            ""),
    row("one",                              "cookie: a=1; b=2",                 " cookie:b=2"),
    row("white space around it",            "cookie: a=1 ;  b = 2 %",           " cookie:b=2%20%25"),
    row("an empty value",                   "cookie: b=",                       " cookie:b="),
    row("in the order of the rules",        "cookie: C=1; b=2",                 " cookie:b=2 cookie:C=1"),
    row("on several lines",                 "cookie: C=1 | cookie: a=1; b=2",   " cookie:b=2 cookie:C=1"),
    row("in another case",                  "cookie: B=2; c=1",                 " cookie:b=B%3D2; cookie:C=c%3D1;"),
    row("without a value",                  "cookie: b",                        " cookie:b=b;"),
    row("two of one name",                  "cookie: b=2; b=3",                 " cookie:b=b%3D2;b%3D3;"),
    row("the other way round",              "cookie: b=3; a=1; b=2",            " cookie:b=b%3D3;b%3D2;"),
    row("two that are alike",               "cookie: b=2; b=2",                 " cookie:b=b%3D2;b%3D2;"),
    row("two on two lines",                 "cookie: b=2 | cookie: b=3",        " cookie:b=b%3D2;b%3D3;"),
    row("two cases",                        "cookie: B=3; b=2",                 " cookie:b=B%3D3;b%3D2;"),
    row("one of them without a value",      "cookie: b; b=2",                   " cookie:b=b;b%3D2;"),
    row("one of them empty",                "cookie: b=; b=2",                  " cookie:b=b%3D;b%3D2;"),
    row("a value that looks like two",      "cookie: b=b=2,b=3",                " cookie:b=b%3D2,b%3D3"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "keyed"), COOKIES)
def test_cookies_in_the_key(sent: str, keyed: str) -> None:
    assert cache_key(req(f"GET / | {sent}"), BY_COOKIES) == f"GET http example.com /{keyed}"


def test_no_client_makes_a_key_of_any_size_by_its_cookies() -> None:
    keys = {cache_key(req(f"GET / | cookie: {'b=2; ' * number}"), BY_COOKIES) for number in (299, 300)}
    assert len(keys) == 2
    assert max(map(len, keys)) < 100


@pytest.mark.parametrize(("rule", "target", "keyed"), QUERIES)
def test_what_of_the_query_is_in_the_key(rule: Query, target: str, keyed: str) -> None:
    assert cache_key(req(f"GET {target}"), Rules(query=rule)) == f"GET http example.com {keyed}"


NAMING = Rules(query=Query.WITHHOLD, of_route=RouteRules(ignored_parameters=("c",)))


@pytest.mark.parametrize(
    ("rules", "target", "sent"),
    [
        row("kept",               Rules(query=Query.KEEP),     "/a?b=2",     "/a?b=2"),
        row("sorted",             Rules(query=Query.SORT),     "/a?b&a",     "/a?b&a"),
        row("dropped",            Rules(query=Query.DROP),     "/a?b=2",     "/a?b=2"),
        row("withheld",           Rules(query=Query.WITHHOLD), "/a?b=2",     "/a"),
        row("none to withhold",   Rules(query=Query.WITHHOLD), "/a",         "/a"),
        row("all but what a route names", NAMING,              "/a?c=1&b=2", "/a?b=2"),
        row("in the order in which it came", NAMING,           "/a?d&c&b",   "/a?d&b"),
    ],
)  # fmt: skip
def test_what_of_the_query_the_origin_sees(rules: Rules, target: str, sent: str) -> None:
    assert sent_target(target, rules) == sent


@pytest.mark.parametrize("query", [Query.DROP, Query.WITHHOLD])
def test_parameters_that_a_route_names_are_in_the_key_of_any_dialect(query: Query) -> None:
    rules = replace(NAMING, query=query)
    assert cache_key(req("GET /a?c=1&b=2"), rules) == "GET http example.com /a?b=2"


NORMAL = [
    #   name               headers                           value
    row("absent",
        "accept",          "",                               None),
    row("empty",
        "accept",          "accept:",                        ""),
    row("lines joined, white space gone",
        "accept",          "accept: a , b | accept: c",      "a,b,c"),
    row("quotes kept",
        "accept",          'accept: "a, b" , c',             '"a, b",c'),
    row("order matters where nothing is known",
        "accept",          "accept: b, a",                   "b,a"),
    row("case matters where nothing is known",
        "accept",          "accept: A",                      "A"),
    row("weights sort, case and space do not matter",
        "accept-language", "lang: DE ; Q=0.50 , en",         "en,de;q=0.5"),
    row("a weight of one is none",
        "accept-encoding", "accept-encoding: gzip;q=1.000",  "gzip"),
    row("more than one is one",
        "accept-encoding", "accept-encoding: gzip;q=9",      "gzip"),
    row("less than nought is nought",
        "accept-encoding", "accept-encoding: gzip;q=-1, br", "br,gzip;q=0"),
    row("a weight that cannot be read is one",
        "accept-encoding", "accept-encoding: gzip;q=x",      "gzip"),
    row("other parameters are none",
        "accept-encoding", "accept-encoding: gzip;x=1",      "gzip"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "headers", "value"), NORMAL)
def test_normalised(name: str, headers: str, value: str | None) -> None:
    assert normalised(name, head(headers)) == value


SELECTION = [
    #   vary                  then                           now                                     language  expected
    row("nothing varies",
        "",                   "GET /",                       "GET / | a: 1",                         None,     True),
    row("the same value",
        "a",                  "GET / | a: 1",                "GET / | a: 1",                         None,     True),
    row("another value",
        "a",                  "GET / | a: 1",                "GET / | a: 2",                         None,     False),
    row("absent both times",
        "a",                  "GET /",                       "GET /",                                None,     True),
    row("absent now",
        "a",                  "GET / | a: 1",                "GET /",                                None,     False),
    row("absent then",
        "a",                  "GET /",                       "GET / | a: 1",                         None,     False),
    row("empty is not absent",
        "a",                  "GET / | a:",                  "GET /",                                None,     False),
    row("one of two differs",
        "a, b",               "GET / | a: 1 | b: 1",         "GET / | a: 1 | b: 2",                  None,     False),
    row("two lines or one",
        "a",                  "GET / | a: 1 | a: 2",         "GET / | a: 1,2",                       None,     True),
    row("languages in another order and case",
        "accept-language",    "GET / | lang: en;q=.5, de",   "GET / | lang: DE, en;q=0.5",           None,     True),
    row("other languages",
        "accept-language",    "GET / | lang: en",            "GET / | lang: de",                     None,     False),
    row("the language it is in is the one preferred now",
        "accept-language",    "GET / | lang: en, de;q=0.5",  "GET / | lang: en, fr;q=0.5",           "EN",     True),
    row("the language it is in is not preferred now",
        "accept-language",    "GET / | lang: en",            "GET / | lang: fr, en;q=0.5",           "en",     False),
    row("two languages preferred alike decide nothing",
        "accept-language",    "GET / | lang: en",            "GET / | lang: en, fr",                 "en",     False),
    row("no language asked for now",
        "accept-language",    "GET / | lang: en",            "GET /",                                "en",     False),
    row("none that is acceptable",
        "accept-language",    "GET / | lang: en",            "GET / | lang: en;q=0",                 "en",     False),
    row("in two languages",
        "accept-language",    "GET / | lang: en",            "GET / | lang: de",                     "en, de", False),
    row("the language decides only its own field",
        "accept-language, a", "GET / | a: 1 | lang: de",     "GET / | a: 2 | lang: en",              "en",     False),
    row("gzip refused by name is not gzip left to a star",
        "accept-encoding",    "GET / | accept-encoding: *",  "GET / | accept-encoding: *, gzip;q=0", None,     False),
    row("identity refused is not identity allowed",
        "accept-encoding",    "GET / | accept-encoding: br", "GET / | accept-encoding: br, identity;q=0",
                                                                                                     None,     False),
    row("a language refused is not one left to a star",
        "accept-language",    "GET / | lang: *",             "GET / | lang: *, en;q=0",              None,     False),
    row("commas in a field that is no list",
        "cookie",             "GET / | cookie: sid=a,",      "GET / | cookie: sid=a",                None,     False),
]  # fmt: skip


@pytest.mark.parametrize(("vary", "then", "now", "language", "expected"), SELECTION)
def test_selection(vary: str, then: str, now: str, language: str | None, expected: bool) -> None:
    selecting = selecting_fields(req(then), vary_names(head(f"vary: {vary}"), RFC))
    assert selects(selecting, req(now), language) is expected
