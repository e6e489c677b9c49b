"""Akamai's Fast Purge (techdocs.akamai.com/purge-cache; PyPI edgegrid-python 2.0, fastpurge 1.0).

A CP code names all that one property serves; Swerve serves one, so that each CP code names everything. Staging and
production are one network here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from starlette.responses import Response

from app.admin.problems import answer
from app.admin.purges import Purged
from app.admin.vendors.calls import Call, Endpoint, Fault, Rejected, Vendor
from app.admin.vendors.reading import fields, items, tags, url
from app.config_error import nearest
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector

LARGEST = 50_000
MOST = 5_000  # our choice: 50,000 bytes are the limit that is documented
LONGEST_TAG = 128

MODES = {"invalidate": Mode.SOFT, "delete": Mode.HARD}
NETWORKS = ("staging", "production")


def _urls(objects: Sequence[object]) -> list[Selector]:
    return [url(one, "objects") for one in objects]


def _tags(objects: Sequence[object]) -> list[Selector]:
    return [Selector(Kind.TAG, tag) for tag in tags(objects, "objects", longest=LONGEST_TAG)]


def _cp_codes(objects: Sequence[object]) -> list[Selector]:
    for code in objects:
        if not str(code).isdigit() or isinstance(code, bool):
            raise Rejected(Fault.VALUE, f"objects has {code!r}, which is no CP code; write a number")
    return [EVERYTHING] if objects else []


KINDS: Mapping[str, Callable[[Sequence[object]], list[Selector]]] = {"url": _urls, "tag": _tags, "cpcode": _cp_codes}


def purges(call: Call) -> Sequence[Purge]:
    for name, known in (("action", MODES), ("kind", KINDS), ("network", NETWORKS)):
        if call.path[name] not in known:
            raise Rejected(Fault.NOT_THERE, f"{call.path[name]!r} is unknown; {nearest(call.path[name], known)}")
    given = fields(call, ["objects"])
    selectors = KINDS[call.path["kind"]](items(given.get("objects"), "objects", most=MOST))
    if not selectors:
        raise Rejected(Fault.MISSING, "objects is empty; name at least one")
    return [call.purge(MODES[call.path["action"]], selector) for selector in selectors]


def accepted(call: Call, _purged: Purged) -> Response:
    """It is done already: none has to wait for it."""
    ids = {"purgeId": call.id, "supportId": call.id}
    return answer({"httpStatus": 201, "estimatedSeconds": 0, **ids, "detail": "Request accepted"}, 201)


ERRORS = {Fault.TOO_LARGE: (413, "Request too large"), Fault.NOT_THERE: (404, "Not found")}
OTHER = (400, "Bad request")


def refuse(call: Call, rejected: Rejected) -> Response:
    status, title = ERRORS.get(rejected.fault, OTHER)
    content = {
        "supportId": call.id, "httpStatus": status, "title": title, "detail": rejected.detail,
        "describedBy": "https://techdocs.akamai.com/purge-cache/reference/api-errors",
    }  # fmt: skip
    return Response(json.dumps(content), status, {"cache-control": "no-store"}, "application/api-problem+json")


VENDOR = Vendor((Endpoint("/ccu/v3/{action}/{kind}/{network}", purges, accepted),), refuse, LARGEST)
