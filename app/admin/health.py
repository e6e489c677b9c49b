"""Whether it lives, whether it is ready, which version it is, and what has been counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app import __version__
from app.admin.access import Access
from app.admin.operation import Operation, Parameter
from app.admin.problems import FIXED, answer
from app.core.decisions import Result
from app.core.purging import Mode
from app.core.reasons import Reason
from app.counters import Counters
from app.fleet import Workforce
from app.store.base import State
from app.upstream.probe import failure_of

# How long /readyz tries to connect to the origin: less than any health check waits.
PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Alive:
    status: str


@dataclass(frozen=True, slots=True)
class OriginState:
    """Whether a connection to the origin can be made, and else why not."""

    address: str
    reachable: bool
    detail: str | None


@dataclass(frozen=True, slots=True)
class Ready:
    ready: bool
    origin: OriginState


@dataclass(frozen=True, slots=True)
class Version:
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class DialectName:
    """`as_of`: the month in which its sources were read."""

    name: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts since the start or the last reset. `origin_requests` by cause: request or refresh; `purges` by mode."""

    requests: int
    results: dict[Result, int]
    reasons: dict[Reason, int]
    origin_requests: dict[str, int]
    purges: dict[Mode, int]
    collapsed: int
    bytes_sent: int
    refresh_failures: int


@dataclass(frozen=True, slots=True)
class Flights:
    """Fetches under way, and background refreshes among them."""

    under_way: int
    refreshing: int


@dataclass(frozen=True, slots=True)
class Stats:
    """What has been counted, how the store is, what is under way, and how many processes answer."""

    version: str
    dialect: DialectName
    counters: Counts
    store: State
    flights: Flights
    workers: Workforce


async def healthz(_access: Access, _request: Request) -> Response:
    return answer(Alive("alive"))


async def readyz(access: Access, request: Request) -> Response:
    """Ready at once: what is stored can be served without an origin. `?origin=1` asks for the origin as well."""
    origin = access.around.upstream.origin
    failed = await failure_of(origin, PATIENCE)
    failure = None if failed is None else failed.detail
    ready = failure is None or request.query_params.get("origin") != "1"
    return answer(Ready(ready, OriginState(str(origin), failure is None, failure)), 200 if ready else 503)


async def version(_access: Access, _request: Request) -> Response:
    return answer(Version("swerve", __version__))


async def stats(access: Access, _request: Request) -> Response:
    dialect, report = access.around.dialect, await access.fleet.report()
    return answer(
        Stats(
            version=__version__,
            dialect=DialectName(dialect.name, dialect.as_of),
            counters=_counts(report.counters),
            store=report.store,
            flights=Flights(report.flights, report.refreshing),
            workers=access.fleet.workforce,
        )
    )


async def metrics(access: Access, request: Request) -> Response:
    from app.metrics import rendered  # noqa: PLC0415 - takes long to import, and many never ask

    report, workforce = await access.fleet.report(), access.fleet.workforce
    body, media = rendered(report, workforce, access.around.dialect, request.headers.get("accept", ""))
    return Response(body, headers={**FIXED, "content-type": media})


def _counts(counters: Counters) -> Counts:
    return Counts(**{one.name: _plain(getattr(counters, one.name)) for one in fields(Counts)})


def _plain(count: Any) -> Any:
    return dict(count) if isinstance(count, Counter) else count


OPERATIONS = (
    Operation("GET", "/healthz", healthz, "whether it lives; needs no token", Alive),
    Operation("GET", "/readyz", readyz, "whether it is ready; needs no token", Ready,
        parameters=(Parameter("origin", "1: not without its origin, then 503", "integer"),)),
    Operation("GET", "/version", version, "its version", Version),
    Operation("GET", "/metrics", metrics, "counters for Prometheus, as text or OpenMetrics", str, media="text/plain"),
    Operation("GET", "/v1/stats", stats, "counters, the state of the store, fetches under way", Stats),
)  # fmt: skip
