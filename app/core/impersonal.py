"""Requests on behalf of everybody: without what would make the answer one client's own.

What the key leaves out on purpose is not sent either: or who asks first would decide what all others get.
"""

from __future__ import annotations

from dataclasses import replace

from app.core.decisions import StoredResponse
from app.core.key import keyed_cookies, keyed_target, names_parameters
from app.core.messages import Headers, Request
from app.core.rules import Rules
from app.core.validation import CONDITIONS

# Who asks, and with which rights.
CREDENTIALS = frozenset({"authorization", "cookie", "x-forwarded-for", "forwarded"})

# What identifies whoever triggered a refresh, or shaped only their answer: a refresh is on behalf of everybody.
PERSONAL = CONDITIONS | CREDENTIALS | {"range", "cache-control", "pragma", "expect", "content-length", "te"}


def impersonal(request: Request, stored: StoredResponse, rules: Rules) -> Request:
    """A GET that could have come from anybody whom the stored response was selected for."""
    request = as_anybody(request, rules)
    selecting = {name for name, _ in stored.selecting}
    headers = _without(request.headers, PERSONAL - selecting, rules)
    return replace(request, method="GET", headers=headers, client="")


def as_anybody(request: Request, rules: Rules) -> Request:
    """The request as anybody with the same key could have sent it, where a route says what is in the key and what not,
    or that it is the same for all."""
    route = rules.of_route
    if not (route.anonymous or names_parameters(rules)):
        return request
    target = keyed_target(request.target, rules)
    request = request if target == request.target else replace(request, target=target)
    return as_nobody(request, rules) if route.anonymous else request


def as_nobody(request: Request, rules: Rules) -> Request:
    """The request without what says who asks, but for what is in the key."""
    return replace(request, headers=_without(request.headers, CREDENTIALS, rules), client="")


def _without(headers: Headers, names: frozenset[str], rules: Rules) -> Headers:
    """The fields without these, but for what is in the key."""
    names = names.difference(rules.key_headers)
    cookies = keyed_cookies(headers, rules) if "cookie" in names else []
    kept = headers.without(names)
    sent = "; ".join(pair for _, pairs in cookies for pair in pairs)
    return kept.adding(("cookie", sent)) if sent else kept
