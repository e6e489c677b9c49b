"""What people write, as selectors: each function raises Problem, which names the field, the value and the fix."""

from __future__ import annotations

from app.admin.asked import parts_of
from app.admin.problems import Problem
from app.core.fields import AUTHORITY
from app.core.key import keyed_target, normal_authority
from app.core.purging import Kind, Selector
from app.core.routing import Ruling
from app.core.rules import Rules

LONGEST = 16 * 2**10


def by_tag(field: str, tag: str, host: str | None, rules: Rules) -> list[Selector]:
    """A tag, as the store may have it: in lower case where the dialect reads it so, and byte for byte."""
    if not tag.strip() or len(tag) > LONGEST:
        raise Problem(400, f"{field} {tag[:40]!r} is no tag; write one as the origin sends it, like post-7")
    return [Selector(Kind.TAG, one, host) for one in spellings(tag, rules)]


def spellings(tag: str, rules: Rules) -> list[str]:
    """How the store may have a tag that somebody writes so."""
    fold = {one.fold_case for one in rules.tags} or {False}
    return list(dict.fromkeys(one for folded in sorted(fold) for one in _octets(tag.lower() if folded else tag)))


def _octets(tag: str) -> list[str]:
    """What is no ASCII stands in the store byte for byte: most send it as UTF-8, and some as ISO 8859-1."""
    octets = tag.encode("utf-8").decode("latin-1")
    return [octets] if tag.isascii() or any(ord(one) > 255 for one in tag) else [octets, tag]


def by_path(field: str, path: str, host: str | None) -> Selector:
    """A path with any query."""
    if not path.startswith("/") or path.startswith("//"):
        raise Problem(400, f"{field} {path!r} is no path; write it from its slash on, like /blog, or give it as a URL")
    if "?" in path:
        raise Problem(400, f"{field} {path!r} has a query, and a path means any; write it without, or give it as a URL")
    return Selector(Kind.PATH, _short(field, parts_of(path)[2]), host)


def by_url(field: str, url: str, host: str | None) -> Selector:
    """Just this path and query, in all its variants; at its own host, else at `host`, else at any."""
    return Selector(Kind.URL, *_place(field, url, host))


def in_keys(selector: Selector, ruling: Ruling) -> list[Selector]:
    """A URL, and it as it is in keys, where these leave out something of its query; others as they are. At no host in
    particular it is as in the keys of any."""
    if selector.kind is not Kind.URL:
        return [selector]
    keyed = keyed_target(selector.value, ruling.at(selector.host or "", selector.value))
    return [selector] if keyed == selector.value else [selector, Selector(Kind.URL, keyed, selector.host)]


def by_prefix(field: str, prefix: str, host: str | None) -> Selector:
    """What path and query begin with; at its own host, else at `host`, else at any."""
    return Selector(Kind.PREFIX, *_place(field, prefix, host))


def by_host(field: str, host: str) -> Selector:
    return Selector(Kind.HOST, host=host_of(field, host))


def host_of(field: str, host: str) -> str:
    """As in cache keys: in lower case, without a default port."""
    if AUTHORITY.fullmatch(host) is None:
        raise Problem(400, f"{field} {host!r} is no host; write a name or an address, like shop.example:8080")
    return normal_authority("http", normal_authority("https", host))


def _place(field: str, url: str, host: str | None) -> tuple[str, str | None]:
    try:
        scheme, authority, target = parts_of(url)
    except Problem:
        fix = "write a path like /blog, or http://HOST:PORT/blog"
        raise Problem(400, f"{field} {url!r} is neither a path nor a URL; {fix}") from None
    if authority is None:
        return _short(field, target), host
    own = normal_authority(scheme or "http", host_of(field, authority)) if scheme else host_of(field, authority)
    if host not in (None, own):
        raise Problem(400, f"{field} {url!r} is not at host {host!r}; write it without a host, or leave host out")
    return _short(field, target), own


def _short(field: str, target: str) -> str:
    if len(target) > LONGEST:
        raise Problem(
            400, f"{field} {target[:40]!r}… is longer than any that is stored; write at most {LONGEST} characters"
        )
    return target
