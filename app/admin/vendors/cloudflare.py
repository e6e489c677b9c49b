"""Cloudflare's purge_cache and invalidate_cache (developers.cloudflare.com/api/resources/cache; npm cloudflare 7.3).

`headers` beside a URL choose among variants there. Here a purge of a URL is one of all its variants, those included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from starlette.responses import Response

from app.admin.problems import answer
from app.admin.purges import Purged
from app.admin.vendors.calls import Call, Endpoint, Fault, Rejected, Vendor
from app.admin.vendors.reading import fields, host, items, tags, target, text, url
from app.config_error import nearest
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector

MOST = 100
LONGEST_TAG = 1024

# The status and the code of its errors: 1012 is what it says to a body that names nothing.
ERRORS = {
    Fault.MISSING: (400, 1012),
    Fault.TOO_LARGE: (413, 1003),
}
OTHER = (400, 1003)


def _files(value: object) -> list[Selector]:
    return [_file(item) for item in items(value, "files", most=MOST)]


def _file(item: object) -> Selector:
    if not isinstance(item, dict):
        return url(item, "files")
    for name in item:
        if name not in ("url", "headers"):
            raise Rejected(Fault.UNKNOWN, f"files: {name} is unknown; {nearest(name, ['url', 'headers'])}")
    if not isinstance(item.get("headers", {}), dict):
        raise Rejected(Fault.VALUE, "files: headers is no object; write names and values")
    return url(item.get("url"), "files: url")


def _tags(value: object) -> list[Selector]:
    return [Selector(Kind.TAG, tag) for tag in tags(items(value, "tags", most=MOST), "tags", longest=LONGEST_TAG)]


def _hosts(value: object) -> list[Selector]:
    return [Selector(Kind.HOST, host=host(item, "hosts")) for item in items(value, "hosts", most=MOST)]


def _prefixes(value: object) -> list[Selector]:
    return [_prefix(text(item, "prefixes")) for item in items(value, "prefixes", most=MOST)]


def _prefix(written: str) -> Selector:
    if "://" in written or "?" in written or "#" in written:
        fix = "write a host and a path, without scheme and query, like www.example.com/blog/"
        raise Rejected(Fault.VALUE, f"prefixes has {written!r}; {fix}")
    authority, slash, path = written.partition("/")
    where = host(authority, "prefixes")
    return Selector(Kind.PREFIX, target(slash + path), where) if path else Selector(Kind.HOST, host=where)


def _everything(value: object) -> list[Selector]:
    if value is not True:
        raise Rejected(Fault.VALUE, f"purge_everything is {value!r}; write true, or leave it out")
    return [EVERYTHING]


FIELDS: Mapping[str, Callable[[object], list[Selector]]] = {
    "files": _files, "tags": _tags, "hosts": _hosts, "prefixes": _prefixes, "purge_everything": _everything,
}  # fmt: skip


def purges(mode: Mode, call: Call) -> Sequence[Purge]:
    """One field says by what, its value says which."""
    given: dict[str, Any] = fields(call, list(FIELDS))
    if len(given) != 1:
        told = " and ".join(sorted(given)) or "nothing"
        raise Rejected(Fault.MISSING, f"the body names {told}; send one of {', '.join(FIELDS)}")
    ((name, value),) = given.items()
    selectors = FIELDS[name](value)
    if not selectors:
        raise Rejected(Fault.MISSING, f"{name} is empty; name at least one")
    return [call.purge(mode, selector) for selector in selectors]


def done(call: Call, _purged: Purged) -> Response:
    return answer({"success": True, "errors": [], "messages": [], "result": {"id": call.path["zone"]}})


def refuse(_call: Call, rejected: Rejected) -> Response:
    status, code = ERRORS.get(rejected.fault, OTHER)
    errors = [{"code": code, "message": rejected.detail}]
    return answer({"success": False, "errors": errors, "messages": [], "result": None}, status)


PLACES = ("/client/v4/zones/{zone}", "/client/v4/zones/{zone}/environments/{environment}")
MODES = {"purge_cache": Mode.HARD, "invalidate_cache": Mode.SOFT}

VENDOR = Vendor(
    tuple(Endpoint(f"{place}/{name}", partial(purges, mode), done) for place in PLACES for name, mode in MODES.items()),
    refuse,
)
