"""Rules for some paths: the first route whose pattern fits says which, the dialect's own hold elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from app.core.decisions import Refuse
from app.core.key import normal_authority
from app.core.messages import Request
from app.core.reasons import Reason
from app.core.refusing import refusal
from app.core.rules import Rules

# So many paths are remembered with the route that fits.
REMEMBERED = 4_096

# RFC 3986 §6.2.2.2: an unreserved character and its percent-encoding are the same.
_ENCODED_UNRESERVED = re.compile(r"%(?:2[DdEe]|3\d|[46][1-9A-Fa-f]|[57][\dAa]|5[Ff]|7[Ee])")

# `.` or `..` as a segment (RFC 3986 §5.2.4), also in the eyes of an origin that decodes what is encoded, even twice, or
# takes a backslash for a slash, or cuts off what follows a semicolon.
_SLASH, _DOT = r"(?:/|\\|%(?:25)*(?:2f|5c))", r"(?:\.|%(?:25)*2e)"
_DOT_SEGMENT = re.compile(rf"{_SLASH}{_DOT}{{1,2}}(?:;[^/\\%]*)?(?:{_SLASH}|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Route:
    """`path` is a pattern: `*` stands for any characters, also slashes and none; everything else for itself. `host`: an
    authority as in keys; None: any. `only`: patterns of the paths that exist; others are refused with 404; None: all
    do. `said`: its other keys, as somebody wrote them; `table`: all of them, to be put over other rules too.
    """

    path: str
    rules: Rules
    host: str | None = None
    only: tuple[str, ...] | None = None
    said: tuple[tuple[str, str], ...] = ()
    table: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    def for_path(self, path: str) -> Route:
        """The route as it is for a path that fits: what the origin may take for another one, by dot segments, is never
        stored. Or what is for one client would be, where it is asked for by way of paths that are for all."""
        if _DOT_SEGMENT.search(path) is None:
            return self
        dynamic = replace(self.rules.of_route, dynamic=True)
        return replace(self, rules=replace(self.rules, of_route=dynamic))


class Ruling:
    """Which rules hold for a request: `rules`, but for what the `routes` say."""

    def __init__(self, rules: Rules, routes: Sequence[Route] = ()) -> None:
        self.rules, self.routes = rules, tuple(routes)
        self._ready = [(one, Paths([one.path]), None if one.only is None else Paths(one.only)) for one in routes]
        self._recall = lru_cache(REMEMBERED)(self._find)

    @property
    def bypass_cookies(self) -> frozenset[str]:
        """Every cookie for which the cache is bypassed somewhere."""
        return self.rules.bypass_cookies.union(*(route.rules.bypass_cookies for route in self.routes))

    def of(self, request: Request) -> Rules:
        """The rules for a request."""
        route = self.route_of(request)
        return self.rules if route is None else route.rules

    def of_key(self, key: str) -> Rules:
        """The rules for whatever has this cache key."""
        if not self.routes:
            return self.rules
        _, _, host, target = key.split(" ", 4)[:4]
        return self.at(host, target)

    def at(self, host: str, target: str) -> Rules:
        """The rules for a target at a host, as in keys."""
        route, _ = self._recall(host, target.partition("?")[0])
        return self.rules if route is None else route.rules

    def route_of(self, request: Request) -> Route | None:
        """The route that a request takes; None where none fits."""
        return self._found(request)[0]

    def refusal(self, request: Request, node: str) -> Refuse | None:
        """Why no origin is asked, whatever is stored. `node`: as for app.core.refusing."""
        refused = refusal(request, node)
        return Refuse(Reason.UNKNOWN_PATH, 404) if refused is None and self.is_unknown(request) else refused

    def is_unknown(self, request: Request) -> bool:
        """Whether a route says that the path does not exist."""
        return not self._found(request)[1]

    def _found(self, request: Request) -> tuple[Route | None, bool]:
        if not self.routes:
            return None, True
        return self._recall(normal_authority(request.scheme, request.authority), request.path)

    def _find(self, host: str, path: str) -> tuple[Route | None, bool]:
        """The route, and whether the path exists."""
        path = plain(path)
        for route, fitting, only in self._ready:
            if route.host in (None, host) and path in fitting:
                return route.for_path(path), only is None or path in only
        return None, True


class Paths:
    """Those that some patterns stand for. To look is linear in the path, whatever the patterns: clients choose it."""

    def __init__(self, patterns: Iterable[str]) -> None:
        parts = [plain(one).split("*") for one in patterns]
        self._exact = frozenset(one[0] for one in parts if len(one) == 1)
        self._starred = [one for one in parts if len(one) > 1]

    def __contains__(self, path: str) -> bool:
        """`path` is `plain`."""
        return path in self._exact or any(_is_like(path, *one) for one in self._starred)


def plain(path: str) -> str:
    """A path without needless percent-encoding: nobody comes round a route by it."""
    return _ENCODED_UNRESERVED.sub(lambda found: chr(int(found[0][1:], 16)), path) if "%" in path else path


def _is_like(path: str, first: str, *parts: str) -> bool:
    """Whether a path has these parts in their order, the first at its beginning and the last at its end."""
    *middle, last = parts
    place, end = len(first), len(path) - len(last)
    if place > end or not (path.startswith(first) and path.endswith(last)):
        return False
    for part in middle:
        found = path.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
