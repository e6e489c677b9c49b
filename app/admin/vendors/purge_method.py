"""PURGE, BAN and PURGEKEYS on the proxy's own port, where the setting `purge_method` lets them in."""

from __future__ import annotations

import hmac
from dataclasses import replace
from time import perf_counter
from uuid import uuid4

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.admin.problems import answer
from app.admin.vendors.calls import Rejected
from app.admin.vendors.carrying import Carrying, counted
from app.admin.vendors.credentials import shown
from app.admin.vendors.fastly import purge_id
from app.admin.vendors.varnish import by_names, purges
from app.arrival import request_from
from app.core.decisions import Result, Verdict
from app.core.fields import AUTHORITY
from app.core.messages import Headers, Request
from app.core.reasons import Reason
from app.journal import Event
from app.store.base import StoreError
from app.surroundings import Surroundings

METHODS = frozenset({"PURGE", "BAN", "PURGEKEYS"})
TOKEN_FIELD = "x-purge-token"


class PurgeMethod:
    """ASGI, in front of the edge: those methods are answered here, all else goes on. With a `token` they must show it.

    Never a web page's: whoever could reach the proxy could be made to empty it by a visit to another site.
    """

    def __init__(self, app: ASGIApp, around: Surroundings, carrying: Carrying, token: str | None) -> None:
        self.app, self.around, self.carrying, self.token = app, around, carrying, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in METHODS:
            await self.app(scope, receive, send)
            return
        at, started = self.around.clock.now(), perf_counter()
        sent = Headers.lowered(tuple(scope["headers"]))  # with those that are not passed on, like X-Host
        request = replace(request_from(scope, self.around.forwarding), headers=sent)
        response = await self.answer(request)
        await response(scope, receive, send)
        status, body, why = response.status_code, bytes(response.body), None
        verdict = Verdict(Result.PASS, Reason.PURGE, "")
        if status != 200:
            verdict, why = Verdict(Result.ERROR, Reason.PURGE_REFUSED, ""), body.decode().strip()
        took = perf_counter() - started
        self.around.journal.record(Event(at, request, status, verdict, took, len(body), proxy_detail=why))

    async def answer(self, request: Request) -> Response:
        try:
            return self.refusal(request) or await self.purge(request)
        except Rejected as rejected:
            return _text(400, rejected.detail)
        except StoreError as error:
            return _text(503, f"not acknowledged: {error}; ask again once the store is back")

    def refusal(self, request: Request) -> Response | None:
        headers = request.headers
        if "origin" in headers:
            return _text(403, "web pages may not purge")
        if AUTHORITY.fullmatch(request.authority) is None:
            return _text(400, "Host is missing, or no host")
        if self.token is None:
            return None
        tokens = [*shown(headers), *headers.lines(TOKEN_FIELD)]
        if any(hmac.compare_digest(one.encode(), self.token.encode()) for one in tokens):
            return None
        fix = f"send Authorization: Bearer, Fastly-Key or {TOKEN_FIELD} with SWERVE_ADMIN_TOKEN"
        response = _text(401, f"this needs the admin token; {fix}")
        response.headers["www-authenticate"] = 'Bearer realm="swerve"'
        return response

    async def purge(self, request: Request) -> Response:
        now = self.around.clock.now()
        purged = await self.carrying.carry_out(purges(request, now))
        if by_names(request):
            return counted(_text(200, f"Invalidated {purged.matched} objects"), purged)
        return counted(answer({"status": "ok", "id": purge_id(uuid4().hex, now)}), purged)


def _text(status: int, words: str) -> Response:
    return PlainTextResponse(f"{words}\n", status, {"cache-control": "no-store"})
