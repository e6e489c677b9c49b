"""What a CDN says of an answer in a field of its own."""

from __future__ import annotations

from hashlib import sha256

import pytest

from app.core.decisions import Fwd, Result, Verdict
from app.core.dialect import Dialect, speak
from app.core.reasons import Reason as R
from app.core.speech import LATE, LATE_SLOT, About, Beside, Environment, Over, SpokenField, Trigger
from tests.core.build import req, res, row, text_of

HIT = Verdict(Result.HIT, R.FRESH, "k", ttl=5, age=1, number=7_123_456, filled_at=77.9)
STALE = Verdict(Result.STALE, R.STALE_IF_ERROR, "k", Fwd.STALE, 503, ttl=-5, age=9, number=8_000_000)
MISS = Verdict(Result.MISS, R.URI_MISS, "k", Fwd.URI_MISS, 200, True, number=9_000_000)
PASS = Verdict(Result.PASS, R.METHOD, "k", Fwd.METHOD, 200)

WORDS = {
    Result.HIT: "Hit", Result.STALE: "Hit", Result.MISS: "Miss", Result.EXPIRED: "Miss", Result.RENEWED: "Miss",
    Result.REVALIDATED: "RefreshHit", Result.NOSTORE: "Miss", Result.PASS: "", Result.ERROR: "Error",
}  # fmt: skip


def field(value: str = "{word}", **more: object) -> SpokenField:
    return SpokenField("x", value, words=WORDS, **more)  # type: ignore[arg-type]


ON_ERROR = field("{word} from here", by_status={"4xx": "Error", "404": "Gone"}, by_reason={R.STALE_IF_ERROR: "Old"})
FOR_ERRORS = SpokenField("x", by_reason={R.STALE_IF_ERROR: "Old"})
FOR_404 = SpokenField("x", by_status={"404": "Gone"})
NEGATIVE = field(by_status={"hit 404": "Negative", "4xx": "Error", "hit 5xx": "Negative too"})
ALONE = field(beside=Beside.PREPEND, keeps_theirs=False)
DEBUG = SpokenField("x", "yes", asked_by=(Trigger("pragma", "x-on"), Trigger("x-debug")))

