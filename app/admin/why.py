"""The whole reasoning for a request, without making it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.asked import Asked, has_host
from app.admin.operation import Operation
from app.admin.problems import answer
from app.admin.reading import body_of
from app.admin.rules import RouteInForce, in_force
from app.core.decisions import Result
from app.core.explain import Explanation, Known, explain
from app.core.forwarding import arrived
from app.core.key import cache_key
from app.core.messages import Request as Asking
from app.core.reasons import Reason
from app.journal import Event

# A question is one request's head.
LARGEST = 128 * 2**10


@dataclass(frozen=True, slots=True)
class Question:
    """`url` is a URL or a path; `headers` are pairs of name and value. What is not said is as in the last such request
    that was seen."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """The request that is explained; `as_last`: just as it was seen last."""

    method: str
    url: str
    as_last: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """How the last such request was answered. `at` is HTTP time; `ago` and `duration` are seconds."""

    at: float
    ago: float
    status: int
    result: Result
    reason: Reason
    duration: float
    collapsed: bool


@dataclass(frozen=True, slots=True)
class Reasoning(Explanation):
    """The explanation, and what is known around it. `route`: the one that the request takes. `says`: the dialect's own
    words for it by field, where they are known before the origin is asked."""

    request: Explained
    in_flight: bool
    last_request: Seen | None
    dialect: str
    route: RouteInForce | None
    says: dict[str, str]


async def why(access: Access, request: Request) -> Response:
    asked = Asked.parse(await body_of(request, LARGEST))
    events, forwarding = await access.fleet.events(), access.around.forwarding
    like = next((event for event in reversed(events) if asked.fits(event)), None)
    explained = asked.completed(like, next(filter(has_host, reversed(events)), None), access.settings)
    explained = explained if like and not asked.headers else arrived(explained, forwarding)
    ruling = access.around.ruling
    key, now, route = cache_key(explained, ruling.of(explained)), access.now(), ruling.route_of(explained)
    about = await access.fleet.about(key)
    known = Known(
        stored=access.engine.deployed(await access.store.lookup(key)),
        exchange=about.exchange,
        uncacheable=about.uncacheable,
        recent_keys=[event.verdict.key for event in events],
        node=forwarding.node,
    )
    explanation = explain(explained, known, ruling, now)
    return answer(
        Reasoning(
            **{one.name: getattr(explanation, one.name) for one in fields(explanation)},
            request=Explained(explained.method, _url(explained), like is not None and explained is like.request),
            in_flight=about.in_flight,
            last_request=None if like is None else _seen(like, now),
            dialect=access.around.dialect.name,
            route=None if route is None else in_force(route, access.rules),
            says=_says(access, explanation),
        )
    )


def _says(access: Access, explanation: Explanation) -> dict[str, str]:
    result = explanation.answer.result
    if result is None:
        return {}
    return {field.name: field.words[result] for field in access.around.dialect.fields if field.words}


def _url(request: Asking) -> str:
    return f"{request.scheme}://{request.authority}{request.target}"


def _seen(event: Event, now: float) -> Seen:
    verdict = event.verdict
    return Seen(
        at=round(event.at, 3),
        ago=round(now - event.at, 3),
        status=event.status,
        result=verdict.result,
        reason=verdict.reason,
        duration=round(event.duration, 6),
        collapsed=verdict.collapsed,
    )


OPERATIONS: Sequence[Operation] = (
    Operation("POST", "/v1/why", why, "the whole reasoning for a request: key, stored variants, every rule", Reasoning,
        Question, problems=(400, 413)),
)  # fmt: skip
