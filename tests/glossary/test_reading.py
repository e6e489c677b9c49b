"""Headers that somebody pastes, read in the dialects that come with Swerve and in one that is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.decisions import Result
from app.core.reasons import Reason
from app.dialects import dialect_names, load_dialect
from app.glossary.reading import Explained, Glossary, Reading
from app.glossary.rfc import cache_status, directives

# A CDN with lists in both orders, a sentence around its words, counters, ids, debugging, and a code for errors.
MADE_UP = """
name = "nimbus"
as_of = "2026-11"

[speech]
server = "Nimbus"
via = "nimbus"
hidden = ["Nimbus-Control", "Nimbus-Secret"]

[speech.fields.x-sky]
value = "{word} from {node}.sky.example (Nimbus/22.6.1-0) (-)"
asked_by = [{ field = "X-Sky-Debug" }]

[speech.fields.x-sky.words]
hit = "TCP_HIT"
stale = "TCP_REFRESH_FAIL_HIT"
miss = "TCP_MISS"
expired = "TCP_MISS"
renewed = "TCP_MISS"
revalidated = "TCP_REFRESH_HIT"
nostore = "TCP_MISS"
pass = "TCP_MISS"
error = "TCP_MISS"

[speech.fields.x-sky.meanings]
TCP_DENIED = "a rule of the operator refused the request"
TCP_HIT = "from the disk"

[speech.fields.x-tiers]
beside = "append"

[speech.fields.x-tiers.words]
hit = "HIT"
stale = "HIT"
miss = "MISS"
expired = "MISS"
renewed = "MISS"
revalidated = "HIT"
nostore = "MISS"
pass = "MISS"
error = "MISS"

[speech.fields.x-child-first]
beside = "prepend"

[speech.fields.x-child-first.words]
hit = "Hit"
stale = "HitStale"
miss = "Miss"
expired = "Miss"
renewed = "Miss"
revalidated = "RefreshHit"
nostore = "Miss"
pass = "NotCacheable"
error = "Error"

[speech.fields.x-tiers-hits]
value = "{hits}"
beside = "append"

[speech.fields.x-numbers]
value = "{word}"

[speech.fields.x-numbers.words]
hit = "{number} {filled_by}"
stale = "{number} {filled_by}"
miss = "{number}"
expired = "{number}"
renewed = "{number}"
revalidated = "{number} {filled_by}"
nostore = "{number}"
pass = "{number}"
error = "{number}"

[speech.fields.x-took]
value = "S{seconds}.{micros},VS0,VE{elapsed}"

[speech.fields.x-eligible.words]
hit = "WARM"
stale = "WARM"
miss = "COLD"
expired = "COLD"
renewed = "COLD"
revalidated = "WARM"
nostore = "BYPASS"
pass = "DYNAMIC"
error = ""

[speech.identity]
name = "Nimbus-Ray"
template = "9a4c{random}-{region}"
region = "XYZ"

[speech.error]
name = "Nimbus-Error"
otherwise = "E0"
codes = { connection_refused = "E1", dns_error = "E1", loop = "E2" }

[rules]
governing = [
    { field = "Nimbus-Control", syntax = "cache-control" },
    { field = "CDN-Cache-Control", syntax = "structured" },
]
extensions = ["css", "js"]
tags = [{ field = "Nimbus-Tag" }]
"""


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Glossary:
    path: Path = tmp_path_factory.mktemp("dialects") / "nimbus.toml"
    path.write_text(MADE_UP)
    return Glossary([load_dialect(str(path))])


@pytest.fixture(scope="module")
def shipped() -> Glossary:
    return Glossary([load_dialect(name) for name in dialect_names()])


def only(explained: Explained) -> Reading:
    assert explained.known
    (reading,) = explained.readings
    return reading


def results(reading: Reading) -> set[Result]:
    return {sense.result for sense in reading.senses}


def causes(reading: Reading) -> set[Reason]:
    return {cause.reason for sense in reading.senses for cause in sense.causes}


def test_a_word_for_requests_that_are_not_eligible_names_why(made_up: Glossary) -> None:
    """The CDN of the test stores by the path's ending, as some do."""
    reading = only(made_up.explained("X-Eligible", "DYNAMIC"))
    assert results(reading) == {Result.PASS}
    assert {Reason.REQUEST_EXTENSION, Reason.METHOD} <= causes(reading)
    assert Reason.SET_COOKIE not in causes(reading)
    assert Reason.SET_COOKIE in causes(only(made_up.explained("x-eligible", "BYPASS")))


