"""Age, lifetime and stale windows (RFC 9111 §4.2, §5.1, §5.3; RFC 5861)."""

from __future__ import annotations

import pytest

from app.core.freshness import Freshness, freshness
from app.core.governing import Governing, Syntax
from app.core.rules import LifetimeSource, RouteRules, Rules, StaleMark
from tests.core.build import NOW, RFC, res, row

S_MAXAGE, MAX_AGE, EXPIRES, HEURISTIC, DEFAULT, ROUTE = LifetimeSource
ONLY_SHARED = Rules(lifetime_from=(S_MAXAGE,))


def of(response: str, rules: Rules = RFC, took: float = 0) -> Freshness:
    answer = res(response)
    return freshness(answer, rules.directives(answer.headers, answer.status), rules, NOW - took, NOW)


ROUTED = Rules(
    of_route=RouteRules(lifetime=600),
    least_lifetimes={"200": 700},
    max_lifetime=500,
    stale_marks=(StaleMark("x-origin", "STALE"),),
)
GIVING = Rules(lifetime_from=tuple(LifetimeSource), default_lifetimes={"404": 10, "5xx": 5, "*": 100})
LEAST = Rules(least_lifetimes={"503": 9})
MARKED_SHARED = Rules(lifetime_from=(), stale_marks=(StaleMark("x-origin", "STALE"),))
MARKED = Rules(stale_marks=(StaleMark("x-origin", "STALE"),))

UNTIL = Rules(governing=(Governing("x-until", Syntax.SECONDS),))
ALL_THE_SAME = Rules(forbidden_lifetimes={"2xx": 1, "503": 10}, default_lifetimes={"*": 100})
TYPED = Rules(default_lifetimes_by_type={"text/css": 60, "image/*": 30}, default_lifetimes={"404": 5})

