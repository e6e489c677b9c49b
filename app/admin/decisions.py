"""Decisions: what the request log says, since a number, or as a stream of server-sent events (HTML Standard §9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.admin.access import Access
from app.admin.operation import Operation, Parameter
from app.admin.problems import FIXED, Problem, answer
from app.admin.reading import number_in, query_of, reject_unknown
from app.arrival import CYCLE
from app.core.decisions import Result, Verdict
from app.core.reasons import Reason
from app.cycle import Cycle
from app.journal import Fits, Page
from app.request_log import Line, line_of

# How many decisions an answer has, unless it is said, and at most.
LIMIT = 100
LARGEST_LIMIT = 1_000

# A stream looks for news that often, takes so many at a time, and shows that often that it is alive (seconds).
TICK = 0.1
AT_A_TIME = 250
ALIVE = 15.0
# How many streams at a time.
STREAMS = 32


class Decision(Line):
    """A line of the request log with its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Decisions:
    """The oldest first. `last` is what to ask for next as `since`. `missed`: how many after the number that was asked
    for are no longer known; the last 1,000 are kept."""

    decisions: tuple[Decision, ...]
    last: int
    missed: int


async def decisions(access: Access, request: Request) -> Response:
    query = query_of(request, (one.name for one in (*_SINCE, *_FILTERS)))
    limit = number_in(query, "limit", LIMIT, 1, LARGEST_LIMIT)
    fits = _fits(query)
    if "since" in query:
        page = await access.fleet.since(_known(number_in(query, "since", 0), await access.fleet.last()), limit, fits)
    else:
        found = await access.fleet.since(0, LARGEST_LIMIT, fits)
        page = replace(found, events=found.events[-limit:], missed=0)
    return answer(Decisions(_lines(access, page), page.last, page.missed))


def _known(since: int, last: int) -> int:
    """A number that is yet to come is one of another life of this process, where they began at 1 as well."""
    return since if since <= last else 0


def _lines(access: Access, page: Page) -> tuple[Decision, ...]:
    dialect = access.around.dialect.name
    return tuple(Decision(**line_of(event, dialect), number=number) for number, event in page.events)


def _fits(query: dict[str, str]) -> Fits:
    """Raises Problem."""
    reject_unknown([query["status"]] if "status" in query else [], Result, "status {} is none; {}")
    reject_unknown([query["reason"]] if "reason" in query else [], Reason, "reason {} is none; {}")
    status, reason = query.get("status"), query.get("reason")

    def fits(verdict: Verdict, _status: int) -> bool:
        return status in (None, verdict.result) and reason in (None, verdict.reason)

    return fits


async def stream(access: Access, request: Request) -> Response:
    query = query_of(request, (one.name for one in (_SINCE[0], *_FILTERS)))
    resumed = {"since": request.headers["last-event-id"]} if "last-event-id" in request.headers else query
    last = await access.fleet.last()
    since = _known(number_in(resumed, "since", last), last)
    if access.desk.streams >= STREAMS:
        raise Problem(503, f"{STREAMS} streams are open already; close one, or ask for /v1/decisions")
    return Stream(access, since, _fits(query))


class Stream(Response):
    """Events of the kind `decision`, whose ids are their numbers, and `missed` where the client could not keep up. Ends
    when the client leaves, and at once when we stop."""

    media_type = "text/event-stream"

    def __init__(self, access: Access, since: int, fits: Fits) -> None:
        super().__init__(headers=FIXED)
        del self.headers["content-length"]
        self._access, self._since, self._fits = access, since, fits
        self._stuck = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._access.desk.streams += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            stopping = self._access.stopping.wait()
            await self._access.around.tasks.race(self._pump(send), self._left(receive), stopping)
            cycle: Cycle | None = scope.get("extensions", {}).get(CYCLE)
            if self._stuck and cycle is not None:
                cycle.abort()  # who does not read would hold us up until the drain ends
            else:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._access.desk.streams -= 1

    async def _left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _pump(self, send: Send) -> None:
        async with aclosing(self._news()) as news:
            async for text in news:
                self._stuck = True
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
                self._stuck = False

    async def _news(self) -> AsyncGenerator[str]:
        access, since, silent = self._access, self._since, 0.0
        yield "retry: 1000\n\n"
        while not access.stopping.is_set():
            page = await access.fleet.since(since, AT_A_TIME, self._fits)
            since = page.last
            if page.missed:
                yield _event("missed", {"missed": page.missed})
            for decision in _lines(access, page):
                yield _event("decision", decision, decision["number"])
            silent = 0.0 if page.events or page.missed else silent + TICK
            if silent >= ALIVE:
                silent = 0.0
                yield ": still here\n\n"
            if len(page.events) < AT_A_TIME:
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK):
                        await access.stopping.wait()


def _event(kind: str, content: object, number: int | None = None) -> str:
    name = "" if number is None else f"id: {number}\n"
    return f"{name}event: {kind}\ndata: {json.dumps(content)}\n\n"


_SINCE = (
    Parameter("since", "only what came after the decision with this number", "integer"),
    Parameter("limit", f"how many, {LIMIT} if it is not said, at most {LARGEST_LIMIT}", "integer"),
)
_FILTERS = (
    Parameter("status", "only these: hit, stale, miss, …"),
    Parameter("reason", "only these: fresh, expired, set-cookie, …"),
)

OPERATIONS = (
    Operation("GET", "/v1/decisions", decisions, "the last decisions, or those since a number", Decisions,
        parameters=(*_SINCE, *_FILTERS), problems=(400,)),
    Operation("GET", "/v1/stream", stream, "decisions as they come, as server-sent events; resumes by Last-Event-ID",
        Decision, parameters=(_SINCE[0], *_FILTERS), problems=(400, 503), media="text/event-stream"),
)  # fmt: skip
