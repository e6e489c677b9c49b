"""The admin side: health, counters, and the whole reasoning for a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import __version__
from app.admin.asked import Asked, has_host
from app.admin.guard import Guard, admin_token
from app.admin.problems import Problem, answer, told, translated
from app.admin.vendors.routes import vendor_routes
from app.core.explain import Explanation, Known, explain
from app.core.forwarding import arrived
from app.core.key import cache_key
from app.core.messages import Request as Asking
from app.engine import Engine
from app.journal import Event
from app.settings import Settings
from app.upstream.probe import failure_of

# A question is one request's head.
LARGEST = 128 * 2**10
# How long /readyz tries to connect to the origin: less than any health check waits.
PATIENCE = 1.0


def admin_app(engine: Engine, settings: Settings) -> Starlette:
    """The admin side of a running cache, guarded."""
    admin = Admin(engine, settings)
    return Starlette(
        routes=[
            Route("/", admin.index),
            Route("/healthz", admin.healthz),
            Route("/readyz", admin.readyz),
            Route("/version", admin.version),
            Route("/v1/stats", admin.stats),
            Route("/v1/why", admin.why, methods=["POST"]),
            *vendor_routes(engine.around),
        ],
        middleware=[Middleware(Guard, settings.admin, admin_token(settings))],
        exception_handlers={Problem: told, HTTPException: translated},
    )


class Admin:
    """What the routes answer."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.around, self.settings = engine, engine.around, settings

    async def index(self, _request: Request) -> Response:
        """What there is: where the banner's link leads."""
        paths = ["/healthz", "/readyz", "/version", "/v1/stats", "/v1/why (POST)"]
        return answer({"name": "swerve", "version": __version__, "paths": paths})

    async def healthz(self, _request: Request) -> Response:
        return answer({"status": "alive"})

    async def readyz(self, request: Request) -> Response:
        """Ready at once: what is stored can be served without an origin. `?origin=1` asks for the origin as well."""
        origin = self.around.upstream.origin
        failed = await failure_of(origin, PATIENCE)
        failure = None if failed is None else failed.detail
        ready = failure is None or request.query_params.get("origin") != "1"
        state = {"address": str(origin), "reachable": failure is None, "detail": failure}
        return answer({"ready": ready, "origin": state}, 200 if ready else 503)

    async def version(self, _request: Request) -> Response:
        return answer({"name": "swerve", "version": __version__})

    async def stats(self, _request: Request) -> Response:
        fetcher, store, dialect = self.engine.fetcher, self.around.store, self.around.dialect
        counters = self.around.journal.counters
        return answer({
            "version": __version__,
            "dialect": {"name": dialect.name, "as_of": dialect.as_of},
            "counters": {one.name: getattr(counters, one.name) for one in fields(counters)},
            "store": asdict(store.state()),
            "flights": {"under_way": len(fetcher.flights), "refreshing": fetcher.refreshing},
        })  # fmt: skip

    async def why(self, request: Request) -> Response:
        asked = Asked.parse(await _body(request))
        events = self.around.journal.events
        like = next((event for event in reversed(events) if asked.fits(event)), None)
        explained = asked.completed(like, next(filter(has_host, reversed(events)), None), self.settings)
        explained = explained if like and not asked.headers else arrived(explained, self.around.forwarding)
        key, now = cache_key(explained, self.engine.rules), self.around.clock.now()
        known = Known(
            stored=await self.around.store.lookup(key),
            exchange=self.around.journal.exchanges.get(key),
            uncacheable=key in self.engine.fetcher.uncacheable,
            recent_keys=[event.verdict.key for event in events],
            node=self.around.forwarding.node,
        )
        explanation = explain(explained, known, self.engine.rules, now)
        as_last = like is not None and explained is like.request
        return answer({
            "request": {"method": explained.method, "url": _url(explained), "as_last": as_last},
            **asdict(explanation),
            "in_flight": self.engine.fetcher.flights.find(key) is not None,
            "last_request": like and _seen(like, now),
            "dialect": self.around.dialect.name,
            "says": self._says(explanation),
        })  # fmt: skip

    def _says(self, explanation: Explanation) -> Mapping[str, str]:
        """The words in which this dialect reports it, where they are known before the origin is asked."""
        result = explanation.answer.result
        if result is None:
            return {}
        return {field.name: field.words[result] for field in self.around.dialect.fields if field.words}


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Problem(413, f"the body is larger than {LARGEST} bytes; a question is one request's head")
    return body


def _url(request: Asking) -> str:
    return f"{request.scheme}://{request.authority}{request.target}"


def _seen(event: Event, now: float) -> dict[str, Any]:
    """How the last such request was answered."""
    verdict = event.verdict
    return {
        "at": round(event.at, 3),
        "ago": round(now - event.at, 3),
        "status": event.status,
        "result": verdict.result,
        "reason": verdict.reason,
        "duration": round(event.duration, 6),
        "collapsed": verdict.collapsed,
    }
