"""One contract over every dialect file, and a CDN that nobody has heard of."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app.config_error import ConfigError
from app.core.decisions import Result, Verdict
from app.core.dialect import ClientCacheControl, speak
from app.core.governing import Governing, Syntax
from app.core.messages import Headers, Request, Response
from app.core.reasons import Reason
from app.core.rules import OF_A_ROUTE, LifetimeSource, Ranges, Rules, SetCookie
from app.core.speech import LATE, About
from app.dialects import CONFIG, dialect_names, load_dialect
from app.records import read_toml

FILES = sorted((CONFIG / "dialects").glob("*.toml"))
VALUE = re.compile(r"(?:[\w-]+ = |\{ |\")")
every_dialect = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_the_names_are_those_of_the_files() -> None:
    assert dialect_names() == [path.stem for path in FILES]
    assert {"standard", "vercel"} <= set(dialect_names())


REQUEST = Request("GET", "http", "a", "/", Headers(), identity="1-XYZ")


@every_dialect
def test_it_loads_under_its_name(path: Path) -> None:
    dialect = load_dialect(path.stem)
    assert dialect.name == path.stem
    assert re.fullmatch(r"20\d\d-\d\d", dialect.as_of)
    assert dialect.sources
    assert dialect == load_dialect(str(path))


@every_dialect
def test_it_has_one_word_for_each_result(path: Path) -> None:
    for field in load_dialect(path.stem).fields:
        assert set(field.words) in (set(Result), set())
        assert all(word.isascii() and word.isprintable() for word in field.words.values())


@every_dialect
@pytest.mark.parametrize("result", Result)
def test_it_speaks_of_every_result(path: Path, result: Result) -> None:
    dialect = load_dialect(path.stem)
    spoken = speak(dialect, About(REQUEST, Response(200, Headers()), Verdict(result, Reason.FRESH, "GET http a /")))
    for field in dialect.fields:
        if field.words and field.value == "{word}" and not field.asked_by:
            said, word = spoken.headers.get(field.name), field.word(Verdict(result, Reason.FRESH, ""), 200)
            if "{" in word:
                assert said is not None
                assert "{" not in said, "its slots are filled, or will be when it leaves"
            else:
                assert said == (word or None)


@every_dialect
def test_the_identity_can_be_filled_in(path: Path) -> None:
    identity = load_dialect(path.stem).identity
    if identity is not None:
        filled = identity.template.format(region=identity.region, node="abcde", millis=1, random="0123456789ab")
        assert filled.isascii()


@every_dialect
def test_it_does_not_hide_what_others_must_see(path: Path) -> None:
    dialect = load_dialect(path.stem)
    shown = {"cache-control", "etag", "vary", "date", "content-type", "location", "set-cookie"}
    if dialect.rules.set_cookie is SetCookie.STRIP:  # then nobody is to get one
        shown -= {"set-cookie"}
    assert dialect.hidden.isdisjoint(shown)
    assert dialect.stripped_from_requests.isdisjoint({"host", "cookie", "authorization", "rsc"})


@every_dialect
def test_page_data_and_pages_are_kept_apart(path: Path) -> None:
    assert "rsc" in load_dialect(path.stem).rules.key_headers


@every_dialect
def test_every_value_says_where_it_is_from(path: Path) -> None:
    body = path.read_text(encoding="utf-8").partition("\n[speech]\n")[2]
    # Rows of a list that goes over several lines each carry their own comment; so do its brackets' neighbours.
    for line in body.splitlines():
        if VALUE.match(line.strip()) and not line.endswith("= ["):
            assert "# " in line, line


@every_dialect
def test_no_knob_is_left_to_its_default(path: Path) -> None:
    table = read_toml(path)["rules"]
    knobs = {knob.name for knob in fields(Rules)} - {OF_A_ROUTE}
    if "heuristic" not in table["lifetime_from"]:
        knobs -= {"heuristic_fraction", "heuristic_max"}
    if not any(one["syntax"] == "surrogate" for one in table["governing"]):
        knobs -= {"device"}
    assert knobs - table.keys() == set()


@every_dialect
def test_it_says_what_it_is_and_what_it_is_not(path: Path) -> None:
    dialect = load_dialect(path.stem)
    assert dialect.about
    assert dialect.notes
    for note in dialect.notes:
        assert note.what
        assert note.why
        assert note.source


MADE_UP = """
name = "nimbus"
as_of = "2026-11"
sources = ["made up"]

[speech]
cache_status = false
server = "Nimbus"
hidden = ["Nimbus-Control"]
stripped_from_requests = ["X-Nimbus-Admin"]
client_cache_control = "strip-shared"

[speech.announced]
Surrogate-Capability = 'nimbus="Surrogate/1.0"'

[speech.fields.Nimbus-Cache.words]
hit = "warm"
stale = "lukewarm"
miss = "cold"
expired = "cold"
renewed = "cold"
revalidated = "warm"
nostore = "cold"
pass = "none"
error = "none"