SAID = [
    #   field                                  request              response           verdict  expected
    row("a word for each result",
        field("{word} from here"),             "GET /",             "200",             HIT,     "x: Hit from here"),
    row("no word, no field",
        field("{word} from here"),             "GET /",             "200",             PASS,    ""),
    row("for some reasons only: for this one",
        SpokenField("x", by_reason={R.FRESH: "new"}), "GET /",      "200",             HIT,     "x: new"),
    row("and for no other",
        SpokenField("x", by_reason={R.FRESH: "new"}), "GET /",      "200",             MISS,    ""),
    row("by the status first",
        ON_ERROR,                              "GET /",             "404",             STALE,   "x: Gone from here"),
    row("by the class of the status",
        ON_ERROR,                              "GET /",             "403",             HIT,     "x: Error from here"),
    row("a word for one reason alone",
        FOR_ERRORS,                            "GET /",             "200",             STALE,   "x: Old"),
    row("and nothing else",
        FOR_ERRORS,                            "GET /",             "200 | x: a",      HIT,     "x: a"),
    row("a word for one status alone",
        FOR_404,                               "GET /",             "404",             HIT,     "x: Gone"),
    row("and for no other",
        FOR_404,                               "GET /",             "200",             HIT,     ""),
    row("by the status of a hit",
        NEGATIVE,                              "GET /",             "404",             HIT,     "x: Negative"),
    row("and not of another result",
        NEGATIVE,                              "GET /",             "404",             MISS,    "x: Error"),
    row("by the class of the status of a hit",
        NEGATIVE,                              "GET /",             "503",             HIT,     "x: Negative too"),
    row("and of none other",
        NEGATIVE,                              "GET /",             "503",             MISS,    "x: Miss"),
    row("by the reason before the result",
        ON_ERROR,                              "GET /",             "200",             STALE,   "x: Old from here"),
    row("what the next cache said goes",
        field(),                               "GET /",             "200 | x: theirs", HIT,     "x: Hit"),
    row("what the next cache said stays before it",
        field(beside=Beside.APPEND),           "GET /",             "200 | x: a | x: b", HIT,   "x: a, b, Hit"),
    row("alone, where nobody said anything",
        field(beside=Beside.APPEND),           "GET /",             "200",             HIT,     "x: Hit"),
    row("behind it",
        field(beside=Beside.PREPEND),          "GET /",             "200 | x: a",      HIT,     "x: Hit, a"),
    row("what the next cache said is not said again on hits",
        ALONE,                                 "GET /",             "200 | x: a",      HIT,     "x: Hit"),
    row("but stands beside ours when it was asked",
        ALONE,                                 "GET /",             "200 | x: a",      MISS,    "x: Miss, a"),
    row("with another sign in between",
        field(beside=Beside.PREPEND, separator=" "), "GET /",       "200 | x: a | x: b", HIT,   "x: Hit a b"),
    row("and the other way round",
        field(beside=Beside.APPEND, separator=" | "), "GET /",      "200 | x: a",      HIT,     "x: a | Hit"),
    row("on a line of its own",
        field(beside=Beside.LINE),             "GET /",             "200 | x: a",      HIT,     "x: a | x: Hit"),
    row("what is known of it",
        SpokenField("x", "{age} {ttl} {lifetime} {key} {host} {path} {target} {status} {reason} {region} {node}"),
                                               "GET /a?b",          "203",             HIT,
        "x: 1 5 6 k example.com /a /a?b 203 fresh LHR n1"),
    row("what the origin has answered now",
        SpokenField("x", "{origin_status}"),   "GET /",             "200",             STALE,   "x: 503"),
    row("and that it has not",
        SpokenField("x", "{origin_status}"),   "GET /",             "200",             HIT,     "x: 0"),
    row("words with slots of their own",
        SpokenField("x", "Us; {word}", words={**WORDS, Result.HIT: "hit; ttl={ttl}; key={scheme}-{host}"}),
                                               "GET /",             "200",             HIT,
        "x: Us; hit; ttl=5; key=http-example.com"),
    row("and those alone",
        SpokenField("x", words={**WORDS, Result.HIT: "hit; ttl={ttl}"}),
                                               "GET /",             "200",             HIT,     "x: hit; ttl=5"),
    row("the number of what was fetched",
        SpokenField("x", "{number}"),          "GET /",             "200",             MISS,    "x: 9000"),
    row("a new number, and that of what is stored",
        SpokenField("x", "{number} {filled_by}"), "GET /",          "200",             HIT,     "x: <n> 7123"),
    row("when what is stored came, and a digest of its key",
        SpokenField("x", "{filled_at} {digest}"), "GET /",          "200",             HIT,
        f"x: 77 {sha256(b'k').hexdigest()}"),
    row("what is known when it leaves",
        SpokenField("x", "{hits} {random:16} {token:56} {seconds}.{micros} {millis} {elapsed} {identity}"),
                                               "GET /",             "200",             HIT,
        "x: <h> <r16> <t56> <s>.<u> <m> <e> <i>"),
    row("of the time alone, and of time and chance",
        SpokenField("x", "{date} {ulid}"),     "GET /",             "200",             HIT,     "x: <d> <l>"),
    row("to those who ask for it by a token",
        DEBUG,                                 "GET / | pragma: no-cache, X-On", "200", HIT,    "x: yes"),
    row("to those who ask for it by a field",
        DEBUG,                                 "GET / | x-debug: 0", "200",            HIT,     "x: yes"),
    row("over the scheme that it is for",
        SpokenField("x", "yes", over=Over.HTTP), "GET /",           "200",             HIT,     "x: yes"),
    row("and over no other",
        SpokenField("x", "yes", over=Over.HTTPS), "GET /",          "200",             HIT,     ""),
    row("to nobody else",
        DEBUG,                                 "GET / | pragma: x-off", "200",         HIT,     ""),
]  # fmt: skip


@pytest.mark.parametrize(("spoken", "request_", "response", "verdict", "expected"), SAID)
def test_what_is_said(spoken: SpokenField, request_: str, response: str, verdict: Verdict, expected: str) -> None:
    dialect = Dialect("test", "2026-11", cache_status=None, fields=(spoken,))
    told = speak(dialect, About(req(request_), res(response), verdict, "n1", "LHR"))
    shown = LATE_SLOT.sub(rb"<\1>", text_of(told.headers).encode()).decode()
    assert shown == expected


@pytest.mark.parametrize(("environment", "said"), [(Environment.PRODUCTION, ["x"]), (Environment.PREVIEW, ["x", "y"])])
def test_what_is_said_in_one_environment_only(environment: Environment, said: list[str]) -> None:
    here = SpokenField("y", "yes", environment=Environment.PREVIEW)
    dialect = Dialect("test", "2026-11", fields=(SpokenField("x", "yes"), here)).within(environment)
    assert [one.name for one in dialect.fields] == said


def test_dialects_with_late_slots() -> None:
    slots = [(name, f"{{{name}}}") for name in (*LATE, "word", "age")]
    late = {name for name, value in slots if Dialect("d", "2026-11", fields=(SpokenField("x", value),)).has_late_slots}
    assert late == set(LATE)
