"""What was measured of real caches by the public suite cache-tests (@b55b8bd, results of 2025-12-29), told as there:
P, passed; F, failed; or yes and no for what is only looked at. Each row is played against the dialect's rules.

Some servers were not measured as they come, and are set here as they were there (MEASURED_WITH).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from app.core.concluding import conclude
from app.core.decisions import Exchange, Forward, Freshen, Hit, Refuse, Reuse, Save, ServeStale, StoredResponse
from app.core.deliver import deliver_stored
from app.core.dialect import speak
from app.core.messages import Request
from app.core.reasons import Reason
from app.core.reuse import decide
from app.core.rules import Rules
from app.core.speech import About
from app.core.verdicts import of_hit
from app.dialects import load_dialect
from tests.core.build import NOW, req, res

MEASURED_WITH: Mapping[str, Mapping[str, object]] = {
    "nginx": {"validates": True},  # proxy_cache_revalidate on
    "varnish": {"default_lifetimes": {}, "default_stale_while_revalidate": 0},  # default_ttl=0, default_grace=0
    "fastly": {"default_lifetimes": {}},  # a fallback TTL of 0
}
DIALECTS = ("nginx", "squid", "trafficserver", "souin", "varnish", "fastly")
KEY = "GET http example.com /"


@dataclass(frozen=True)
class Cache:
    """One dialect's cache, with at most one response in it."""

    name: str
    rules: Rules

    def stores(self, response: str, asked: str = "GET /") -> StoredResponse | None:
        """What is kept of a response that comes now to a request that nothing stored answers."""
        request = req(asked)
        lookup = decide(request, [], self.rules, NOW)
        if not isinstance(lookup, Forward):
            return None
        outcome = conclude(lookup, self._exchange(lookup.request, response, NOW), KEY, self.rules)
        return outcome.stored if isinstance(outcome, Save) else None

    def reuses(self, response: str, asked: str = "GET /", first: str = "GET /", after: float = 1) -> bool:
        """Whether a second request is answered without the origin."""
        stored = self.stores(response, first)
        return stored is not None and isinstance(decide(req(asked), [stored], self.rules, NOW + after), Hit)

    def validates(self, response: str, after: float = 1) -> bool:
        """Whether a second request is sent with a condition, and a 304 answers it."""
        stored = self.stores(response)
        if stored is None:
            return False
        lookup = decide(req(), [stored], self.rules, NOW + after)
        if not (isinstance(lookup, Forward) and "if-none-match" in lookup.request.headers):
            return False
        outcome = conclude(lookup, self._exchange(lookup.request, "304", NOW + after), KEY, self.rules)
        return isinstance(outcome, Freshen | Reuse)

    def serves_stale(self, response: str, answer: str) -> bool:
        """Whether a stale response is given again when the origin answers so, or not at all."""
        stored = self.stores(response)
        if stored is None:
            return False
        lookup = decide(req(), [stored], self.rules, NOW + 5)
        if isinstance(lookup, Hit):
            return True
        assert isinstance(lookup, Forward)
        exchange = self._exchange(lookup.request, "502" if answer == "close" else answer, NOW + 5)
        error = "connection_terminated" if answer == "close" else None
        failed = Exchange(exchange.request, exchange.response, exchange.control, NOW + 5, NOW + 5, error)
        return isinstance(conclude(lookup, failed, KEY, self.rules), ServeStale)

    def refuses(self, asked: str) -> bool:
        """Whether a request that nothing stored answers is not forwarded."""
        return isinstance(decide(req(asked), [], self.rules, NOW), Refuse)

    def head_writes_through(self) -> bool:
        """Whether HEAD for what is stale reaches the origin as HEAD."""
        stored = self.stores('200 | cc: max-age=1 | etag: "1"')
        lookup = None if stored is None else decide(req("HEAD /"), [stored], self.rules, NOW + 5)
        return isinstance(lookup, Forward) and lookup.request.method == "HEAD"

    def says(self, name: str, response: str) -> str | None:
        """A field of the response to a hit, ten seconds later."""
        stored = self.stores(response)
        assert stored is not None
        delivery = deliver_stored(req(), stored, NOW + 10)
        verdict = of_hit(Hit(Reason.FRESH, stored), KEY, NOW + 10)
        return speak(load_dialect(self.name), About(req(), delivery.response, verdict)).headers.get(name)

    def cuts(self) -> bool:
        """Whether a part is cut from what is stored as a whole."""
        stripped = load_dialect(self.name).stripped_from_requests
        asked = req("GET / | range: bytes=0-1")
        arrived = asked.with_headers(asked.headers.without(stripped))
        stored = self.stores(FRESH)
        lookup = None if stored is None else decide(arrived, [stored], self.rules, NOW + 1)
        return isinstance(lookup, Hit) and "range" in arrived.headers

    def _exchange(self, request: Request, response: str, at: float) -> Exchange:
        answer = res(response)
        return Exchange(request, answer, self.rules.directives(answer.headers, answer.status), at, at)