LIFETIMES = [
    #   response                                                 rules                   lifetime source
    row("nothing says one",
        "200",                                                   RFC,                    0,      None),
    row("s-maxage before max-age before Expires",
        "200 | cc: max-age=2, s-maxage=1 | expires: @+3",        RFC,                    1,      S_MAXAGE),
    row("max-age before Expires",
        "200 | cc: max-age=2 | expires: @+3",                    RFC,                    2,      MAX_AGE),
    row("max-age=0 is said, so Expires is not asked",
        "200 | cc: max-age=0 | expires: @+3",                    RFC,                    0,      MAX_AGE),
    row("unreadable max-age is stale, Expires is not asked",
        "200 | cc: max-age=x | expires: @+3",                    RFC,                    0,      MAX_AGE),
    row("Expires counts from Date",
        "200 | expires: @+3 | date: @-7",                        RFC,                    10,     EXPIRES),
    row("Expires counts from the time it came, without Date",
        "200 | expires: @+3",                                    RFC,                    3,      EXPIRES),
    row("a Date that cannot be read is none",
        "200 | expires: @+3 | date: yesterday",                  RFC,                    3,      EXPIRES),
    row("Expires in the past",
        "200 | expires: @-3",                                    RFC,                    0,      EXPIRES),
    row("Expires that cannot be read is in the past",
        "200 | expires: 0",                                      RFC,                    0,      EXPIRES),
    row("the first of several Expires",
        "200 | expires: @+3 | expires: @+9",                     RFC,                    3,      EXPIRES),
    row("a tenth of the time since the last change",
        "200 | lm: @-1000",                                      RFC,                    100,    HEURISTIC),
    row("counted from Date",
        "200 | lm: @-1000 | date: @-500",                        RFC,                    50,     HEURISTIC),
    row("at most a day",
        "200 | lm: @-99999999",                                  RFC,                    86_400, HEURISTIC),
    row("changed in the future",
        "200 | lm: @+1000",                                      RFC,                    0,      HEURISTIC),
    row("changed at a time that cannot be read",
        "200 | lm: long ago",                                    RFC,                    0,      None),
    row("no heuristic for a status that does not say so",
        "302 | lm: @-1000",                                      RFC,                    0,      None),
    row("unless it is public",
        "302 | lm: @-1000 | cc: public",                         RFC,                    100,    HEURISTIC),
    row("no heuristic where Expires speaks",
        "200 | lm: @-1000 | expires: 0",                         RFC,                    0,      EXPIRES),
    row("a targeted field overrules Expires",
        "200 | cdn: public | expires: @+3",                      RFC,                    0,      None),
    row("a targeted max-age",
        "200 | cdn: max-age=5 | cc: s-maxage=60 | expires: @+3", RFC,                    5,      MAX_AGE),
    row("a dialect that does not read max-age",
        "200 | cc: max-age=5",                                   ONLY_SHARED,            0,      None),
    row("reads it in the field that is for it alone",
        "200 | cdn: max-age=5",                                  ONLY_SHARED,            5,      MAX_AGE),
    row("a targeted field without a lifetime",
        "200 | cdn: public",                                     ONLY_SHARED,            0,      None),
    row("a mark of the origin that it is stale",
        "200 | cc: s-maxage=5 | x-origin: STALE",                MARKED,                 0,      S_MAXAGE),
    row("the same in a field that is for this cache alone",
        "200 | cdn: max-age=5 | x-origin: STALE",                MARKED_SHARED,          0,      MAX_AGE),
    row("another mark",
        "200 | cc: s-maxage=5 | x-origin: HIT",                  MARKED,                 5,      S_MAXAGE),
    row("the end of freshness, said as a time",
        f"200 | x-until: @{NOW + 7}",                            UNTIL,                  7,      MAX_AGE),
    row("one that is over",
        f"200 | x-until: @{NOW - 7}",                            UNTIL,                  0,      MAX_AGE),
    row("what is given to a no-store all the same, whatever else it says",
        "200 | cc: no-store, max-age=60 | expires: @+60",        ALL_THE_SAME,           1,      DEFAULT),
    row("to private too",
        "200 | cc: private",                                     ALL_THE_SAME,           1,      DEFAULT),
    row("and to no-cache, by the status",
        "503 | cc: no-cache",                                    ALL_THE_SAME,           10,     DEFAULT),
    row("not to what forbids nothing",
        "200 | cc: max-age=60",                                  ALL_THE_SAME,           60,     MAX_AGE),
    row("nor to what forbids a field alone",
        '200 | cc: private="a", max-age=60',                     ALL_THE_SAME,           60,     MAX_AGE),
    row("nor to other statuses",
        "404 | cc: no-store, max-age=60",                        ALL_THE_SAME,           60,     MAX_AGE),
    row("what the dialect gives to a media type",
        "200 | ct: Text/CSS; charset=utf-8",                     TYPED,                  60,     DEFAULT),
    row("to all of a kind",
        "200 | ct: image/png",                                   TYPED,                  30,     DEFAULT),
    row("not to others, which get what their status gets",
        "200 | ct: text/html",                                   TYPED,                  0,      None),
    row("nor to errors",
        "404 | ct: text/css",                                    TYPED,                  5,      DEFAULT),
    row("nor to those that say something",
        "200 | ct: text/css | cc: max-age=1",                    TYPED,                  1,      MAX_AGE),
    row("what the dialect gives to those that say nothing",
        "404 | lm: x",                                           GIVING,                 10,     DEFAULT),
    row("by the class of the status",
        "503",                                                   GIVING,                 5,      DEFAULT),
    row("or to all",
        "200",                                                   GIVING,                 100,    DEFAULT),
    row("not to those that say something",
        "200 | cc: max-age=1",                                   GIVING,                 1,      MAX_AGE),
    row("what a route gives, whatever is said",
        "200 | cc: max-age=1",                                   ROUTED,                 600,    ROUTE),
    row("but for what the origin calls stale",
        "200 | x-origin: STALE",                                 ROUTED,                 0,      ROUTE),
    row("and not to errors",
        "500 | cc: max-age=1",                                   ROUTED,                 1,      MAX_AGE),
    row("no shorter than the rules allow",
        "503 | cc: max-age=1",                                   LEAST,                  9,      MAX_AGE),
    row("also for those that say nothing",
        "503",                                                   LEAST,                  9,      DEFAULT),
    row("which is for that status alone",
        "200 | cc: max-age=1",                                   LEAST,                  1,      MAX_AGE),
    row("no longer than the rules allow",
        "200 | cc: max-age=60",                                  Rules(max_lifetime=10), 10,     MAX_AGE),
    row("shorter than the rules allow",
        "200 | cc: max-age=5",                                   Rules(max_lifetime=10), 5,      MAX_AGE),
    row("another fraction and another limit",
        "200 | lm: @-1000",                                      Rules(heuristic_fraction=0.5, heuristic_max=400),
                                                                                         400,    HEURISTIC),
]  # fmt: skip


