"""Conditions both ways, ours to the origin and the client's to us, and freshening (RFC 9110 §13, RFC 9111 §4.3)."""

from __future__ import annotations

from dataclasses import replace

from app.core.decisions import Exchange, StoredResponse
from app.core.fields import EntityTag, format_date, parse_date, split_list
from app.core.messages import Headers, Request, Response
from app.core.rules import Rules

CONDITIONS = frozenset({"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"})

# RFC 9111 §3.2: what describes the stored body is not replaced by a message that carries none.
OF_THE_BODY = frozenset({"content-encoding", "content-length", "content-range", "content-md5", "etag"})


def has_validator(headers: Headers) -> bool:
    return "etag" in headers or "last-modified" in headers


def with_validator(headers: Headers, now: float, rules: Rules) -> Headers:
    """A response's fields, with the time at which it came as Last-Modified where the rules make one."""
    if not rules.makes_last_modified or has_validator(headers):
        return headers
    return headers.adding(("last-modified", format_date(now)))


def conditional(request: Request, stored: StoredResponse, rules: Rules) -> Request:
    """The request that asks the origin whether the stored response is still right (RFC 9111 §4.3.1); for another one,
    where this cache does not validate."""
    if not rules.validates:
        return request.with_headers(request.headers.without(CONDITIONS | {"range"}))
    lines, held = [], stored.response.headers
    if (etag := held.get("etag")) is not None:
        lines.append(("if-none-match", etag))
    if (modified := held.get("last-modified")) is not None:
        lines.append(("if-modified-since", modified))
    return request.with_headers(request.headers.without(CONDITIONS | {"range"}).with_(*lines))


def unconditional(request: Request) -> Request:
    """The request without the client's conditions, so that the answer can be stored and serve everybody."""
    return request.with_headers(request.headers.without(CONDITIONS))


def not_modified(request: Request, response: Response) -> bool:
    """Whether the client already holds this response: then 304 suffices (RFC 9110 §13.2.2).

    If-None-Match compares weakly and has precedence. Without Last-Modified, Date takes its place (RFC 9111 §4.3.2).
    """
    if request.method not in ("GET", "HEAD") or response.status != 200:
        return False
    wanted = request.headers.get("if-none-match")
    if wanted is not None:
        etag = response.headers.get("etag")
        if wanted.strip() == "*":
            return True
        return etag is not None and any(
            EntityTag.parse(etag).matches_weakly(EntityTag.parse(member)) for member in split_list(wanted)
        )
    since = parse_date(request.headers.get("if-modified-since"))
    if since is None:
        return False
    changed = parse_date(response.headers.get("last-modified") or response.headers.get("date"))
    return changed is not None and changed <= since


def confirms(exchange: Exchange, stored: StoredResponse) -> bool:
    """Whether this answer to our own condition, or to HEAD, speaks of the stored response (RFC 9111 §4.3.4, §4.3.5)."""
    new = exchange.response.headers
    if exchange.response.status == 304:
        sent = exchange.request.headers
        return "if-none-match" in sent or "if-modified-since" in sent
    if exchange.response.status != stored.status or new.get("content-length") not in (None, str(stored.size)):
        return False
    old = stored.response.headers
    return all(new.get(name) == old.get(name) for name in ("etag", "last-modified") if name in new)


def merged(exchange: Exchange, stored: StoredResponse, rules: Rules) -> Exchange:
    """The exchange as if the origin had sent the whole: the stored response with the fields of the 304, or of the 200
    to HEAD (RFC 9111 §3.2, §4.3.4). The storing rules judge it like any other.

    A 304 with another entity-tag than the one we asked about must not update what is stored. The origin has yet said
    that what we named is current: it is used and its age starts anew, but its fields stay.
    """
    held, new = stored.response, exchange.response.headers
    old = held.headers
    headers = old if _speaks_of_another(new, old) else _merged(old, new)
    headers = headers.with_(("date", new.get("date") or format_date(exchange.response_time)))
    return replace(
        exchange,
        request=replace(exchange.request, method="GET"),
        response=held.with_headers(headers),
        control=rules.directives(headers, held.status),
    )


def _speaks_of_another(new: Headers, old: Headers) -> bool:
    named, held = new.get("etag"), old.get("etag")
    if named is None:
        return False
    return held is None or not EntityTag.parse(named).matches_weakly(EntityTag.parse(held))


def _merged(old: Headers, new: Headers) -> Headers:
    update = new.without(OF_THE_BODY)
    return Headers.lowered((*old.without(update.names()).pairs, *update.pairs))
