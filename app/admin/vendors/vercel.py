"""Vercel's edge-cache calls (vercel.com/docs/rest-api; npm @vercel/sdk 1.28).

The images made from a source image are known by the URLs that Vercel's and Next.js's image components write, which
begin with the source. There is one project and one environment here: those in the call narrow nothing down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from app.admin.orders import LATEST
from app.admin.problems import answer
from app.admin.purges import Purged
from app.admin.vendors.calls import Call, Endpoint, Fault, Rejected, Vendor
from app.admin.vendors.reading import fields, items, tags, text
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector

MOST = 16
LONGEST_TAG = 256
ALL = "*"
TARGETS = ("production", "preview")
QUERY = ("projectIdOrName", "teamId", "slug")
DEADLINE = "revalidationDeadlineSeconds"
IMAGES = ("/_vercel/image?url=", "/_next/image?url=")

STATUSES = {Fault.TOO_LARGE: 413}


def by_tags(value: object) -> list[Selector]:
    """A list, or text with commas. The tag * names everything."""
    listed = value.split(",") if isinstance(value, str) else value
    named = tags(items(listed, "tags", most=MOST), "tags", longest=LONGEST_TAG)
    return [EVERYTHING if tag == ALL else Selector(Kind.TAG, tag) for tag in named]


def by_images(value: object) -> list[Selector]:
    return [one for item in items(value, "srcImages", most=MOST) for one in _made_from(text(item, "srcImages"))]


def _made_from(source: str) -> Iterable[Selector]:
    written = quote(source, safe="!'()*~-_.")  # as encodeURIComponent does
    for place in IMAGES:
        yield Selector(Kind.URL, place + written)
        yield Selector(Kind.PREFIX, f"{place}{written}&")


def purges(
    name: str, named: Callable[[object], list[Selector]], known: Sequence[str], mode: Mode, call: Call
) -> Sequence[Purge]:
    """What a field of that name asks for. A delete with a deadline is an invalidation until then."""
    if not call.query.get(QUERY[0]):
        raise Rejected(Fault.MISSING, f"the query has no {QUERY[0]}; any name will do")
    given = fields(call, (name, *known))
    if name not in given:
        raise Rejected(Fault.MISSING, f"{name} is missing; name at least one")
    if given.get("target", TARGETS[0]) not in TARGETS:
        raise Rejected(Fault.VALUE, f"target is {given['target']!r}; write {' or '.join(TARGETS)}")
    selectors, seconds = named(given[name]), _deadline(given)
    if not selectors:
        raise Rejected(Fault.MISSING, f"{name} is empty; name at least one")
    if seconds:
        return [call.purge(Mode.SOFT, selector, call.now + seconds) for selector in selectors]
    return [call.purge(mode, selector) for selector in selectors]


def _deadline(given: dict[str, Any]) -> int:
    seconds = given.get(DEADLINE, 0)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= LATEST:
        raise Rejected(Fault.VALUE, f"{DEADLINE} is {seconds!r}; write whole seconds, at most {LATEST}")
    return seconds


def done(_call: Call, _purged: Purged) -> Response:
    return Response(status_code=200, headers={"cache-control": "no-store"})


def refuse(_call: Call, rejected: Rejected) -> Response:
    status = STATUSES.get(rejected.fault, 400)
    return answer({"error": {"code": "bad_request", "message": rejected.detail}}, status)


# What follows /v1/edge-cache/: the field that names, what it names, and which fields may stand beside it.
RULES: dict[str, tuple[str, Callable[[object], list[Selector]], Sequence[str], Mode]] = {
    "invalidate-by-tags": ("tags", by_tags, ["target"], Mode.SOFT),
    "dangerously-delete-by-tags": ("tags", by_tags, ["target", DEADLINE], Mode.HARD),
    "invalidate-by-src-images": ("srcImages", by_images, [], Mode.SOFT),
    "dangerously-delete-by-src-images": ("srcImages", by_images, [DEADLINE], Mode.HARD),
}

VENDOR = Vendor(
    tuple(Endpoint(f"/v1/edge-cache/{name}", partial(purges, *rule), done) for name, rule in RULES.items()), refuse
)