[speech.identity]
name = "Nimbus-Ray"
template = "{millis}-{region}"
region = "XYZ"

[speech.error]
name = "Nimbus-Error"
otherwise = "E0"
codes = { connection_refused = "E1", loop = "E2" }

[rules]
governing = [{ field = "Nimbus-Control", syntax = "cache-control" }]
lifetime_from = ["max-age", "expires"]
statuses = [200]
set_cookie = "refuse"
ranges = "bypass"
heuristic_fraction = 0
max_lifetime = false
"""


def test_a_made_up_cdn_needs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "nimbus.toml"
    path.write_text(MADE_UP)
    dialect = load_dialect(str(path), {"set_cookie": "store"})
    assert dialect.cache_status is None
    assert dialect.announced == (("surrogate-capability", 'nimbus="Surrogate/1.0"'),)
    assert dialect.hidden == {"nimbus-control"}
    assert dialect.stripped_from_requests == {"x-nimbus-admin"}
    assert dialect.client_cache_control is ClientCacheControl.STRIP_SHARED
    assert dialect.error is not None
    assert dialect.error.codes == {"connection_refused": "E1", "loop": "E2"}
    rules = dialect.rules
    assert rules.governing == (Governing("nimbus-control", Syntax.CACHE_CONTROL),)
    assert rules.lifetime_from == (LifetimeSource.MAX_AGE, LifetimeSource.EXPIRES)
    assert rules.statuses == frozenset({200})
    assert rules.set_cookie is SetCookie.STORE
    assert rules.ranges is Ranges.BYPASS
    assert rules.heuristic_fraction == 0.0
    assert rules.max_lifetime is None
    spoken = speak(dialect, About(REQUEST, Response(200, Headers()), Verdict(Result.STALE, Reason.EXPIRED, "k")))
    assert spoken.headers.get("nimbus-cache") == "lukewarm"
    assert spoken.headers.get("nimbus-ray") == f"{LATE['identity']}"
    assert spoken.headers.get("server") == "Nimbus"
    assert "cache-status" not in spoken.headers


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "nimbus"',            "",                          ["name is missing"]),
        ('name = "nimbus"',            "name = 1",                  ["name = 1", "text in quotes"]),
        ('as_of = "2026-11"',          'asof = "2026-11"',          ["asof is unknown", "did you mean as_of?"]),
        ('sources = ["made up"]',      'sources = "made up"',       ["sources = 'made up' is no list"]),
        ('server = "Nimbus"',          "server = true",             ["speech.server = True", "text in quotes"]),
        ('server = "Nimbus"',          'sever = "Nimbus"',          ["speech: sever", "did you mean server?"]),
        ('"strip-shared"',             '"strip"',                   ["client_cache_control = 'strip'", "strip-shared"]),
        ('hidden = ["Nimbus-Control"]', 'hidden = ["Nim bus"]',     ["speech.hidden", "'Nim bus' is no field name"]),
        ('hidden = ["Nimbus-Control"]', "hidden = [1]",             ["speech.hidden = 1", "text in quotes"]),
        ('stale = "lukewarm"\n',       "",                          ["Nimbus-Cache.words", "stale is missing"]),
        ('pass = "none"',              'passed = "none"',           ["passed is unknown", "did you mean pass?"]),
        ('miss = "cold"',              "miss = 1",                  ["miss = 1", "text in quotes"]),
        ('template = "{millis}-{region}"', 'template = "{milis}"',  ["identity.template", "did you mean millis?"]),
        ('template = "{millis}-{region}"', 'template = "{"',        ["identity.template", "brace"]),
        ('template = "{millis}-{region}"', "",                      ["identity.template is missing"]),
        ("loop =",                     "lop =",                     ["error.codes", "did you mean loop?"]),
        ('syntax = "cache-control"',   'syntax = "structure"',      ["governing.syntax", "did you mean structured?"]),
        (', syntax = "cache-control"', "",                          ["governing.syntax is missing"]),
        ("statuses = [200]",           "statuses = 200",            ["statuses = 200 is no list", "write [200]"]),
        ("statuses = [200]",           'statuses = ["200"]',        ["statuses = '200'", "a whole number"]),
        ('lifetime_from = ["max-age", "expires"]', 'lifetime_from = ["maxage"]', ["'maxage'", "max-age?"]),
        ("heuristic_fraction = 0",     "heuristic_fraction = -1",   ["heuristic_fraction = -1", "a number from 0"]),
        ("max_lifetime = false",       "max_lifetime = true",       ["max_lifetime = True", "a whole number"]),
        ("max_lifetime = false",       "max_lifetyme = 1",          ["max_lifetyme", "did you mean max_lifetime?"]),
        ("statuses = [200]",           'ignored_directives = ["nostore"]', ["ignored_directives", "no-store?"]),
        ("statuses = [200]", 'ignored_directives = ["private"]',
         ["says private would", "Authorization, Cookie;"]),
        ("statuses = [200]", 'forbidden_lifetimes = { "*" = 1 }',
         ["no-store or private would", "Cookie;"]),
        ("statuses = [200]",           'default_lifetimes = { 4x4 = 1 }', ["default_lifetimes", "'4x4' is no status"]),
        ("statuses = [200]",           'default_lifetimes_by_type = { css = 1 }', ["'css' is no media type"]),
        ("statuses = [200]",           'ignored_request_directives = ["nocache"]', ["ignored_request", "no-cache?"]),
        ("statuses = [200]",           'default_stale_if_error_barred_by = ["smaxage"]', ["barred_by", "s-maxage?"]),
        ('sources = ["made up"]',      'notes = [{ kind = "x" }]',  ["notes.kind = 'x' is unknown", "unconfirmed"]),
        ('sources = ["made up"]',      'notes = [{ kind = "choice" }]', ["notes.what is missing"]),
        ("[rules]",                    '[speech.fields.a]\nby_status = { "4x4" = "1" }\n[rules]', ["'4x4' is no"]),
        ("[rules]",                    '[speech.fields.a]\nby_status = { "hot 404" = "1" }\n[rules]', ["mean hit?"]),
        ('nimbus="Surrogate/1.0"',     "{clent}",                   ["speech.announced", "did you mean client?"]),
        ("[rules]",                    "[speech.client_lifetime]\nleast = -1\n[rules]", ["client_lifetime.least"]),
        ("statuses = [200]",           'stale_if_error_barred_by = ["smaxage"]', ["if_error_barred", "s-maxage?"]),
        ('hit = "warm"',               'hit = "{wrm}"',             ["'{wrm}'", "wrm is unknown"]),
        ('hit = "warm"',               'hit = "{word}"',            ["'{word}'", "word is unknown"]),
        ("statuses = [200]",           'least_lifetimes = { 404 = "1" }', ["least_lifetimes.404", "a whole number"]),
        ("[rules]",                    "[rule]",                    ["rule is unknown", "did you mean rules?"]),
        ("[rules]",                    "rules = ",                  ["is not TOML"]),
    ],
)  # fmt: skip
def test_mistakes_name_the_file_the_key_and_the_fix(tmp_path: Path, old: str, new: str, told: list[str]) -> None:
    path = tmp_path / "nimbus.toml"
    assert old in MADE_UP
    path.write_text(MADE_UP.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_dialect(str(path))
    for words in [str(path), *told]:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"rangs": "serve"},        "swerve.toml: rules: rangs is unknown; did you mean ranges?"),
        ({"ranges": "serv"},        "swerve.toml: rules.ranges = 'serv' is unknown; did you mean serve?"),
        ({"of_route": {}},          "swerve.toml: rules: of_route is unknown;"),
        ({"governing": [1]},        "swerve.toml: rules.governing = 1 is no table"),
        ({"ignored_directives": ["no-store"]},
         "swerve.toml: rules: what says no-store would be given to everybody, while the origin sees Authorization, "
         'Cookie, POST; write authorization = "bypass", cookies = "bypass", store_post = false, or obey it'),
        ({"forbidden_lifetimes": {"200": 1}, "cookies": "bypass", "authorization": "remove", "store_post": False,
          "query": "drop"},
         'no-store or private would be given to everybody, while the origin sees the query; write query = "withhold"'),
    ],
)  # fmt: skip
def test_mistakes_in_overrides_name_their_place(overrides: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        load_dialect("standard", overrides, "swerve.toml: rules")


@pytest.mark.parametrize(
    ("dialect", "overrides", "told"),
    [
        ("cloudfront", {"ignored_directives": ["private", "no-store"]}, None),
        ("cloudfront", {"query": "drop"},                               "sees the query;"),
        ("cloudfront", {"authorization": "rfc"},                        "sees Authorization;"),
        ("fastly",     {"vary_star": True},                             None),
        ("fastly",     {"ignored_directives": ["private"]},             "says private would"),
        ("fastly",     {"query": "drop"},                               "no-store would be given to everybody"),
        ("standard",   {"ignored_directives": ["no-cache"]},            None),
    ],
)  # fmt: skip
def test_rules_share_no_more_of_what_is_for_one_client_than_the_dialect(
    dialect: str, overrides: dict[str, Any], told: str | None
) -> None:
    if told is None:
        load_dialect(dialect, overrides)
        return
    with pytest.raises(ConfigError, match=re.escape(told)):
        load_dialect(dialect, overrides)


def test_vercel_never_claims_what_it_cannot_earn() -> None:
    for field in load_dialect("vercel").fields:
        if field.name == "x-vercel-cache":
            assert set(field.words.values()) == {"HIT", "STALE", "MISS", "REVALIDATED", "BYPASS"}
            assert [result for result, word in field.words.items() if word == "REVALIDATED"] == [Result.RENEWED]
