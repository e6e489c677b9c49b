"""What is customary in front of Varnish, whose configuration each site writes itself, and on other proxies' ports.

PURGE of a URL; PURGE with keys (vmod_xkey); BAN by host, URL and tags. Bans are regular expressions there. Here they
name things exactly: the forms are read that FOSHttpCache and Magento write around exact names, and all others refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.admin.vendors.calls import Fault, Rejected
from app.admin.vendors.fastly import mode
from app.admin.vendors.reading import host
from app.core.key import normal_authority
from app.core.messages import Headers, Request
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector, without_flight

KEYS = {"xkey": Mode.HARD, "xkey-purge": Mode.HARD, "xkey-softpurge": Mode.SOFT}
TAGS = ("x-cache-tags", "cache-tags", "x-magento-tags-pattern")
URLS = ("x-url", "x-ban-url")
HOSTS = ("x-host", "x-ban-host")
MEDIA_TYPES = ("x-content-type",)

ANYTHING = (".*", "")
# What is written around names that are meant exactly.
AROUND = (
    re.compile(r"\(\^\|,\)\((.*)\)\(,\|\$\)"), re.compile(r"\((.*)\)\(,\.\+\)\?\$"), re.compile(r"\^\((.*)\)\$"),
    re.compile(r"\^(.*)\$"),
)  # fmt: skip
EACH = re.compile(r"\(\(\^\|,\)([^|]+)\(,\|\$\)\)")
QUOTED = re.compile(r"\\([^A-Za-z0-9])")
UNQUOTED = re.compile(r"[\^$*()\[\]{}|\\]|\.[+?]")


def purges(request: Request, now: float) -> list[Purge]:
    """What a PURGE, BAN or PURGEKEYS asks for. Raises Rejected."""
    headers = request.headers
    keyed = [Purge(how, Selector(Kind.TAG, key), at=now) for name, how in KEYS.items() for key in _keys(headers, name)]
    if keyed:
        return keyed
    if request.method == "PURGEKEYS":
        raise Rejected(Fault.MISSING, f"PURGEKEYS names no keys; send one of {', '.join(KEYS)}")
    if request.method == "BAN" or _given(headers, TAGS) is not None:
        return [Purge(Mode.HARD, selector, at=now) for selector in _banned(request)]
    return [Purge(mode(headers), _here(request), at=now)]


def by_names(request: Request) -> bool:
    """Whether it is told how many it hit, as those who purge by keys are."""
    return request.method != "PURGE" or any(name in request.headers for name in (*KEYS, *TAGS))


def _here(request: Request) -> Selector:
    return Selector(Kind.URL, without_flight(request.target), normal_authority(request.scheme, request.authority))


def _keys(headers: Headers, name: str) -> list[str]:
    return [key for line in headers.lines(name) for key in line.replace(",", " ").split()]


def _banned(request: Request) -> Sequence[Selector]:
    headers = request.headers
    tags, url, hosts = (_given(headers, names) for names in (TAGS, URLS, HOSTS))
    if _given(headers, MEDIA_TYPES) not in (None, *ANYTHING):
        raise Rejected(Fault.VALUE, "x-content-type: nothing is purged by media type here; leave it out, or write .*")
    if tags is None and url is None and hosts is None:
        return [_here(request)]
    where = [None] if hosts is None or hosts in ANYTHING else [host(one, "the host") for one in _exact(hosts, "host")]
    tagged = [] if tags is None or tags in ANYTHING else _exact(tags, "tag")
    placed = [] if url is None or url in ANYTHING else _exact(url, "URL")
    if tagged and placed:
        raise Rejected(Fault.VALUE, "a ban by both tags and URL is none that is kept here; send one of them")
    return [selector for one in where for selector in _named(tagged, placed, one)]


def _named(tags: Iterable[str], urls: Iterable[str], where: str | None) -> list[Selector]:
    named = [Selector(Kind.TAG, tag, where) for tag in tags]
    for url in urls:
        if not url.startswith("/"):
            raise Rejected(Fault.VALUE, f"{url!r} is no path; begin it with /: it is compared as a whole")
        named.append(Selector(Kind.URL, without_flight(url), where))
    return named or [EVERYTHING if where is None else Selector(Kind.HOST, host=where)]


def _given(headers: Headers, names: Iterable[str]) -> str | None:
    return next((value.strip() for name in names if (value := headers.get(name)) is not None), None)


def _exact(expression: str, what: str) -> list[str]:
    """The names in an expression that means nothing else."""
    each = EACH.findall(expression)
    if each and "|".join(f"((^|,){one}(,|$))" for one in each) == expression:
        written = each
    else:
        inner = next((match[1] for form in AROUND if (match := form.fullmatch(expression))), expression)
        written = re.split(r"(?<!\\)\|" if what != "tag" else r"(?<!\\)\||[, ]+", inner)
    names = [_unquoted(one, expression, what) for one in written]
    return list(dict.fromkeys(name for name in names if name))


def _unquoted(written: str, expression: str, what: str) -> str:
    bare = QUOTED.sub("", written)
    if UNQUOTED.search(bare):
        fix = f"only exact matches are made: write the {what} itself, or several with | between them"
        raise Rejected(Fault.VALUE, f"{expression!r} is a regular expression, which is not carried out; {fix}")
    return QUOTED.sub(r"\1", written)