@pytest.mark.parametrize(("value", "word", "exact", "found"), [
    ("TCP_REFRESH_FAIL_HIT from a.sky.example (Nimbus/22.6.1-0) (-)", "TCP_REFRESH_FAIL_HIT", True, {Result.STALE}),
    ("TCP_REFRESH_FAIL_HIT from b.sky.example (Nimbus/9.10-0) (-)", "TCP_REFRESH_FAIL_HIT", True, {Result.STALE}),
    ("TCP_REFRESH_FAIL_HIT from a23-50.else.example (Other) (S)", "TCP_REFRESH_FAIL_HIT", False, {Result.STALE}),
    ("tcp_refresh_hit", "TCP_REFRESH_HIT", False, {Result.REVALIDATED}),
    ("TCP_DENIED from a.sky.example", "TCP_DENIED", False, set()),
])  # fmt: skip
def test_a_word_in_a_sentence(made_up: Glossary, value: str, word: str, exact: bool, found: set[Result]) -> None:
    reading = only(made_up.explained("x-sky", value))
    assert (reading.word, reading.exact, results(reading)) == (word, exact, found)


def test_what_the_cdn_says_of_its_words_is_told(made_up: Glossary) -> None:
    assert only(made_up.explained("x-sky", "TCP_DENIED")).meaning == "a rule of the operator refused the request"
    hit = only(made_up.explained("x-sky", "TCP_HIT"))
    assert (hit.meaning, results(hit)) == ("from the disk", {Result.HIT})


@pytest.mark.parametrize(("name", "value", "read"), [
    ("x-tiers", "MISS, HIT", [("MISS", "the nearest to the origin"), ("HIT", "the nearest to you")]),
    ("x-tiers", "MISS, MISS, HIT",
     [("MISS", "the nearest to the origin"), ("MISS", "between"), ("HIT", "the nearest to you")]),
    ("x-tiers", "HIT", [("HIT", "")]),
    ("x-child-first", "Hit, Miss", [("Hit", "the nearest to you"), ("Miss", "the nearest to the origin")]),
    ("x-tiers-hits", "0, 2", [("0", "the nearest to the origin"), ("2", "the nearest to you")]),
])  # fmt: skip
def test_whose_element_it_is(made_up: Glossary, name: str, value: str, read: list[tuple[str, str]]) -> None:
    explained = made_up.explained(name, value)
    assert [(one.text, one.place) for one in explained.readings] == read


@pytest.mark.parametrize(("name", "value", "slots"), [
    ("x-tiers-hits", "7", {"hits": "7"}),
    ("x-numbers", "32770", {"number": "32770"}),
    ("x-numbers", "32770 3", {"number": "32770", "filled_by": "3"}),
    ("x-took", "S1415969775.123456,VS0,VE48", {"seconds": "1415969775", "micros": "123456", "elapsed": "48"}),
])  # fmt: skip
def test_numbers_and_ids(made_up: Glossary, name: str, value: str, slots: dict[str, str]) -> None:
    reading = only(made_up.explained(name, value))
    assert (reading.slots, reading.exact) == (slots, True)


def test_two_numbers_are_a_hit_and_one_is_none(made_up: Glossary) -> None:
    assert results(only(made_up.explained("x-numbers", "5 3"))) == {Result.HIT, Result.STALE, Result.REVALIDATED}
    assert Result.HIT not in results(only(made_up.explained("x-numbers", "5")))


