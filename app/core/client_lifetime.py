"""For how long clients may keep what is stored here too, where a CDN rewrites what the origin says of that.

Cache-Control: max-age and Expires as they leave (RFC 9111 §5.2.2.1, §5.3).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.directives import Directives, directive_name, parse_cache_control
from app.core.fields import parse_date, split_list
from app.core.messages import Headers
from app.core.speech import LATE


@dataclass(frozen=True, slots=True)
class ClientLifetime:
    """`least`: seconds to which a shorter lifetime is raised, also none at all. `remaining`: a longer one than what is
    left of it here is lowered to that, and where the origin gives none, it is that. `expires`: Expires is said beside
    max-age, also where the origin has none. What a governing field gives to clients alone is taken as it is.
    """

    least: int = 0
    remaining: bool = False
    expires: bool = False


def lifetime_lines(
    rule: ClientLifetime, cache_control: str, headers: Headers, governing: Directives, ttl: int
) -> list[tuple[str, str]]:
    """Cache-Control and Expires for the client, with a late slot in the latter; none where both stay as they are.

    `cache_control`: its value by now; `headers`: the response's; `ttl`: seconds that are left of its lifetime here.
    """
    plain = parse_cache_control([cache_control])
    given = _given(plain, headers)
    seconds = governing.downstream
    if seconds is None:
        if plain.no_store or plain.private:
            return []
        seconds = _bounded(rule, given, max(ttl, 0))
    if seconds is None or (seconds == given and not rule.expires):
        return []
    lines = [("cache-control", with_max_age(cache_control, seconds))]
    if rule.expires or "expires" in headers:
        lines.append(("expires", f"{LATE['date']:{seconds}}"))
    return lines


def _given(plain: Directives, headers: Headers) -> int | None:
    """The lifetime that the origin gives to clients, None where it gives none."""
    if plain.no_cache:
        return 0
    if plain.max_age is not None or "expires" not in headers:
        return plain.max_age
    expires, date = parse_date(headers.lines("expires")[0]), parse_date(headers.get("date"))
    return 0 if expires is None or date is None else max(0, expires - date)


def _bounded(rule: ClientLifetime, given: int | None, left: int) -> int | None:
    seconds = (left if given is None else min(given, left)) if rule.remaining else given
    return max(seconds or 0, rule.least) if rule.least else seconds


def with_max_age(cache_control: str, seconds: int) -> str:
    """The value with this max-age in the place of the one that is there, or of no-cache and no-store, which would
    contradict it; else at its end."""
    members = split_list(cache_control)
    ages = [place for place, member in enumerate(members) if directive_name(member) == "max-age"]
    contradicting = [
        place for place, member in enumerate(members) if seconds and member.lower() in ("no-cache", "no-store")
    ]
    here = min(ages or contradicting, default=len(members))
    kept = [(place, member) for place, member in enumerate(members) if place not in (*ages, *contradicting)]
    before = [member for place, member in kept if place < here]
    return ", ".join([*before, f"max-age={seconds}", *(member for place, member in kept if place > here)])
