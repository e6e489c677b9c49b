"""Age, lifetime and stale windows (RFC 9111 §4.2, RFC 5861): headers become numbers once, lookups subtract."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.core.directives import VALUELESS, Directives
from app.core.fields import parse_date, parse_delta
from app.core.messages import Response, media_type
from app.core.rules import HEURISTIC_STATUSES, LifetimeSource, Rules

SUCCESS_WITH_BODY = (200, 203, 206)
# What a route gives a lifetime to: what is there, what has moved, and what is not there. Errors speak for themselves.
ROUTED_STATUSES = frozenset({200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 404, 410})


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a response was born and how long it may be used. All in seconds; `born` on the HTTP clock."""

    born: float
    lifetime: float
    source: LifetimeSource | None = None
    stale_while_revalidate: float = 0
    stale_if_error: float = 0

    def age(self, now: float) -> float:
        """The current age; a clock that went back cannot make it negative (RFC 9111 §4.2.3)."""
        return max(0.0, now - self.born)

    def ttl(self, now: float) -> float:
        """What is left of the lifetime; negative once stale."""
        return self.lifetime - self.age(now)

    def is_fresh(self, now: float) -> bool:
        return self.ttl(now) > 0

    def ended(self, at: float, now: float) -> Freshness:
        """As if freshness had ended at that time at the latest; now, where the clock has since gone back behind it."""
        lifetime = min(self.lifetime, at - self.born, self.age(now))
        return self if lifetime == self.lifetime else replace(self, lifetime=lifetime)

    def within(self, window: float, now: float) -> bool:
        """Whether a window that opens when freshness ends is still open."""
        return self.ttl(now) + window > 0


def freshness(
    response: Response, control: Directives, rules: Rules, request_time: float, response_time: float
) -> Freshness:
    """The freshness of a response received at `response_time` for a request sent at `request_time`."""
    lifetime, source = lifetime_of(response, control, rules, response_time)
    age = _corrected_initial_age(response, request_time, response_time) if rules.age_counts else 0
    born = response_time - (lifetime if age is None else age)
    return Freshness(born, lifetime, source, *stale_windows(control, rules))


def stale_windows(control: Directives, rules: Rules) -> tuple[int, int]:
    """How long stale may be served while it is revalidated, and how long if the origin fails (RFC 5861)."""
    windows, route = _stated_windows(control, rules), rules.of_route
    return (
        windows[0] if route.stale_while_revalidate is None else route.stale_while_revalidate,
        windows[1] if route.stale_if_error is None else route.stale_if_error,
    )


def _stated_windows(control: Directives, rules: Rules) -> tuple[int, int]:
    """Those that the response states, and the dialect's in their place."""
    if control.forbids_stale:
        return 0, 0
    barred = any(control.says(name) for name in rules.stale_while_revalidate_barred_by)
    window = 0 if barred else _window(control.stale_while_revalidate, rules.default_stale_while_revalidate, rules)
    by_default = 0 if any(map(control.says, rules.default_stale_if_error_barred_by)) else rules.default_stale_if_error
    on_error = _window(control.stale_if_error, by_default, rules) if rules.stale_if_error_honoured else 0
    if any(map(control.says, rules.stale_if_error_barred_by)):
        on_error = 0
    if rules.stale_while_revalidate_covers_errors:  # also where it is said, and nobody is served stale meanwhile
        on_error = max(on_error, window)
    return window if rules.stale_while_revalidate_honoured else 0, on_error


def _window(stated: int | None, default: int, rules: Rules) -> int:
    if stated is None:
        return default
    return rules.valueless_window if stated == VALUELESS else stated


def _corrected_initial_age(response: Response, request_time: float, response_time: float) -> float | None:
    """RFC 9111 §4.2.3, or None when the Age field cannot be read.

    §5.1 lets a cache take the first of several values and ignore what is no number. We are more cautious, as §4.2.1
    advises for lifetimes: with several values, or none that can be read, the age is unknown and the response stale.
    """
    lines = response.headers.lines("age")
    age_value = parse_delta(lines[0]) if len(lines) == 1 else None
    if lines and age_value is None:
        return None
    date = parse_date(response.headers.get("date"))
    apparent_age = 0 if date is None else max(0, int(response_time) - date)
    return max(apparent_age, (age_value or 0) + max(0.0, response_time - request_time))


