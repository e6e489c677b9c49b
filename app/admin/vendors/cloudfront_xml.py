"""CloudFront's documents: batches of invalidations are read, invalidations and errors written (API 2020-05-31)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from starlette.responses import Response

from app.admin.vendors.calls import Call, Fault, Rejected

NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"
BATCH = "InvalidationBatch"
KNOWN = frozenset({"CallerReference", "Paths", "Quantity", "Items", "Path"})


@dataclass(frozen=True, slots=True)
class Invalidation:
    """`items` as they were written. `created` in HTTP time."""

    id: str
    distribution: str
    reference: str
    items: tuple[str, ...]
    created: float


def read(call: Call) -> Invalidation:
    """The batch in a call's body, as an invalidation that is new. Raises Rejected."""
    root = _parsed(call.body)
    reference = root.findtext("{*}CallerReference") or ""
    if not reference:
        raise Rejected(Fault.MISSING, "CallerReference is missing; write one that is new for each batch")
    quantity = root.findtext("{*}Paths/{*}Quantity") or ""
    items = tuple(item.text or "" for item in root.iterfind("{*}Paths/{*}Items/{*}Path"))
    if quantity != str(len(items)):
        raise Rejected(Fault.COUNT, f"Quantity is {quantity or 'missing'}, and Items has {len(items)}; make them agree")
    return Invalidation(f"I{call.id[:13].upper()}", call.path["distribution"], reference, items, call.now)


def _parsed(body: bytes) -> ET.Element:
    """In whatever namespace: not every client writes it."""
    if b"<!" in body or b"\0" in body:  # a document type, with entities that could grow without end, in any encoding
        raise Rejected(Fault.UNREADABLE, "the body has declarations; write elements only")
    try:
        root = ET.fromstring(body)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Rejected(Fault.UNREADABLE, f"the body is not XML: {error}; write an {BATCH}") from None
    if _name(root) != BATCH:
        raise Rejected(Fault.UNREADABLE, f"the body is {_name(root)!r}; write an {BATCH}")
    for element in root.iter():
        if element is not root and _name(element) not in KNOWN:
            raise Rejected(Fault.UNKNOWN, f"{_name(element)} is unknown; known: {', '.join(sorted(KNOWN))}")
    return root


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def whole(one: Invalidation) -> ET.Element:
    root = ET.Element("Invalidation", xmlns=NAMESPACE)
    _summarise(root, one)
    batch = ET.SubElement(root, BATCH)
    paths = ET.SubElement(batch, "Paths")
    _text(paths, "Quantity", str(len(one.items)))
    items = ET.SubElement(paths, "Items")
    for item in one.items:
        _text(items, "Path", item)
    _text(batch, "CallerReference", one.reference)
    return root


def listed(page: Sequence[Invalidation], marker: str, most: int, *, more: bool) -> ET.Element:
    """A page of a list: what comes after the marker."""
    root = ET.Element("InvalidationList", xmlns=NAMESPACE)
    _text(root, "Marker", marker)
    if more:
        _text(root, "NextMarker", page[-1].id)
    for name, value in (("MaxItems", most), ("IsTruncated", more), ("Quantity", len(page))):
        _text(root, name, str(value).lower())
    items = ET.SubElement(root, "Items")
    for one in page:
        _summarise(ET.SubElement(items, "InvalidationSummary"), one)
    return root


def failed(code: str, message: str, id: str) -> ET.Element:
    root = ET.Element("ErrorResponse", xmlns=NAMESPACE)
    error = ET.SubElement(root, "Error")
    for name, value in (("Type", "Sender"), ("Code", code), ("Message", message)):
        _text(error, name, value)
    _text(root, "RequestId", id)
    return root


def _summarise(parent: ET.Element, one: Invalidation) -> None:
    created = datetime.fromtimestamp(one.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for name, value in (("Id", one.id), ("CreateTime", created), ("Status", "Completed")):
        _text(parent, name, value)


def _text(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, name).text = value


def written(root: ET.Element, status: int = 200, location: str | None = None) -> Response:
    headers = {"cache-control": "no-store", **({} if location is None else {"location": location})}
    return Response(ET.tostring(root, encoding="utf-8", xml_declaration=True), status, headers, "text/xml")