@pytest.mark.parametrize(("response", "rules", "lifetime", "source"), LIFETIMES)
def test_lifetime(response: str, rules: Rules, lifetime: float, source: LifetimeSource | None) -> None:
    found = of(response, rules)
    assert (found.lifetime, found.source) == (lifetime, source)


AGES = [
    #                                       response                                     took age
    row("nothing says one",                 "200 | cc: max-age=60",                      0,  0),
    row("the time it took",                 "200 | cc: max-age=60",                      2,  2),
    row("Age",                              "200 | cc: max-age=60 | age: 5",             0,  5),
    row("Age and the time it took",         "200 | cc: max-age=60 | age: 5",             2,  7),
    row("Date in the past",                 "200 | cc: max-age=60 | date: @-9",          0,  9),
    row("Date in the future",               "200 | cc: max-age=60 | date: @+9",          0,  0),
    row("Date younger than Age",            "200 | cc: max-age=60 | date: @-5 | age: 9", 0,  9),
    row("Date older than Age",              "200 | cc: max-age=60 | date: @-9 | age: 5", 2,  9),
    row("Date that cannot be read",         "200 | cc: max-age=60 | date: x",            0,  0),
    row("a clock that went back meanwhile", "200 | cc: max-age=60",                      -5, 0),
    row("an enormous Age",                  "200 | cc: max-age=60 | age: 99999999999",   0,  2**31),
    row("Age that cannot be read: stale",   "200 | cc: max-age=60 | age: 5;a=1",         0,  60),
    row("a negative Age: stale",            "200 | cc: max-age=60 | age: -5",            0,  60),
    row("a list of Ages: stale",            "200 | cc: max-age=60 | age: 0, 0",          0,  60),
    row("several Ages: stale",              "200 | cc: max-age=60 | age: 0 | age: 0",    0,  60),
]  # fmt: skip


@pytest.mark.parametrize(("response", "took", "age"), AGES)
def test_age_on_arrival(response: str, took: float, age: float) -> None:
    assert of(response, took=took).age(NOW) == age


def test_an_age_that_does_not_count() -> None:
    assert of("200 | cc: max-age=60 | age: 9 | date: @-9", Rules(age_counts=False), took=5).age(NOW) == 0


WINDOWED = Rules(default_stale_while_revalidate=7, default_stale_if_error=8)
WITHOUT_ERRORS = Rules(stale_if_error_honoured=False, default_stale_if_error=8)

WITHOUT_REFRESH = Rules(stale_while_revalidate_honoured=False, default_stale_while_revalidate=8)
BARRED = Rules(stale_while_revalidate_barred_by=frozenset({"s-maxage"}))
COVERING = Rules(stale_while_revalidate_covers_errors=True)
COVERING_ONLY = Rules(stale_while_revalidate_covers_errors=True, stale_while_revalidate_honoured=False)
NO_ERRORS = Rules(default_stale_if_error=8, stale_if_error_barred_by=frozenset({"s-maxage"}))
WITHOUT_DEFAULT = Rules(default_stale_if_error=8, default_stale_if_error_barred_by=frozenset({"s-maxage"}))