@pytest.mark.parametrize(("name", "value", "said"), [
    ("nimbus-ray", "8f1e2d3c4b5a6978-LHR", "random: 8f1e2d3c4b5a6978; region: LHR"),
    ("nimbus-ray", "what else", "a name for this one request"),
    ("nimbus-error", "E2", "been through this Swerve before"),
    ("nimbus-error", "e1", "connection refused, or dns error"),
    ("nimbus-error", "E0", "no answer that could be used"),
    ("server", "nimbus", "come through it"),
    ("via", "1.1 a, 1.1 nimbus", "come through it"),
    ("nimbus-control", "max-age=1", "governs in place of Cache-Control; consumed"),
    ("cdn-cache-control", "max-age=1", "unless nimbus-control is there; passed on"),
    ("nimbus-tag", "a", "tags"),
    ("nimbus-secret", "a", "no client sees it"),
])  # fmt: skip
def test_what_else_a_field_is_to_a_dialect(made_up: Glossary, name: str, value: str, said: str) -> None:
    assert said in only(made_up.explained(name, value)).meaning


@pytest.mark.parametrize(("name", "value"), [("nimbus-error", "E9"), ("server", "other"), ("x-eligible", "nothing")])
def test_what_nobody_says(made_up: Glossary, name: str, value: str) -> None:
    explained = made_up.explained(name, value)
    assert not explained.known
    assert explained.readings == ()


def test_the_nearest_word_and_the_nearest_name(made_up: Glossary) -> None:
    assert made_up.explained("x-eligible", "DYNAMICS").near == ("DYNAMIC",)
    assert made_up.explained("x-eligible", "?").words == {"nimbus": ("WARM", "COLD", "BYPASS", "DYNAMIC")}
    assert made_up.explained("x-eligibel", "WARM").near == ("x-eligible",)


def test_a_name_alone_lists_its_words(made_up: Glossary) -> None:
    explained = made_up.explained("x-eligible", "")
    assert explained.known
    assert explained.words == {"nimbus": ("WARM", "COLD", "BYPASS", "DYNAMIC")}
    assert made_up.explained("x-took", "").words == {"nimbus": ("S{seconds}.{micros},VS0,VE{elapsed}",)}


ASKED = {Result.MISS, Result.NOSTORE, Result.PASS, Result.RENEWED}
SERVED = {Result.HIT, Result.STALE, Result.REVALIDATED}
REAL = [
    ("x-vercel-cache: PRERENDER", "vercel", {Result.HIT}, "static storage"),
    ("x-vercel-cache: REVALIDATED", "vercel", {Result.RENEWED}, "deleted"),
    ("x-vercel-cache: BYPASS", "vercel", {Result.PASS}, ""),
    ("x-nextjs-cache: STALE", "nextjs", {Result.STALE}, ""),
    ('cache-status: "Netlify Edge"; fwd=miss', "netlify", ASKED, ""),
    ("cache-status: proxy.example;hit;detail=match", "squid", SERVED, ""),
    ("x-cache-status: UPDATING", "nginx", set(), "use_stale updating"),
    ("x-cache-status: REVALIDATED", "nginx", {Result.REVALIDATED}, ""),
    ("cf-cache-status: DYNAMIC", "cloudflare", {Result.PASS}, ""),
    ("cf-cache-status: UPDATING", "cloudflare", {Result.STALE}, ""),
    ("x-cache: TCP_REFRESH_FAIL_HIT from a23-50-51-39.deploy.akamaitechnologies.com (AkamaiGHost/22.6.1-..) (-)",
     "akamai", {Result.STALE}, ""),
    ("x-cache: TCP_HIT from a23-50-51-39.deploy.akamaitechnologies.com (AkamaiGHost/22.6.1-..) (-)",
     "akamai", set(), "from the disk"),
    ("x-cache: RefreshHit from cloudfront", "cloudfront", {Result.REVALIDATED}, ""),
    ("x-cache: Redirect from cloudfront", "cloudfront", set(), "HTTPS"),
    ("x-amz-cf-pop: LHR62-C5", "cloudfront", set(), ""),
    ("x-cache: PRIVATE_NOSTORE", "azure", {Result.NOSTORE}, ""),
    ("x-cache: TCP_REMOTE_HIT", "azure", set(), "region"),
    ("x-azure-originstatuscode: 404", "azure", ASKED | SERVED - {Result.HIT} | {Result.EXPIRED}, ""),
    ("x-cache-status: uncacheable", "google", {Result.NOSTORE, Result.PASS}, ""),
    ("via: http/1.1 a (ApacheTrafficServer/9.2.5 [uScHs f p eN:t cCHp s ])", "trafficserver", {Result.HIT}, ""),
    ("via: http/1.1 a (ApacheTrafficServer/9.2.5 [cHs f ])", "trafficserver", set(), "a hit"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "dialect", "found", "meaning"), REAL, ids=[row[0] for row in REAL])
