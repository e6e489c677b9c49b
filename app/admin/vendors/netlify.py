"""Netlify's purge (docs.netlify.com/platform/caching; npm @netlify/functions 5.3, @netlify/api 14.0).

There is one site here, whatever its id, and no deploy of it stands beside another: `deploy_alias` narrows nothing down.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.responses import Response

from app.admin.problems import answer
from app.admin.purges import Purged
from app.admin.vendors.calls import Call, Endpoint, Fault, Rejected, Vendor
from app.admin.vendors.pace import Pace
from app.admin.vendors.reading import fields, host, items, tags, text
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector

MOST_TAGS = 500
LONGEST_TAG = 1024  # our choice: none is documented
TIMES, SECONDS = 2, 5.0  # for each tag, or for the site where no tags are named

SITES = ("site_id", "site_slug", "domain")
FIELDS = (*SITES, "cache_tags", "deploy_alias")

STATUSES = {Fault.TOO_LARGE: 413, Fault.TOO_FAST: 429}


def purges(pace: Pace, call: Call) -> Sequence[Purge]:
    """Without `cache_tags` everything, of an empty list nothing."""
    given = {name: value for name, value in fields(call, FIELDS).items() if value is not None}
    if not any(name in given for name in SITES):
        raise Rejected(Fault.MISSING, f"no site; send one of {', '.join(SITES)}")
    for name in (*SITES[:2], "deploy_alias"):
        if name in given:
            text(given[name], name)
    where = host(given["domain"], "domain") if "domain" in given else None
    selectors = _selectors(given, where)
    if (fast := pace.take(selector.name for selector in selectors)) is not None:
        words = Selector.named(fast).words
        raise Rejected(Fault.TOO_FAST, f"{words} was purged {TIMES} times in the last {SECONDS:g} s; wait that long")
    return [call.purge(Mode.HARD, selector) for selector in selectors]


def _selectors(given: dict[str, Any], where: str | None) -> list[Selector]:
    if "cache_tags" in given:
        named = tags(items(given["cache_tags"], "cache_tags", most=MOST_TAGS), "cache_tags", longest=LONGEST_TAG)
        return [Selector(Kind.TAG, tag, where) for tag in named]
    return [EVERYTHING if where is None else Selector(Kind.HOST, host=where)]


def accepted(_call: Call, _purged: Purged) -> Response:
    """Of no media type: a client reads an empty body as JSON if that says so, and fails."""
    return Response(status_code=202, headers={"cache-control": "no-store"})


def refuse(_call: Call, rejected: Rejected) -> Response:
    status = STATUSES.get(rejected.fault, 400)
    response = answer({"code": status, "message": rejected.detail}, status)
    if rejected.fault is Fault.TOO_FAST:
        response.headers["retry-after"] = f"{SECONDS:g}"
    return response


def vendor(pace: Pace | None = None) -> Vendor:
    rule = partial(purges, pace or Pace(TIMES, SECONDS))
    return Vendor((Endpoint("/api/v1/purge", rule, accepted),), refuse)
