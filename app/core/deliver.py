"""The head that leaves, and which bytes follow it (RFC 9110 §15.3.7, §15.4.5, RFC 9111 §4, §5.1)."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.decisions import Pass, Save, StoredResponse
from app.core.fields import parse_length
from app.core.messages import Headers, Request, Response, unpacked
from app.core.ranges import Span, complete_length, content_range, multipart, range_applies, requested_spans
from app.core.rules import Rules, SetCookie
from app.core.validation import not_modified

# RFC 9110 §15.4.5: what a 304 must carry. What else describes the body stays away: the client has it.
IN_NOT_MODIFIED = frozenset({"cache-control", "content-location", "date", "etag", "expires", "vary", "last-modified"})

# RFC 9112 §6.2, RFC 9110 §8.6: answers that have no body, whatever their fields say.
BODYLESS_STATUSES = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A head, and the body as literal bytes and spans of the stored body; None: the whole of whatever body there is."""

    response: Response
    parts: tuple[bytes | Span, ...] | None = None


def deliver_stored(request: Request, stored: StoredResponse, now: float) -> Delivery:
    """A stored response as the answer to a request: 304, 206, 416 or as it is."""
    response = aged(stored, now)
    if not_modified(request, response):
        return Delivery(not_modified_head(response), ())
    if stored.first_byte is not None:
        return _deliver_part(stored, response, request)
    if response.status == 200 and range_applies(request, response.headers):
        spans = requested_spans(request, stored.size)
        if spans is not None:
            return _deliver_spans(stored, response, spans)
    return Delivery(_with_length(response, stored.size), () if _bodyless(request, response) else ((0, stored.size),))


def aged(stored: StoredResponse, now: float) -> Response:
    """A stored response's head with its current age (RFC 9111 §5.1)."""
    age = ("age", str(int(stored.freshness.age(now))))
    return Response(stored.status, unpacked(stored.head).adding(age))


def handed_on(outcome: Save | Pass, response: Response, rules: Rules) -> Response:
    """What of a response that just came is for the one who asked for it."""
    if isinstance(outcome, Save) and rules.set_cookie is SetCookie.STRIP:
        return response.with_headers(response.headers.without({"set-cookie"}))
    return response


def asked_as_whole(request: Request, sent: Request) -> bool:
    """Whether the origin was asked for the whole on behalf of who wants a part."""
    return "range" in request.headers and "range" not in sent.headers


def deliver_fetched(request: Request, response: Response, *, whole: bool = False) -> Delivery:
    """A response that just came, as the answer to whoever asked for it. `whole`: the origin was asked for the whole,
    whatever Range the client sent; then one part is cut from it. Of several the whole is sent (RFC 9110 §14.2)."""
    if not_modified(request, response):
        return Delivery(not_modified_head(response), ())
    length = parse_length(response.headers.get("content-length"))
    if whole and response.status == 200 and length is not None and range_applies(request, response.headers):
        spans = requested_spans(request, length)
        if spans is not None and len(spans) < 2:
            return _deliver_one(response.headers, spans, 0, length)
    if response.status in BODYLESS_STATUSES:  # the length of what is not sent (RFC 9110 §8.6) helps nobody
        return Delivery(response.with_headers(response.headers.without({"content-length"})), ())
    return Delivery(response, () if _bodyless(request, response) else None)


def _bodyless(request: Request, response: Response) -> bool:
    return request.method == "HEAD" or response.status in BODYLESS_STATUSES


def not_modified_head(response: Response) -> Response:
    headers = response.headers
    kept = tuple([pair for pair in headers if _stays_in_not_modified(pair[0].decode("latin-1"))])
    return Response(304, Headers.lowered(kept))


def _stays_in_not_modified(name: str) -> bool:
    """What describes the body is left out; what caches, CDNs and browsers act on stays."""
    return name in IN_NOT_MODIFIED or not name.startswith("content-") or name == "content-security-policy"


def _with_length(response: Response, size: int) -> Response:
    if response.status in BODYLESS_STATUSES:
        return response.with_headers(response.headers.without({"content-length"}))
    if response.headers.lines("content-length") == [str(size)]:
        return response
    return response.with_headers(response.headers.with_(("content-length", str(size))))


def _deliver_part(stored: StoredResponse, response: Response, request: Request) -> Delivery:
    """From a stored part: as it came for the same Range, else the piece of it that was asked for."""
    if request.method == "HEAD" or request.headers.get("range") == stored.requested_range:
        return Delivery(_with_length(response, stored.size), () if request.method == "HEAD" else ((0, stored.size),))
    first = stored.first_byte or 0
    spans = [(start - first, stop - first) for start, stop in requested_spans(request, stored.complete_length) or []]
    return _deliver_spans(stored, response, spans)


def _deliver_one(headers: Headers, spans: list[Span], offset: int, complete: int | None) -> Delivery:
    """The one span that was asked for, of a body that begins at `offset` of the whole; or that there is none."""
    headers = headers.without({"content-length", "content-range"})
    if not spans:
        unsatisfied = headers.without({"content-type", "content-encoding"})
        lines = (("content-range", f"bytes */{complete}"), ("content-length", "0"))
        return Delivery(Response(416, unsatisfied.with_(*lines)), ())
    ((start, stop),) = spans
    lines = (("content-range", content_range(spans[0], offset, complete)), ("content-length", str(stop - start)))
    return Delivery(Response(206, headers.with_(*lines)), (spans[0],))


def _deliver_spans(stored: StoredResponse, response: Response, spans: list[Span]) -> Delivery:
    if len(spans) < 2:
        return _deliver_one(response.headers, spans, stored.first_byte or 0, complete_length(stored))
    headers = response.headers.without({"content-length", "content-range"})
    boundary = f"swerve-{stored.size:x}-{int(stored.stored_at):x}"
    parts = multipart(spans, stored, boundary)
    length = sum(len(part) if isinstance(part, bytes) else part[1] - part[0] for part in parts)
    lines = (("content-type", f"multipart/byteranges; boundary={boundary}"), ("content-length", str(length)))
    return Delivery(Response(206, headers.with_(*lines)), tuple(parts))
