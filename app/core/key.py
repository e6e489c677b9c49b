"""The cache key and the selection of variants (RFC 9111 §2, §4.1).

Grammar of a key, whose parts are separated by single spaces because none of them can contain one:

    key  = base *( " " name "=" value ) *( " cookie:" name "=" value )
    base = "GET" " " scheme " " authority " " target

The base names the GET whose response is stored: HEAD is answered from it, unsafe methods invalidate it. `name=value`
are the fields that a dialect always keys by, and the cookies that a route does, those that are present: the value
percent-encoded, or `#` and a digest of it when it is long, so that no client can make keys of any size. The value of a
cookie that was sent several times, in another case, or without `=` is all of that as it was sent, each with a `;` after
it, which no value can contain.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from urllib.parse import quote

from app.core.fields import split_list, split_members
from app.core.messages import Headers, Request
from app.core.remembered import remembered
from app.core.rules import Query, RouteRules, Rules, VaryRule

LONGEST_VALUE = 256
DEFAULT_PORTS = {"http": ":80", "https": ":443"}

Selecting = tuple[tuple[str, str | None], ...]


def base_key(scheme: str, authority: str, target: str) -> str:
    """What every variant of one URL shares."""
    return f"{_origin_key(scheme, authority)} {target}"


@remembered
def _origin_key(scheme: str, authority: str) -> str:
    return f"GET {scheme} {normal_authority(scheme, authority)}"


def base_of(key: str) -> str:
    """The base of a key."""
    return " ".join(key.split(" ", 4)[:4])


def cache_key(request: Request, rules: Rules) -> str:
    """The primary cache key (RFC 9111 §2)."""
    parts = [base_key(request.scheme, request.authority, keyed_target(request.target, rules))]
    for name in rules.key_headers:
        # As it was sent, but for what is known to make no difference: the origin may compare it to the letter.
        value = normalised(name, request.headers) if name in _WEIGHTED else request.headers.get(name)
        if value is not None:
            parts.append(f"{name}={_written(value)}")
    if rules.of_route.key_cookies:
        cookies = keyed_cookies(request.headers, rules)
        parts += [f"cookie:{name}={_written(_cookie_value(name, pairs))}" for name, pairs in cookies]
    return " ".join(parts)


def keyed_cookies(headers: Headers, rules: Rules) -> list[tuple[str, list[str]]]:
    """The cookies that are in the key: a name that the rules have, and all that was sent of it. Which one counts where
    there are several, the origin decides (RFC 6265 §4.2.2: servers should not rely on their order)."""
    found = [(name, headers.cookie_pairs(name)) for name in rules.of_route.key_cookies]
    return [(name, pairs) for name, pairs in found if pairs]


def _cookie_value(name: str, pairs: list[str]) -> str:
    first = pairs[0]
    if len(pairs) == 1 and first.startswith(f"{name}="):
        return first.removeprefix(f"{name}=")
    return "".join(f"{pair};" for pair in pairs)


def keyed_target(target: str, rules: Rules) -> str:
    """What of a target is in the key."""
    if "?" not in target or (rules.query is Query.KEEP and not names_parameters(rules)):
        return target
    path, _, query = target.partition("?")
    parameters = _keyed_parameters(query, rules)
    if rules.query is Query.SORT:
        parameters.sort(key=_name_of)
    return f"{path}?{'&'.join(parameters)}" if parameters else path


def _keyed_parameters(query: str, rules: Rules) -> list[str]:
    """Those that a route names; where none does, all or none, as the dialect has it."""
    if names_parameters(rules):
        return [one for one in query.split("&") if _counts(one.partition("=")[0], rules.of_route)]
    return [] if rules.query in (Query.DROP, Query.WITHHOLD) else query.split("&")


def names_parameters(rules: Rules) -> bool:
    """Whether some parameters of the query are in the key and others are not."""
    return rules.of_route.kept_parameters is not None or bool(rules.of_route.ignored_parameters)


def _counts(name: str, route: RouteRules) -> bool:
    kept = route.kept_parameters is None or _among(name, route.kept_parameters)
    return kept and not _among(name, route.ignored_parameters)


def _among(name: str, patterns: tuple[str, ...]) -> bool:
    return any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in patterns)


def _name_of(parameter: str) -> str:
    """Several of one name stay in their order, which may have a meaning."""
    return parameter.partition("=")[0]


def sent_target(target: str, rules: Rules) -> str:
    """What of a target the origin sees."""
    return keyed_target(target, rules) if rules.query is Query.WITHHOLD else target


@remembered
def _written(value: str) -> str:
    if len(value) <= LONGEST_VALUE:
        return quote(value, safe="*/,;:")
    return f"#{blake2b(value.encode('latin-1'), digest_size=16).hexdigest()}"


def normal_authority(scheme: str, authority: str) -> str:
    """Lower case, without the scheme's own port (RFC 9110 §4.2.3)."""
    return authority.lower().removesuffix(DEFAULT_PORTS.get(scheme, ":")).removesuffix(":")


