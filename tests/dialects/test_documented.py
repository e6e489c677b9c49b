"""What CDNs document of themselves, where nobody has measured them: each row is played against the dialect's rules.

Cloudflare: developers.cloudflare.com/cache (2026-09). Akamai: techdocs.akamai.com/property-mgr (2026-11). CloudFront:
docs.aws.amazon.com/AmazonCloudFront (2026-11), with the policy CachingOptimized. Azure: MicrosoftDocs/azure-docs
articles/frontdoor (2023-11). The names are those of the public suite cache-tests where it has a test for the same.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.core.reuse import decide
from app.dialects import load_dialect
from tests.core.build import NOW, req
from tests.dialects.test_measured import Cache

STYLE = "GET /a.css"
AUTHORIZED = f"{STYLE} | authorization: x"
FRESH = '200 | cc: max-age=60 | etag: "1" | date: @+0'
TAKEN_BACK = "200 | cc: no-store | edge-control: !no-store, max-age=9"
SWR = "stale-while-revalidate=60"
SIE = "stale-if-error=60"


def _again(it: Cache, response: str, asked: str = STYLE, first: str = STYLE, after: float = 1) -> bool:
    return it.reuses(response, asked, first, after)


def _unasked(it: Cache, asked: str, response: str = FRESH) -> bool:
    stored = it.stores(response, STYLE)
    return stored is not None and decide(req(asked), [stored], it.rules, NOW + 1).reason == "fresh"


DIALECTS = ("cloudflare", "akamai", "cloudfront", "azure")
# One answer for each of them; - where its documentation is silent, or where another row tells it.
DOCUMENTED: dict[str, tuple[str, Callable[[Cache], bool]]] = {
    "a page without an extension":    ("no yes yes yes", lambda it: it.reuses(FRESH)),
    "a style sheet":                  ("yes yes yes yes", lambda it: _again(it, FRESH)),
    "cc-resp-no-store-fresh":         ("no no - no", lambda it: _again(it, "200 | cc: no-store, max-age=60")),
    "cc-resp-private-shared":         ("no no - no", lambda it: _again(it, "200 | cc: private, max-age=60")),
    "cc-resp-no-cache":               ("no no - no", lambda it: _again(it, "200 | cc: no-cache, max-age=60")),
    "no-cache is stored":             ("yes - yes no", lambda it: it.stores("200 | cc: no-cache", STYLE) is not None),
    "max-age=0 is stored":            ("yes - yes -", lambda it: it.stores("200 | cc: max-age=0", STYLE) is not None),
    "s-maxage=0 is stored":           ("yes - yes -", lambda it: it.stores("200 | cc: s-maxage=0", STYLE) is not None),
    "freshness-none":                 ("yes - yes yes", lambda it: _again(it, "200")),
    "a 404 that says nothing":        ("yes yes yes -", lambda it: _again(it, "404")),
    "for ten seconds":                ("yes no no -", lambda it: _again(it, "404", after=11)),
    "a 403 that says nothing":        ("no no no -", lambda it: _again(it, "403")),
    "a 500 that says nothing":        ("no no yes -", lambda it: _again(it, "500")),
    "status-403-fresh":               ("yes - yes -", lambda it: _again(it, "403 | cc: max-age=60")),
    "freshness-expires-future":       ("yes yes yes yes", lambda it: _again(it, "200 | date: @+0 | expires: @+60")),
    "heuristic-200-cached":           ("no - - -", lambda it: _again(it, "200 | lm: @-900000000", after=7_201)),
    "vary-star":                      ("no no yes -", lambda it: _again(it, f"{FRESH} | vary: *")),
    "Vary on a language":             ("yes no yes -", lambda it: _again(it, f"{FRESH} | vary: accept-language")),
    "Vary on an encoding":            ("yes yes yes -", lambda it: _again(it, f"{FRESH} | vary: accept-encoding")),
    "other-set-cookie":               ("no - yes yes", lambda it: _again(it, f"{FRESH} | set-cookie: a=1")),
    "other-cookie":                   ("yes - yes -", lambda it: _unasked(it, f"{STYLE} | cookie: a=1")),
    "other-authorization":            ("no - yes -", lambda it: _again(it, FRESH, AUTHORIZED, AUTHORIZED)),
    "other-authorization-public":     ("yes - yes -",
                                       lambda it: _again(it, f"{FRESH} | cc: public", STYLE, AUTHORIZED)),
    "method-POST":                    ("no no no no", lambda it: it.rules.store_post),
    "cdn-max-age":                    ("yes - - -", lambda it: _again(it, "200 | cc: max-age=0 | cdn: max-age=60")),
    "cdn-fresh-cc-nostore":           ("yes - - -", lambda it: _again(it, "200 | cc: no-store | cdn: max-age=60")),
    "Surrogate-Control is there":     ("yes - - -", lambda it: _again(it, "200 | cc: no-store | surrogate-control: ")),
    "Edge-Control is there":          ("- yes - -", lambda it: _again(it, "200 | edge-control: max-age=1m")),
    "Edge-Control allows to store":   ("- yes - -", lambda it: _again(it, TAKEN_BACK)),
    "stale-while-revalidate":         ("yes - yes no", lambda it: _again(it, f"200 | cc: max-age=1, {SWR}", after=9)),
    "beside s-maxage":                ("no - - no", lambda it: _again(it, f"200 | cc: s-maxage=1, {SWR}", after=9)),
    "beside must-revalidate":         ("no - - no",
                                       lambda it: _again(it, f"200 | cc: max-age=1, must-revalidate, {SWR}", after=9)),
    "a HEAD fetches the whole":       ("yes - - no", lambda it: it.rules.head == "convert"),
    "a Range fetches the whole":      ("yes - no -", lambda it: it.rules.ranges == "whole"),
    "no-store, for half a second":    ("no no yes no",
                                       lambda it: _again(it, "200 | cc: no-store, max-age=60", after=0.5)),
    "private, for half a second":     ("no no yes no",
                                       lambda it: _again(it, "200 | cc: private, max-age=60", after=0.5)),
    "no-cache, for half a second":    ("no no yes no", lambda it: _again(it, "200 | cc: no-cache", after=0.5)),
    "no-store on a 404":              ("no no no no", lambda it: _again(it, "404 | cc: no-store", after=0.5)),
    "no-store on a 503":              ("no no yes no", lambda it: _again(it, "503 | cc: no-store", after=9)),
    "nothing said, for a day":        ("no - yes yes", lambda it: _again(it, "200", after=86_399)),
    "nothing said, for longer":       ("no - no -", lambda it: _again(it, "200", after=86_401)),
    "nothing said, for three days":   ("no - no no", lambda it: _again(it, "200", after=3 * 86_400)),
    "a 301 that says nothing":        ("yes - yes yes", lambda it: _again(it, "301 | location: /")),
    "a 302 that says nothing":        ("yes - yes -", lambda it: _again(it, "302 | location: /")),
    "a 307 that says nothing":        ("no - no -", lambda it: _again(it, "307 | location: /")),
    "status-307-fresh":               ("- - yes -", lambda it: _again(it, "307 | location: / | cc: max-age=60")),
    "status-400-fresh":               ("- - yes -", lambda it: _again(it, "400 | cc: max-age=60")),
    "a 410 that says nothing":        ("yes - - yes", lambda it: _again(it, "410")),
    "query-args-different":           ("yes - no no", lambda it: it.rules.query == "keep"),
    "ccreq-no-cache":                 ("- - yes yes", lambda it: _unasked(it, f"{STYLE} | cc: no-cache")),
    "for another with Authorization": ("- - yes -", lambda it: _again(it, FRESH, AUTHORIZED)),
    "HEAD of what is stored":         ("- - yes no", lambda it: _unasked(it, "HEAD /a.css")),
    "a GET with a body is refused":   ("- - yes -", lambda it: it.refuses("GET / | cl: 5")),
}  # fmt: skip
ROWS = [
    pytest.param(dialect, cell, holds, id=f"{name}, {dialect}")
    for name, (cells, holds) in DOCUMENTED.items()
    for dialect, cell in zip(DIALECTS, cells.split(), strict=True)
    if cell != "-"
]


@pytest.mark.parametrize(("dialect", "cell", "holds"), ROWS)
def test_it_does_as_is_documented(dialect: str, cell: str, holds: Callable[[Cache], bool]) -> None:
    assert holds(Cache(dialect, load_dialect(dialect).rules)) is (cell == "yes")


STALE = {
    "stale-sie-close":             ("cloudflare", True,  f"200 | cc: max-age=1, {SIE}",              "close"),
    "stale-sie-503":               ("cloudflare", True,  f"200 | cc: max-age=1, {SIE}",              "503"),
    "stale-sie-503 and s-maxage":  ("cloudflare", False, f"200 | cc: s-maxage=1, {SIE}",             "503"),
    "stale-close":                 ("cloudflare", False, "200 | cc: max-age=1",                      "close"),
    "stale-503":                   ("akamai",     True,  "200 | cc: max-age=1",                      "503"),
    "stale-close, preserved":      ("akamai",     True,  "200 | cc: max-age=1",                      "close"),
    "stale-close-must-revalidate": ("akamai",     False, "200 | cc: max-age=1, must-revalidate",     "close"),
    "stale-404":                   ("akamai",     False, "200 | cc: max-age=1",                      "404"),
    "stale-close, by default":     ("cloudfront", True,  "200 | cc: max-age=1",                      "close"),
    "stale-503, by default":       ("cloudfront", True,  "200 | cc: max-age=1",                      "503"),
    "stale-503, of a no-store":    ("cloudfront", True,  "200 | cc: no-store",                       "503"),
    "stale-503, switched off":     ("cloudfront", False, "200 | cc: max-age=1, stale-if-error=0",    "503"),
    "stale-404, by default":       ("cloudfront", False, "200 | cc: max-age=1",                      "404"),
    "stale-swr":                   ("azure",      False, f"200 | cc: max-age=1, {SWR}",              "503"),
}  # fmt: skip


@pytest.mark.parametrize(("dialect", "expected", "response", "answer"), STALE.values(), ids=STALE)
def test_what_is_served_when_the_origin_fails(dialect: str, expected: bool, response: str, answer: str) -> None:
    cache = Cache(dialect, load_dialect(dialect, {"extensions": False}).rules)
    assert cache.serves_stale(response, answer) is expected