def test_real_headers(shipped: Glossary, line: str, dialect: str, found: set[Result], meaning: str) -> None:
    name, _, value = line.partition(": ")
    reading = only(shipped.explained(name, value))
    assert (reading.dialect, results(reading)) == (dialect, found)
    assert meaning in reading.meaning


def test_every_word_of_every_dialect_is_read_as_its_own(shipped: Glossary) -> None:
    for dialect in shipped.dialects:
        for field in dialect.fields:
            for result, word in field.words.items():
                if word and "{" not in field.value.replace("{word}", word):
                    value = field.value.replace("{word}", word)
                    readings = [
                        one for one in shipped.explained(field.name, value).readings if one.dialect == dialect.name
                    ]
                    assert result in {found for one in readings for found in results(one)}, (dialect.name, value)


def test_members_of_cache_status_are_told_from_the_origin_on() -> None:
    first, second = '"Next.js"; hit', "Durable; fwd=miss; fwd-status=304; stored; ttl=60; collapsed"
    assert list(cache_status(f"{first}, {second}, swerve; hit; ttl=-5; detail=fresh")) == [
        "Next.js (cache 1 of 3, the nearest to the origin): answered from what it had stored",
        "Durable (cache 2 of 3, between): asked the next one, for nothing that was stored could be used; "
        "which answered 304; and stored the answer; fresh for 1m00s more; waited for somebody else's fetch",
        "swerve (cache 3 of 3, the nearest to you): answered from what it had stored; stale for 5 s; "
        "fresh, which means: stored and fresh [RFC 9111 §4.2]",
    ]


@pytest.mark.parametrize(("value", "said"), [
    ("a", "a: says nothing of it"),
    ("a; hit=?0", "a: says nothing of it"),
    ("a; fwd=bypass; stored=?0; collapsed=?0", "a: asked the next one, for it is set up not to handle such requests; "
     "and did not store the answer; could not use somebody else's fetch"),
    ('a; key="GET /; b"; detail=OTHER', "a: under the key GET /; b; in its own words: OTHER"),
    ("a; fwd=later", "a: asked the next one, for a reason that RFC 9211 does not know, later"),
    ("swerve; detail=unheard-of", "swerve: in its own words: unheard-of"),
    ("a; ttl=soon; x=1", "a: ttl=soon; x=1"),
])  # fmt: skip
def test_a_member_of_cache_status(value: str, said: str) -> None:
    assert list(cache_status(value)) == [said]


def test_directives_that_are_known_are_told() -> None:
    assert list(directives('public, s-maxage=300, foo=1, No-Cache="a, b", max-age=x')) == [
        "public: shared caches may keep it, also where the request had Authorization",
        "s-maxage=300: fresh for 5m00s in shared caches, whatever max-age says",
        'No-Cache="a, b": may be kept, but every use has to be confirmed by the origin',
        "max-age=x: fresh for a while, in browsers too",
    ]
