"""Routes: `[[routes]]` in swerve.toml, what holds for some paths.

`dynamic`, `revalidate` and `only` are `dynamic`, `revalidate` and `dynamicParams = false` of Next.js, in what it calls
a route's segment config (nextjs.org/docs/app/api-reference/file-conventions/route-segment-config, 2026-11).
config/swerve.toml has all keys with examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.config_error import ConfigError
from app.core.dialect import Dialect
from app.core.exposure import exposed
from app.core.impersonal import CREDENTIALS
from app.core.routing import Route
from app.core.rules import Authorization, Cookies, Query, RouteRules, Rules, SetCookie
from app.dialect_checks import check_exposed
from app.dialects import with_rules
from app.records import reject_unknown
from app.route_keys import KEYS, YEAR, Dynamic, written


def load_routes(tables: object, rules: Rules, where: str) -> tuple[Route, ...]:
    """The routes, over these rules. `where` is how messages name them. Raises ConfigError."""
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise ConfigError(f"{where} = {tables!r} is no list of tables; write each below a line [[routes]]")
    return tuple(_route(table, rules, f"{where}[{place}]") for place, table in enumerate(tables, 1))


def _route(table: Mapping[str, Any], rules: Rules, where: str) -> Route:
    reject_unknown(table, KEYS, where)
    if "path" not in table:
        raise ConfigError(f'{where}.path is missing; write which paths it is for, like path = "/blog/*"')
    said = {key: KEYS[key](value, f"{where}.{key}") for key, value in table.items()}
    _check_together(said, where)
    changed = with_rules(_changed(said, rules), said.get("rules", {}), f"{where}.rules")
    said_so = tuple((key, written(value)) for key, value in table.items() if key not in ("path", "host", "rules"))
    return Route(said["path"], changed, said.get("host"), said.get("only"), said_so, table)


def over(dialect: Dialect, route: Route, path: str) -> Dialect:
    """The dialect as a route that was written over another one's rules has it for that path. Raises ConfigError where
    it could not be started with."""
    where = f"the route {route.path}"
    changed = replace(dialect, rules=_route(route.table, dialect.rules, where).for_path(path).rules)
    check_exposed(changed, exposed(dialect), where)
    return changed


def _check_together(said: Mapping[str, Any], where: str) -> None:
    """What contradicts itself."""
    never = _never_stores(said)
    for key in sorted(_OF_STORING & said.keys()):
        if never and not (key == "revalidate" and said[key] == 0):
            raise ConfigError(f"{where}: {key} is set, and nothing is stored for this route; leave {key} out")
    if said.get("revalidate") == 0 and said.get("dynamic") in (Dynamic.FORCE_STATIC, Dynamic.ERROR):
        raise ConfigError(f"{where}: revalidate = 0 and dynamic = {said['dynamic']!s} contradict each other; keep one")


def _never_stores(said: Mapping[str, Any]) -> bool:
    return said.get("dynamic") is Dynamic.FORCE_DYNAMIC or said.get("revalidate") == 0


_OF_STORING = frozenset({"revalidate", "stale_while_revalidate", "stale_if_error", "tags"})


def _changed(said: Mapping[str, Any], rules: Rules) -> Rules:
    """What the keys mean for the rules, in the order in which one goes over the other."""
    if said.get("dynamic") is Dynamic.FORCE_STATIC:
        rules = _for_all_alike(rules, said)
    if said.get("revalidate"):
        rules = replace(rules, extensions=None)
    changes: dict[str, Any] = {"of_route": replace(rules.of_route, **_own(said, rules))}
    if "key_headers" in said:
        changes["key_headers"] = tuple(dict.fromkeys((*rules.key_headers, *said["key_headers"])))
    if said.get("sort_parameters"):
        changes["query"] = Query.SORT
    if said.get("strip_set_cookie"):
        changes["set_cookie"] = SetCookie.STRIP
    return replace(rules, **changes)


def _own(said: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """What the keys mean for RouteRules."""
    own = {_OWN[key]: said[key] for key in _OWN.keys() & said.keys()}
    if "tags" in own and rules.tags and all(one.fold_case for one in rules.tags):
        own["tags"] = tuple(map(str.lower, own["tags"]))  # as this dialect reads those of responses
    if _never_stores(said):
        own |= {"dynamic": True, "lifetime": None}
    return own | {"must_be_static": said.get("dynamic") is Dynamic.ERROR}


def _for_all_alike(rules: Rules, said: Mapping[str, Any]) -> Rules:
    """A page that is made static is the same for everybody, whoever asks and whatever it says of caches. Where the key
    shall have something of the query after all, that is said."""
    return replace(
        rules,
        query=rules.query if rules.query is Query.WITHHOLD else Query.DROP,
        extensions=None,
        cookies=Cookies.IGNORE,
        authorization=Authorization.IGNORE,
        set_cookie=SetCookie.STRIP,
        store_post=False,
        vary_star=False,
        vary_denied=rules.vary_denied - CREDENTIALS,
        ignored_directives=rules.ignored_directives | {"no-store", "no-cache", "private"},
        of_route=RouteRules(anonymous=True, lifetime=YEAR),
    )


# Keys that set one field of RouteRules, as they are.
_OWN = {
    "revalidate": "lifetime",
    "stale_while_revalidate": "stale_while_revalidate",
    "stale_if_error": "stale_if_error",
    "tags": "tags",
    "ignore_parameters": "ignored_parameters",
    "keep_parameters": "kept_parameters",
    "key_cookies": "key_cookies",
}
