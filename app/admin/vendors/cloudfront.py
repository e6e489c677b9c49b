"""CloudFront's invalidations (API 2020-05-31; npm @aws-sdk/client-cloudfront 3.1164, PyPI boto3 1.44).

They name paths and queries at any host; a * at the end, and only there, stands for whatever follows; #tag names a tag.
An invalidation is Completed when it is answered. What was asked for is remembered for a while, by distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from cachetools import FIFOCache
from starlette.responses import Response

from app.admin.purges import Purged
from app.admin.vendors.calls import Call, Endpoint, Fault, Rejected, Vendor
from app.admin.vendors.cloudfront_xml import Invalidation, failed, listed, read, whole, written
from app.admin.vendors.reading import target
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector

PLACE = "/2020-05-31/distribution/{distribution}/invalidation"
MOST_ITEMS = 3_000
MOST_WILDCARDS = 15
LONGEST_TAG = 256
REMEMBERED = 1_000
MOST_LISTED = 100


class Invalidations:
    """The last ones, by distribution and reference; and the rules of the calls that make, get and list them."""

    def __init__(self) -> None:
        self._kept: FIFOCache[tuple[str, str], Invalidation] = FIFOCache(REMEMBERED)

    def of(self, distribution: str) -> list[Invalidation]:
        """The newest first."""
        return [one for one in reversed(list(self._kept.values())) if one.distribution == distribution]

    def purges(self, call: Call) -> Sequence[Purge]:
        """The same reference with the same items is the same invalidation, and is done."""
        asked = read(call)
        selectors = _selectors(asked.items)
        known = self._kept.get((asked.distribution, asked.reference))
        if known is None:
            return [call.purge(Mode.HARD, selector) for selector in selectors]
        if sorted(known.items) != sorted(asked.items):
            fix = "write another for other items"
            raise Rejected(Fault.CONFLICT, f"CallerReference {asked.reference!r} was used before; {fix}")
        return ()

    def created(self, call: Call, _purged: Purged) -> Response:
        asked = read(call)
        one = self._kept.setdefault((asked.distribution, asked.reference), asked)
        here = f"http://{call.headers.get('host') or ''}{call.target.partition('?')[0]}/{one.id}"
        return written(whole(one), 201, here)

    def told(self, call: Call, _purged: Purged) -> Response:
        one = next((one for one in self.of(call.path["distribution"]) if one.id == call.path["id"]), None)
        if one is None:
            raise Rejected(Fault.NOT_THERE, f"no invalidation {call.path['id']} is remembered; list those that are")
        return written(whole(one))

    def listed(self, call: Call, _purged: Purged) -> Response:
        """A page of MaxItems, of those that come after Marker."""
        most, marker = _page(call), call.query.get("Marker", "")
        every = self.of(call.path["distribution"])
        ids = [one.id for one in every]
        rest = every[ids.index(marker) + 1 :] if marker in ids else every
        return written(listed(rest[:most], marker, most, more=len(rest) > most))


def _selectors(items: Sequence[str]) -> list[Selector]:
    if not items:
        raise Rejected(Fault.MISSING, "Items is empty; name at least one path or #tag")
    if len(items) > MOST_ITEMS:
        raise Rejected(Fault.TOO_MANY, f"Items has {len(items)}; send at most {MOST_ITEMS} at a time")
    if sum(item.endswith("*") for item in items) > MOST_WILDCARDS:
        raise Rejected(Fault.TOO_MANY, f"more than {MOST_WILDCARDS} paths end in *; name fewer, shorter ones")
    return [_tag(item) if item.startswith("#") else _path(item) for item in items]


def _tag(item: str) -> Selector:
    tag = item[1:]
    if not 0 < len(tag) <= LONGEST_TAG or any(not "!" <= letter <= "~" or letter in ",*" for letter in tag):
        fix = f"write up to {LONGEST_TAG} visible ASCII characters, no comma and no *"
        raise Rejected(Fault.VALUE, f"{item!r} is no tag; {fix}")
    return Selector(Kind.TAG, tag)


def _path(item: str) -> Selector:
    if not item.startswith("/") or "*" in item[:-1] or "#" in item:
        raise Rejected(Fault.VALUE, f"{item!r} is no path; begin it with /, and write * at its end or not at all")
    if item.endswith("*"):
        return EVERYTHING if item == "/*" else Selector(Kind.PREFIX, target(item[:-1]))
    return Selector(Kind.URL, target(item))


def _page(call: Call) -> int:
    most = call.query.get("MaxItems", str(MOST_LISTED))
    if not (most.isascii() and most.isdigit() and 1 <= int(most[:9]) <= MOST_LISTED):
        raise Rejected(Fault.VALUE, f"MaxItems is {most!r}; write a number from 1 to {MOST_LISTED}")
    return int(most)


OTHER = (400, "InvalidArgument")
ERRORS = {
    Fault.UNREADABLE: (400, "MalformedXML"),
    Fault.UNKNOWN: (400, "MalformedXML"),
    Fault.COUNT: (400, "InconsistentQuantities"),
    Fault.TOO_MANY: (400, "TooManyInvalidationsInProgress"),
    Fault.TOO_LARGE: (413, "BatchTooLarge"),
    Fault.CONFLICT: (400, "InvalidationBatchAlreadyExists"),
    Fault.NOT_THERE: (404, "NoSuchInvalidation"),
}


def refuse(call: Call, rejected: Rejected) -> Response:
    status, code = ERRORS.get(rejected.fault, OTHER)
    return written(failed(code, rejected.detail, call.id), status)


def _nothing(_call: Call) -> Sequence[Purge]:
    return ()


def vendor() -> Vendor:
    kept = Invalidations()
    get = partial(Endpoint, method="GET")
    return Vendor(
        (
            Endpoint(PLACE, kept.purges, kept.created),
            get(PLACE, _nothing, kept.listed),
            get(f"{PLACE}/{{id}}", _nothing, kept.told),
        ),
        refuse,
    )
