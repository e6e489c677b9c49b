"""`[[routes]]` of swerve.toml: what each key means for the rules, and messages that say what to write instead."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.config_error import ConfigError
from app.core.routing import Route
from app.core.rules import Authorization, Cookies, Query, RouteRules, Rules, SetCookie
from app.core.tags import TagField
from app.route_keys import YEAR
from app.routes import load_routes
from app.settings import load_settings

BASE = Rules(
    store_post=True,
    key_headers=("rsc",),
    extensions=frozenset({"css"}),
    ignored_directives=frozenset({"must-revalidate"}),
    bypass_cookies=frozenset({"draft"}),
    vary_denied=frozenset({"cookie", "user-agent"}),
)
MADE_STATIC = replace(
    BASE,
    query=Query.DROP,
    extensions=None,
    cookies=Cookies.IGNORE,
    authorization=Authorization.IGNORE,
    set_cookie=SetCookie.STRIP,
    store_post=False,
    vary_star=False,
    vary_denied=frozenset({"user-agent"}),
    ignored_directives=frozenset({"must-revalidate", "no-store", "no-cache", "private"}),
    of_route=RouteRules(anonymous=True, lifetime=YEAR),
)


def of(text: str, rules: Rules = BASE) -> Route:
    (route,) = load_routes([tomllib.loads(f"path = '/a/*'\n{text}")], rules, "swerve.toml: routes")
    return route


def own(**said: Any) -> Rules:
    return replace(BASE, of_route=RouteRules(**said))


MEANINGS = [
    ("",                                              BASE),
    ("dynamic = 'auto'",                              BASE),
    ("dynamic = 'force-dynamic'",                     own(dynamic=True)),
    ("dynamic = 'error'",                             own(must_be_static=True)),
    ("dynamic = 'force-static'",                      MADE_STATIC),
    ("dynamic = 'force-static'\nrevalidate = 60",
        replace(MADE_STATIC, of_route=RouteRules(anonymous=True, lifetime=60))),
    ("dynamic = 'force-static'\nkeep_parameters = ['b']",
        replace(MADE_STATIC, of_route=RouteRules(anonymous=True, lifetime=YEAR, kept_parameters=("b",)))),
    ("dynamic = 'force-static'\nsort_parameters = true",  replace(MADE_STATIC, query=Query.SORT)),
    ("revalidate = 60",                               replace(own(lifetime=60), extensions=None)),
    ("revalidate = '5m'",                             replace(own(lifetime=300), extensions=None)),
    ("revalidate = false",                            replace(own(lifetime=YEAR), extensions=None)),
    ("revalidate = 0",                                own(dynamic=True)),
    ("stale_while_revalidate = '1h'",                 own(stale_while_revalidate=3_600)),
    ("stale_if_error = 0",                            own(stale_if_error=0)),
    ("tags = ['Blog']",                               own(tags=("Blog",))),
    ("ignore_parameters = ['utm_*']",                 own(ignored_parameters=("utm_*",))),
    ("keep_parameters = []",                          own(kept_parameters=())),
    ("sort_parameters = true",                        replace(BASE, query=Query.SORT)),
    ("sort_parameters = false",                       BASE),
    ("key_headers = ['RSC', 'Accept-Language']",      replace(BASE, key_headers=("rsc", "accept-language"))),
    ("key_cookies = ['currency']",                    own(key_cookies=("currency",))),
    ("strip_set_cookie = true",                       replace(BASE, set_cookie=SetCookie.STRIP)),
    ("[rules]\nmax_body = 1",                         replace(BASE, max_body=1)),
    ("revalidate = 60\n[rules]\nextensions = ['a']",
        replace(own(lifetime=60), extensions=frozenset({"a"}))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rules"), MEANINGS)
def test_what_it_means(text: str, rules: Rules) -> None:
    assert of(text).rules == rules


def test_tags_are_kept_as_the_dialect_reads_them() -> None:
    folding = Rules(tags=(TagField("cache-tag", fold_case=True),))
    assert of("tags = ['Blog']", folding).rules.of_route.tags == ("blog",)


def test_which_paths_it_is_for_and_what_it_says() -> None:
    route = of("host = 'Example.COM:80'\nonly = ['/a/b', '/a/c*']\nrevalidate = false\nsort_parameters = true")
    assert (route.path, route.host, route.only) == ("/a/*", "example.com", ("/a/b", "/a/c*"))
    assert route.said == (("only", '["/a/b", "/a/c*"]'), ("revalidate", "false"), ("sort_parameters", "true"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("patth = 1",                               ["patth is unknown", "did you mean path?"]),
        ("host = 'a/b'",                            ["host = 'a/b' is no host", "localhost:8080"]),
        ("dynamic = 'static'",                      ["dynamic = 'static'", "did you mean force-static?"]),
        ("dynamic = true",                          ["dynamic = True", "known: auto, error, force-dynamic"]),
        ("revalidate = true",                       ["revalidate = True does not fit", "whole seconds"]),
        ("revalidate = -1",                         ["revalidate = -1 does not fit"]),
        ("revalidate = '1.5s'",                     ["revalidate = '1.5s' does not fit", "whole seconds"]),
        ("revalidate = 'forever'",                  ["revalidate: 'forever' is no duration", "5m"]),
        ("stale_if_error = false",                  ["stale_if_error = False does not fit"]),
        ("tags = 'blog'",                           ["tags = 'blog' is no list", 'write one like ["blog"]']),
        ("tags = ['a b']",                          ["tags: 'a b' is no name", "without spaces"]),
        ("key_cookies = [1]",                       ["key_cookies: 1 is no name"]),
        ("ignore_parameters = ['']",                ["ignore_parameters: '' is no name"]),
        ("key_headers = ['a b']",                   ["key_headers: 'a b' is no field name"]),
        ("strip_set_cookie = 'yes'",                ["strip_set_cookie = 'yes' does not fit", "true or false"]),
        ("only = ['a']",                            ["only = 'a' is no path"]),
        ("only = ['/ä']",                           ["only = '/ä' is no path", "percent-encoded"]),
        ("only = ['/a?b']",                         ["only = '/a?b' is more than a path", "keep_parameters"]),
        ("rules = 1",                               ["rules = 1 is no table", "[routes.rules]"]),
        ("[rules]\nqueri = 'drop'",                 ["routes[1].rules: queri is unknown", "did you mean query?"]),
        ("[rules]\nof_route = {}",                  ["routes[1].rules: of_route is unknown"]),
        ("[rules]\nignored_directives = ['x']",     ["routes[1].rules.ignored_directives: x is unknown"]),
        ("dynamic = 'force-dynamic'\ntags = ['a']", ["tags is set", "nothing is stored", "leave tags out"]),
        ("dynamic = 'force-dynamic'\nrevalidate = 60", ["revalidate is set", "leave revalidate out"]),
        ("revalidate = 0\nstale_if_error = 60",     ["stale_if_error is set", "leave stale_if_error out"]),
        ("revalidate = 0\ndynamic = 'error'",       ["revalidate = 0 and dynamic = error contradict each other"]),
    ],
)  # fmt: skip
def test_mistakes_name_the_place_the_value_and_the_fix(text: str, told: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        of(text)
    for words in ["swerve.toml: routes[1]", *told]:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("[[routes]]\n",                  "routes[1].path is missing; write which paths it is for"),
        ("[[routes]]\npath = 'blog'",     "routes[1].path = 'blog' is no path"),
        ("[routes]\npath = '/a'",         "routes = {'path': '/a'} is no list of tables; write each below a line"),
        ("routes = ['/a']",               "routes = ['/a'] is no list of tables"),
        ("[[route]]\npath = '/a'",        "route is unknown; did you mean routes?"),
    ],
)  # fmt: skip
def test_mistakes_in_the_file(tmp_path: Path, file: str, told: str) -> None:
    (tmp_path / "swerve.toml").write_text(file)
    with pytest.raises(ConfigError) as caught:
        load_settings({"origin": "http://origin.test"}, {}, tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'swerve.toml'}: {told}")


OPEN = "[[routes]]\npath = '/b'\n[routes.rules]\nignored_directives = ['private']\nstore_post = false\n"


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (OPEN,                                                  "routes[2]: what says private would"),
        (OPEN + "cookies = 'bypass'",                           "while the origin sees Authorization;"),
        (OPEN + "cookies = 'bypass'\nauthorization = 'bypass'", None),
        (OPEN + "key_headers = ['cookie', 'authorization']",    None),
        (OPEN.replace("[routes.", "dynamic = 'force-static'\n[routes.") + "query = 'drop'", None),
        (OPEN.replace("[routes.", "dynamic = 'force-dynamic'\n[routes."), None),
    ],
)  # fmt: skip
def test_no_route_gives_one_clients_response_to_others(tmp_path: Path, file: str, told: str | None) -> None:
    (tmp_path / "swerve.toml").write_text(f"dialect = 'standard'\n[[routes]]\npath = '/a'\n{file}")
    flags = {"origin": "http://origin.test"}
    if told is None:
        assert len(load_settings(flags, {}, tmp_path).routes) == 2
        return
    with pytest.raises(ConfigError, match=re.escape(told)):
        load_settings(flags, {}, tmp_path)


def test_routes_go_over_the_operators_rules(tmp_path: Path) -> None:
    (tmp_path / "swerve.toml").write_text("max_object = '1kb'\n[rules]\nvalidates = false\n[[routes]]\npath = '*'")
    (route,) = load_settings({"origin": "http://origin.test"}, {}, tmp_path).routes
    assert (route.rules.max_body, route.rules.validates) == (1_024, False)