ROUTED_WINDOWS = Rules(of_route=RouteRules(stale_while_revalidate=9, stale_if_error=7))
WINDOWS = [
    #   control                                                        rules                      revalidate on_error
    row("nothing said, nothing given",
        "max-age=1",                                                   RFC,                       0,  0),
    row("both said",
        "stale-while-revalidate=5, stale-if-error=6",                  RFC,                       5,  6),
    row("nothing said, the rules give some",
        "max-age=1",                                                   WINDOWED,                  7,  8),
    row("what is said precedes the rules",
        "stale-while-revalidate=0, stale-if-error=0",                  WINDOWED,                  0,  0),
    row("said without a number",
        "stale-while-revalidate, stale-if-error",                      RFC,                       60, 60),
    row("the rules say which number",
        "stale-while-revalidate",                                      Rules(valueless_window=9), 9,  0),
    row("must-revalidate forbids both",
        "must-revalidate, stale-while-revalidate=5, stale-if-error=6", WINDOWED,                  0,  0),
    row("proxy-revalidate forbids both",
        "proxy-revalidate, stale-while-revalidate=5",                  WINDOWED,                  0,  0),
    row("no-cache forbids both",
        "no-cache, stale-if-error=6",                                  WINDOWED,                  0,  0),
    row("a dialect without stale-if-error",
        "stale-while-revalidate=5, stale-if-error=6",                  WITHOUT_ERRORS,            5,  0),
    row("a dialect without stale-while-revalidate",
        "stale-while-revalidate=5, stale-if-error=6",                  WITHOUT_REFRESH,           0,  6),
    row("one that some directives bar from it",
        "s-maxage=1, stale-while-revalidate=5",                        BARRED,                    0,  0),
    row("and others do not",
        "max-age=1, stale-while-revalidate=5",                         BARRED,                    5,  0),
    row("one whose window covers errors too",
        "max-age=1, stale-while-revalidate=5",                         COVERING,                  5,  5),
    row("also where nobody is served stale meanwhile",
        "max-age=1, stale-while-revalidate=5",                         COVERING_ONLY,             0,  5),
    row("one that some directives bar from its default",
        "s-maxage=1",                                                  WITHOUT_DEFAULT,           0,  0),
    row("and others do not",
        "max-age=1",                                                   WITHOUT_DEFAULT,           0,  8),
    row("nor do they where it is said by name",
        "s-maxage=1, stale-if-error=6",                                WITHOUT_DEFAULT,           0,  6),
    row("one that some directives bar from errors",
        "s-maxage=1, stale-if-error=6",                                NO_ERRORS,                 0,  0),
    row("also by default",
        "s-maxage=1",                                                  NO_ERRORS,                 0,  0),
    row("and others do not, by name",
        "max-age=1, stale-if-error=6",                                 NO_ERRORS,                 0,  6),
    row("a route's, whatever is said",
        "must-revalidate, stale-while-revalidate=5",    ROUTED_WINDOWS,           9,  7),
    row("one of them, and the other as it is said",
        "max-age=1, stale-while-revalidate=5",          Rules(of_route=RouteRules(stale_if_error=7)), 5, 7),
    row("has no default of it either",
        "max-age=1",                                                   WITHOUT_ERRORS,            0,  0),
]  # fmt: skip


@pytest.mark.parametrize(("control", "rules", "revalidate", "on_error"), WINDOWS)
def test_stale_windows(control: str, rules: Rules, revalidate: int, on_error: int) -> None:
    found = of(f"200 | cc: {control}", rules)
    assert (found.stale_while_revalidate, found.stale_if_error) == (revalidate, on_error)


MOMENTS = [
    #                                                       after age ttl fresh within
    row("at once",                                          0,   0,  10, True,  True),
    row("the last second of its life",                      9,   9,  1,  True,  True),
    row("its lifetime is over when its age has reached it", 10,  10, 0,  False, True),
    row("the last second of the window",                    14,  14, -4, False, True),
    row("the window is closed",                             15,  15, -5, False, False),
    row("a clock that went back cannot make it younger",    -99, 0,  10, True,  True),
]  # fmt: skip


@pytest.mark.parametrize(("after", "age", "ttl", "fresh", "within"), MOMENTS)
def test_moments(after: float, age: float, ttl: float, fresh: bool, within: bool) -> None:
    found = Freshness(NOW, 10)
    assert (found.age(NOW + after), found.ttl(NOW + after)) == (age, ttl)
    assert (found.is_fresh(NOW + after), found.within(5, NOW + after)) == (fresh, within)