FRESH = '200 | cc: max-age=60 | etag: "1" | date: @+0'
SHORT = "200 | cc: max-age=1"
OLD = "200 | lm: @-100000 | date: @+0"
SIE = f"{SHORT}, stale-if-error=60"
COOKIES = f"{FRESH} | set-cookie: a=1"
VARIED = f"{FRESH} | vary: x"
PUBLIC = "200 | cc: max-age=60, public"
COOKIE = "GET / | cookie: a=1"
AUTHORIZED = "GET / | authorization: x"

# The rows of the matrix, in its order of columns: nginx, Squid, ATS, Souin, Varnish, Fastly. In brackets: what we do
# not do as measured, with the reason in the notes of the dialect's file.
MATRIX: dict[str, tuple[str, Callable[[Cache], bool]]] = {
    "cc-resp-no-store-fresh":      ("P P P P P F", lambda it: not it.reuses("200 | cc: no-store, max-age=60")),
    "cc-resp-no-cache":            ("P P P P P F", lambda it: not it.reuses("200 | cc: no-cache, max-age=60")),
    "cc-resp-private-shared":      ("P P P P P P", lambda it: not it.reuses("200 | cc: private, max-age=60")),
    "cc-resp-no-cache-revalidate-fresh":
                                   ("F P P F F F",
                                    lambda it: it.validates('200 | cc: no-cache, max-age=60 | etag: "1"')),
    "cc-resp-no-cache-revalidate": ("F P F F F F", lambda it: it.validates('200 | cc: no-cache | etag: "1"')),
    "vary-star":                   ("P P P P P F", lambda it: not it.reuses(f"{FRESH} | vary: *")),
    "vary-match":                  ("P P P P P P", lambda it: it.reuses(VARIED, "GET / | x: 1", "GET / | x: 1")),
    "vary-no-match":               ("P P P P P P", lambda it: not it.reuses(VARIED, "GET / | x: 2", "GET / | x: 1")),
    "other-authorization":         ("F - F P P F", lambda it: not it.reuses(FRESH, AUTHORIZED, AUTHORIZED)),
    "other-authorization-public":  ("P - P F F P", lambda it: it.reuses(PUBLIC, AUTHORIZED, AUTHORIZED)),
    "other-authorization-smaxage": ("P - P F F P",
                                    lambda it: it.reuses("200 | cc: s-maxage=60", AUTHORIZED, AUTHORIZED)),
    "other-set-cookie":            ("F P P P F F", lambda it: it.reuses(COOKIES)),
    "headers-store-Set-Cookie":    ("- F F P - -", lambda it: it.says("set-cookie", COOKIES) == "a=1"),
    "other-cookie":                ("P P P P F P", lambda it: it.reuses(FRESH, COOKIE, COOKIE)),
    "other-age-gen":               ("F P P P P P", lambda it: it.says("age", FRESH) == "10"),
    "other-date-update":           ("F P P P P F", lambda it: "\0" not in (it.says("date", FRESH) or "")),
    "query-args-different":        ("P P P P P P", lambda it: it.rules.query == "keep"),
    "ccreq-no-cache":              ("no yes no yes no no", lambda it: not it.reuses(FRESH, "GET / | cc: no-cache")),
    "ccreq-ma0":                   ("no yes no no no no", lambda it: not it.reuses(FRESH, "GET / | cc: max-age=0")),
    "ccreq-no-store":              ("no no no no no no", lambda it: not it.reuses(FRESH, "GET / | cc: no-store")),
    "ccreq-min-fresh":             ("no yes yes yes no no",
                                    lambda it: not it.reuses(FRESH, "GET / | cc: min-fresh=120")),
    "ccreq-max-stale":             ("no yes yes no no no",
                                    lambda it: it.reuses(SHORT, "GET / | cc: max-stale=60", after=9)),
    "ccreq-oic":                   ("no yes yes no no no", lambda it: it.refuses("GET / | cc: only-if-cached")),
    "pragma-request-no-cache":     ("yes no yes [yes] yes yes",
                                    lambda it: it.reuses(FRESH, "GET / | pragma: no-cache")),
    "freshness-none":              ("yes yes yes yes yes yes", lambda it: not it.reuses("200")),
    "heuristic-200-cached":        ("F P F F F F", lambda it: it.reuses(OLD)),
    "heuristic-203-cached":        ("F P [P] F F F", lambda it: it.reuses(OLD.replace("200", "203"))),
    "heuristic-404-cached":        ("F F F F F F", lambda it: it.reuses(OLD.replace("200", "404"))),
    "heuristic-410-cached":        ("F P [P] F F F", lambda it: it.reuses(OLD.replace("200", "410"))),
    "stale-while-revalidate":      ("F F F F P P",
                                    lambda it: it.reuses(f"{SHORT}, stale-while-revalidate=60", after=5)),
    "stale-sie-close":             ("yes yes yes no no no", lambda it: it.serves_stale(SIE, "close")),
    "stale-sie-503":               ("yes yes yes no no no", lambda it: it.serves_stale(SIE, "503")),
    "stale-close":                 ("no yes yes no no no", lambda it: it.serves_stale(SHORT, "close")),
    "stale-503":                   ("no yes yes no no -", lambda it: it.serves_stale(SHORT, "503")),
    "stale-close-must-revalidate": ("P P P P P P",
                                    lambda it: not it.serves_stale(f"{SHORT}, must-revalidate", "close")),
    "stale-close-s-maxage=2":      ("P P P P P P", lambda it: not it.serves_stale("200 | cc: s-maxage=2", "close")),
    "invalidate-POST":             ("F P P P F F", lambda it: it.rules.invalidates),
    "method-POST":                 ("F F F F F F", lambda it: it.rules.store_post),
    "freshness-max-age-age":       ("F P P P P P", lambda it: not it.reuses(f"{FRESH} | age: 100")),
    "freshness-max-age-case-insenstive":
                                   ("P P P P P [F]", lambda it: it.reuses("200 | cc: MaX-AgE=60")),
    "freshness-max-age-s-maxage-shared-longer":
                                   ("P P P P P P", lambda it: it.reuses("200 | cc: max-age=1, s-maxage=60", after=9)),
    "partial-store-complete-reuse-partial":
                                   ("F P P F P P", lambda it: it.cuts()),
    "cdn-max-age":                 ("F F [F] P F F", lambda it: it.reuses("200 | cdn: max-age=60")),
    "cdn-fresh-cc-nostore":        ("F F [F] P F F", lambda it: it.reuses("200 | cdn: max-age=60 | cc: no-store")),
    "head-writethrough":           ("no yes yes yes no no", lambda it: it.head_writes_through()),
    "conditional-etag-strong-generate":
                                   ("P P P F P P", lambda it: it.validates('200 | cc: max-age=1 | etag: "1"', after=5)),
}  # fmt: skip
# Whether a response of that status that says max-age is reused.
STATUSES = {
    203: "P P P P P P", 204: "P F P P P F", 299: "P F P F F F", 301: "P P P P P P",
    302: "P P P F P P", 303: "P F P F F F", 307: "P P P F P F", 308: "P P P F F F",
    400: "P F P F F F", 404: "P F P P P P", 410: "P P P P P P", 499: "P F P F F F",
    500: "P F P F F -", 502: "P F P F F F", 503: "P F P F F -", 504: "P F P F F F",
    599: "P F P F F F",
}  # fmt: skip
BY_STATUS = {
    f"status-{status}-fresh": (cells, lambda it, status=status: it.reuses(f"{status} | cc: max-age=60"))
    for status, cells in STATUSES.items()
}
# What the suite could not set up (-) says nothing.
ROWS = [
    pytest.param(dialect, cell, holds, id=f"{name}, {dialect}")
    for name, (cells, holds) in (MATRIX | BY_STATUS).items()
    for dialect, cell in zip(DIALECTS, cells.split(), strict=True)
    if cell != "-"
]


@pytest.mark.parametrize(("dialect", "cell", "holds"), ROWS)
def test_it_does_as_was_measured(dialect: str, cell: str, holds: Callable[[Cache], bool]) -> None:
    rules = load_dialect(dialect, MEASURED_WITH.get(dialect, {})).rules
    measured = cell.strip("[]") in ("P", "yes")
    assert holds(Cache(dialect, rules)) is (not measured if cell.startswith("[") else measured)