def lifetime_of(
    response: Response, control: Directives, rules: Rules, response_time: float
) -> tuple[float, LifetimeSource | None]:
    """How long a response may be used, and what says so."""
    lifetime, source = _lifetime(response, control, rules, response_time)
    if source is LifetimeSource.ROUTE:
        return lifetime, source
    least = rules.lifetime_for(response.status, rules.least_lifetimes)
    if least is not None and lifetime < least:
        lifetime, source = least, source or LifetimeSource.DEFAULT
    return lifetime if rules.max_lifetime is None else min(lifetime, rules.max_lifetime), source


def _lifetime(
    response: Response, control: Directives, rules: Rules, response_time: float
) -> tuple[float, LifetimeSource | None]:
    if control.assigned is not None:
        return control.assigned, LifetimeSource.DEFAULT
    stale = any(mark.value in response.headers.lines(mark.field) for mark in rules.stale_marks)
    for source in (LifetimeSource.ROUTE, *rules.lifetime_from):
        seconds = _FROM[source](response, control, rules, response_time)
        if seconds is not None:
            return 0 if stale else max(0, seconds), source
    # RFC 9213 §2.2 lets a targeted field say max-age where the dialect reads only s-maxage of Cache-Control.
    if control.source != "cache-control" and control.max_age is not None:
        return 0 if stale else control.max_age, LifetimeSource.MAX_AGE
    return 0, None


def _from_s_maxage(_response: Response, control: Directives, _rules: Rules, _time: float) -> float | None:
    return control.s_maxage


def _from_max_age(_response: Response, control: Directives, _rules: Rules, response_time: float) -> float | None:
    return control.max_age if control.until is None else control.until - response_time


def _from_expires(response: Response, control: Directives, _rules: Rules, response_time: float) -> float | None:
    """Expires minus Date; one that cannot be read is in the past (RFC 9111 §5.3). A targeted field overrules it."""
    lines = response.headers.lines("expires")
    if not lines or control.source != "cache-control":
        return None
    expires = parse_date(lines[0])
    date = parse_date(response.headers.get("date"))
    return 0 if expires is None else expires - (response_time if date is None else date)


def _from_heuristic(response: Response, control: Directives, rules: Rules, response_time: float) -> float | None:
    """A fraction of the time since the last change (RFC 9111 §4.2.2)."""
    modified = parse_date(response.headers.get("last-modified"))
    if modified is None or not (control.public or response.status in HEURISTIC_STATUSES):
        return None
    date = parse_date(response.headers.get("date"))
    unchanged = (response_time if date is None else date) - modified
    return min(max(0, unchanged) * rules.heuristic_fraction, rules.heuristic_max)


def _from_default(response: Response, _control: Directives, rules: Rules, _time: float) -> float | None:
    if rules.default_lifetimes_by_type and response.status in SUCCESS_WITH_BODY:
        of_response = media_type(response.headers)
        for name in (of_response, f"{of_response.partition('/')[0]}/*"):
            if name in rules.default_lifetimes_by_type:
                return rules.default_lifetimes_by_type[name]
    return rules.lifetime_for(response.status, rules.default_lifetimes)


def _from_route(response: Response, _control: Directives, rules: Rules, _time: float) -> float | None:
    return rules.of_route.lifetime if response.status in ROUTED_STATUSES else None


_FROM = {
    LifetimeSource.ROUTE: _from_route,
    LifetimeSource.S_MAXAGE: _from_s_maxage,
    LifetimeSource.MAX_AGE: _from_max_age,
    LifetimeSource.EXPIRES: _from_expires,
    LifetimeSource.HEURISTIC: _from_heuristic,
    LifetimeSource.DEFAULT: _from_default,
}
