"""Which rules would give what is for one client to others (RFC 9111 §5.2.2.5, §5.2.2.7).

A response that says private or no-store may be shared all the same where the origin knows nothing of whoever asks but
what is in the key: then it cannot be one client's own. Where it knows more, it may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from app.core.dialect import Dialect
from app.core.forwarding import may_say
from app.core.key import names_parameters
from app.core.rules import Authorization, Cookies, Query

FOR_ONE = frozenset({"private", "no-store"})


def exposed(dialect: Dialect) -> frozenset[tuple[str, str]]:
    """Each directive that keeps no response from being shared, with each thing that the origin sees beside the key."""
    rules = dialect.rules
    shared = FOR_ONE if rules.forbidden_lifetimes else FOR_ONE & rules.ignored_directives
    return frozenset(product(shared, _seen_beside_the_key(dialect))) if shared else frozenset()


def _seen_beside_the_key(dialect: Dialect) -> Iterator[str]:
    """What of a request may make its answer one client's own, where that answer may be stored."""
    rules, route = dialect.rules, dialect.rules.of_route
    if route.dynamic:
        return
    if rules.store_post:
        yield "POST"
    if route.anonymous:
        return
    if rules.cookies is Cookies.IGNORE and _reaches_the_origin(dialect, "cookie"):
        yield "Cookie"
    takes_it = rules.authorization in (Authorization.RFC, Authorization.IGNORE)
    if takes_it and _reaches_the_origin(dialect, "authorization"):
        yield "Authorization"
    if rules.query is Query.DROP and not names_parameters(rules):
        yield "the query"


def _reaches_the_origin(dialect: Dialect, name: str) -> bool:
    unkeyed = name not in dialect.rules.key_headers
    return unkeyed and may_say(name.encode(), dialect.stripped_from_requests, dialect.passed_from_requests, True)