def vary_names(headers: Headers, rules: Rules) -> tuple[str, ...]:
    """The field names in Vary that count, lower-case, sorted and once each; `*` among them if it is there."""
    names = _vary_names(*headers.lines("vary"))
    if not rules.vary_star:
        names = tuple(name for name in names if name != "*")
    match rules.vary:
        case VaryRule.HONOUR:
            return names
        case VaryRule.ENCODING:
            return tuple(name for name in names if name in ("*", "accept-encoding"))
        case VaryRule.IGNORE:
            return tuple(name for name in names if name == "*")


@remembered
def _vary_names(*lines: str) -> tuple[str, ...]:
    return tuple(sorted({name.lower() for line in lines for name in split_list(line)}))


def selecting_fields(request: Request, names: Iterable[str]) -> Selecting:
    """What a stored response remembers of the request it answered: the fields that Vary names, normalised."""
    return tuple((name, normalised(name, request.headers)) for name in names)


def selects(selecting: Selecting, request: Request, content_language: str | None) -> bool:
    """Whether the request's fields match those that a stored response was selected by (RFC 9111 §4.1)."""
    for name, value in selecting:
        presented = normalised(name, request.headers)
        if presented != value and not (name == "accept-language" and _prefers(presented, content_language)):
            return False
    return True


def normalised(name: str, headers: Headers) -> str | None:
    """A request field in the form that is compared: lines joined, white space around list members gone, and for
    fields whose grammar is known what cannot make a difference (RFC 9111 §4.1)."""
    value = headers.get(name)
    if value is None:
        return None
    return _weighted_list(value) if name in _WEIGHTED else _plain_list(value)


@remembered
def _weighted_list(value: str) -> str:
    return ",".join(f"{item};q={weight:g}" if weight < 1 else item for item, weight in _weighted(split_list(value)))


@remembered
def _plain_list(value: str) -> str:
    return ",".join(split_members(value))


_WEIGHTED = frozenset({"accept-language", "accept-encoding"})


def _weighted(members: Iterable[str]) -> list[tuple[str, float]]:
    """Ranges with their weights, the best first, equals in alphabetical order: their order has no meaning."""
    found = []
    for member in members:
        item, *parameters = (part.strip(" \t").lower() for part in member.split(";"))
        weight = next((_weight(text[2:]) for text in parameters if text.startswith("q=")), 1.0)
        found.append((item, weight))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


def _prefers(accept_language: str | None, content_language: str | None) -> bool:
    """Whether the one language that the client likes best is the one that the stored response is in.

    Any negotiation would pick it, so the stored response answers the request although it was selected by another.
    """
    if not accept_language or not content_language:
        return False
    best, *others = _weighted(accept_language.split(","))
    alone = not (others and others[0][1] == best[1])
    return best[0] == content_language.lower() and best[1] > 0 and alone
