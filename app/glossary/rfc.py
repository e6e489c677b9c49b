"""What the RFCs say that fields, parameters and directives mean: RFC 9111 for caching, RFC 9211 for Cache-Status."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from app.core.because import span
from app.core.directives import directive_name
from app.core.fields import split_list, split_members, unquote
from app.core.reasons import MEANINGS, Reason

# Fields that every cache knows; `{}` is the value.
FIELDS = {
    "age": "seconds since the origin made it or last confirmed it, added up over all caches on the way [RFC 9111 §5.1]",
    "expires": "when it turns stale; max-age and s-maxage go before it [RFC 9111 §5.3]",
    "vary": "the request fields that select this response: other values, another one [RFC 9110 §12.5.5]",
    "via": "whom the message has been through, the nearest to the origin first [RFC 9110 §7.6.3]",
    "x-cache": "no standard: each CDN has words of its own, and lists of them in an order of its own",
}

# RFC 9111 §5.2.2; RFC 5861 for the two windows, RFC 8246 for immutable. `{}`: the argument, as a duration.
DIRECTIVES = {
    "max-age": "fresh for {}, in browsers too",
    "s-maxage": "fresh for {} in shared caches, whatever max-age says",
    "no-store": "no cache may keep it",
    "no-cache": "may be kept, but every use has to be confirmed by the origin",
    "private": "for one client: no shared cache may keep it",
    "public": "shared caches may keep it, also where the request had Authorization",
    "must-revalidate": "once stale it must not be used without the origin's word, not even when that is down",
    "proxy-revalidate": "the same for shared caches alone",
    "must-understand": "only for caches that know its status; they may then ignore no-store",
    "no-transform": "nobody may change its content",
    "immutable": "it will not change while it is fresh: a reload need not ask",
    "stale-while-revalidate": "for {} after that, stale may be served while it is refreshed",
    "stale-if-error": "for {} after that, stale may be served if the origin fails",
}

# RFC 9211 §2.2.
FWD = {
    "bypass": "it is set up not to handle such requests",
    "method": "because of the request's method",
    "uri-miss": "nothing was stored for this URL",
    "vary-miss": "something was stored for this URL, but not for the fields that Vary names",
    "miss": "nothing that was stored could be used",
    "request": "it had a fresh response, but the request wanted it newer",
    "stale": "what it had was stale",
    "partial": "it had only a part of what was asked for",
}


def cache_status(value: str) -> Iterator[str]:
    """Each member of Cache-Status in a sentence; the first one is the nearest to the origin (RFC 9211 §2)."""
    members = split_list(value)
    for at, member in enumerate(members):
        name, *parameters = split_members(member, ";")
        where = "" if len(members) == 1 else f" (cache {at + 1} of {len(members)}, {place(at, len(members))})"
        said = filter(None, (_parameter(one, unquote(name)) for one in parameters))
        yield f"{unquote(name)}{where}: {'; '.join(said) or 'says nothing of it'}"


def place(at: int, of: int) -> str:
    """Where the cache is whose word is the `at`th of a list that begins at the origin."""
    return "the nearest to the origin" if at == 0 else "the nearest to you" if at == of - 1 else "between"


# RFC 9211 §2.1, §2.5, §2.6: what is meant where they are there, and where they are said to be false.
_SWITCHES = {
    "hit": ("answered from what it had stored", ""),
    "stored": ("and stored the answer", "and did not store the answer"),
    "collapsed": ("waited for somebody else's fetch", "could not use somebody else's fetch"),
}


def _parameter(text: str, cache: str) -> str:
    """A parameter in words; those of others as they stand there."""
    name, _, argument = text.partition("=")
    name, value = name.strip().lower(), unquote(argument.strip())
    if name in _SWITCHES:
        return _SWITCHES[name][value == "?0"]
    if name == "ttl" and value.removeprefix("-").isdecimal():
        return f"stale for {span(int(value))}" if value.startswith("-") else f"fresh for {span(int(value))} more"
    if name == "detail" and cache == "swerve" and value in list(Reason):
        meaning = MEANINGS[Reason(value)]
        return f"{value}, which means: {meaning.meaning} [{meaning.section}]"
    return _WORDED[name](value) if name in _WORDED else text


# RFC 9211 §2.2, §2.3, §2.7, §2.8.
_WORDED: Mapping[str, Callable[[str], str]] = {
    "fwd": lambda value: f"asked the next one, for {FWD.get(value, f'a reason that RFC 9211 does not know, {value}')}",
    "fwd-status": lambda value: f"which answered {value}",
    "key": lambda value: f"under the key {value}",
    "detail": lambda value: f"in its own words: {value}",
}


def directives(value: str) -> Iterator[str]:
    """Each directive of Cache-Control, or of a field like it, in a sentence; those that are known."""
    for member in split_list(value):
        name = directive_name(member)
        argument = unquote(member.partition("=")[2].strip())
        if name in DIRECTIVES:
            yield f"{member}: {DIRECTIVES[name].format(span(int(argument)) if argument.isdecimal() else 'a while')}"
