"""The routes of the vendors: a call is read, its rules say what to purge, it is done, and the client is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.admin.reading import body_within
from app.admin.vendors import akamai, cloudflare, cloudfront, fastly, netlify, vercel
from app.admin.vendors.calls import Call, Endpoint, Fault, Rejected, Vendor
from app.admin.vendors.carrying import Carrying, counted
from app.core.messages import Headers
from app.surroundings import Surroundings


def vendor_routes(around: Surroundings, carrying: Carrying) -> list[Route]:
    """Those of every vendor."""
    vendors = (fastly.VENDOR, cloudflare.VENDOR, netlify.vendor(), vercel.VENDOR, akamai.VENDOR, cloudfront.vendor())
    return [_route(around, carrying, vendor, endpoint) for vendor in vendors for endpoint in vendor.endpoints]


def _route(around: Surroundings, carrying: Carrying, vendor: Vendor, endpoint: Endpoint) -> Route:
    answering = _answering(around, carrying, vendor, endpoint)
    return Route(endpoint.path, answering, methods=[endpoint.method], include_in_schema=False)


def _answering(
    around: Surroundings, carrying: Carrying, vendor: Vendor, endpoint: Endpoint
) -> Callable[[Request], Awaitable[Response]]:
    async def answering(request: Request) -> Response:
        call = _call(request, around.clock.now())
        try:
            call = replace(call, body=await _body(request, vendor.largest))
            purged = await carrying.carry_out(endpoint.purges(call))
            return counted(endpoint.answer(call, purged), purged)
        except Rejected as rejected:
            return vendor.refuse(call, rejected)

    return answering


def _call(request: Request, now: float) -> Call:
    query: bytes = request.scope["query_string"]
    target: bytes = request.scope["raw_path"] + (b"?" + query if query else b"")
    headers = Headers.lowered(tuple(request.scope["headers"]))
    return Call(
        target.decode(errors="replace"), request.path_params, request.query_params, headers, b"", now, uuid4().hex
    )


async def _body(request: Request, largest: int) -> bytes:
    body = await body_within(request, largest)
    if body is None:
        raise Rejected(Fault.TOO_LARGE, f"the body has more than {largest} bytes; send less at a time")
    return body
