"""What each dialect would do with one response: the origin's last one, or one that it is asked for; nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.asked import EXAMPLE, Asked, has_host
from app.admin.operation import Operation
from app.admin.problems import Problem, answer
from app.admin.reading import body_of, json_object, reject_unknown
from app.admin.rules import RouteInForce, in_force
from app.admin.why import LARGEST
from app.config_error import ConfigError
from app.core.decisions import Exchange
from app.core.dialect import Dialect
from app.core.forwarding import arrived, outbound
from app.core.impersonal import PERSONAL
from app.core.key import cache_key
from app.core.messages import Headers, end_to_end
from app.core.messages import Request as Asking
from app.core.messages import Response as Answered
from app.core.moving import moved
from app.core.table import Comparison, compared
from app.core.timeline import is_secret
from app.core.trial import Seen
from app.dialects import dialect_names, load_dialect
from app.routes import over
from app.upstream.errors import UpstreamError

# Of a visitor's request, what frames a body that is not sent again, and where the visitor came from.
FRAMING = frozenset({"transfer-encoding", "referer"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """`url` is a URL or a path; `headers` are pairs of name and value: with them the origin is asked, without them its
    last answer will do, if there is one that was for anybody. No visitor's credentials are sent, only what is given
    here. `dialects`: which; all of them, where it is left out."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    dialects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared(Comparison):
    """The comparison, and how old the answer is, in seconds. `fetched`: the origin was asked for it now. `running`: the
    dialect in force, which stands here with the operator's own rules. `route`: the one that the URL takes, which holds
    over the rules of every dialect, but for those in `without_route`, with why they could not be started with it."""

    fetched: bool
    ago: float
    running: str
    route: RouteInForce | None
    without_route: dict[str, str]


async def table(access: Access, request: Request) -> Response:
    given = json_object(await body_of(request, LARGEST), ("url", "headers", "dialects"), EXAMPLE)
    dialects = _chosen(access, given.pop("dialects", []))
    asked = Asked.of(given)
    asking = await _request(access, asked)
    routed, without = _routed(access, dialects, asking)
    known = None if asked.headers else await _known(access, asking)
    seen = known or await _fetched(access, asking)
    comparison, route = compared(routed, seen), access.around.ruling.route_of(asking)
    return answer(
        Compared(
            **{one.name: getattr(comparison, one.name) for one in fields(comparison)},
            fetched=known is None,
            ago=round(max(0.0, access.now() - seen.at), 3),
            running=access.around.dialect.name,
            route=None if route is None else in_force(route, access.rules),
            without_route=without,
        )
    )


def _chosen(access: Access, names: object) -> Sequence[Dialect]:
    """Raises Problem. Files are not read for who asks: names are all that may be given."""
    running = access.around.dialect
    known = list(dict.fromkeys((*dialect_names(), running.name)))
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Problem(400, f'dialects is {names!r}; write a list of names, like ["{known[0]}"]')
    reject_unknown(names, known, "dialect {} is unknown; {}")
    return [running if name == running.name else load_dialect(name) for name in dict.fromkeys(names or known)]


def _routed(access: Access, dialects: Sequence[Dialect], asking: Asking) -> tuple[list[Dialect], dict[str, str]]:
    """The dialects as they are for this URL, and why some are as without its route. Raises Problem."""
    ruling, running = access.around.ruling, access.around.dialect
    route = ruling.route_of(asking)
    if route is None:
        return list(dialects), {}
    if ruling.is_unknown(asking):
        raise Problem(400, f"the route {route.path} says by only that there is no such path: no cache would be asked")
    found, without = [], dict[str, str]()
    for one in dialects:
        try:
            found.append(replace(one, rules=route.rules) if one is running else over(one, route, asking.path))
        except ConfigError as error:
            found.append(one)
            without[one.name] = str(error)
    return found, without


async def _request(access: Access, asked: Asked) -> Asking:
    """A GET like the last visitor's, but nobody's, or with the fields that were given."""
    events = await access.fleet.events()
    like = next((event for event in reversed(events) if asked.fits(event)), None)
    full = asked.completed(like, next(filter(has_host, reversed(events)), None), access.settings)
    full = replace(full, method="GET", identity="", client="")
    if asked.headers:
        return full
    return full.with_headers(full.headers.without(PERSONAL | FRAMING | _credentials(access, full.headers)))


def _credentials(access: Access, headers: Headers) -> set[str]:
    """The names of the fields that say who asks, or open something to them alone."""
    preview = access.around.dialect.rules.preview
    tokens = () if preview is None else (preview.renews, preview.if_stored)
    return {name for name in headers.names() if is_secret(name) or name in tokens}


async def _known(access: Access, asking: Asking) -> Seen | None:
    """The origin's last answer, if it was a whole one, and not to somebody in particular."""
    arriving = arrived(asking, access.around.forwarding)
    about = await access.fleet.about(cache_key(arriving, access.around.ruling.of(arriving)))
    exchange = about.exchange
    if exchange is None or not _is_whole(exchange) or _credentials(access, exchange.request.headers):
        return None
    return Seen(asking, exchange.response, exchange.response_time)


def _is_whole(exchange: Exchange) -> bool:
    got = exchange.request.method == "GET" and exchange.proxy_error is None
    return got and exchange.response.status not in (206, 304)


async def _fetched(access: Access, asking: Asking) -> Seen:
    """The head alone. Raises Problem."""
    around = access.around
    head = outbound(arrived(asking, around.forwarding), around.forwarding)
    try:
        received = await around.upstream.send("GET", asking.target.encode("latin-1"), head.pairs, None)
    except UpstreamError as error:
        raise Problem(502, f"the origin gave no answer: {error.detail}; is it running?") from None
    await received.leave()
    headers = moved(end_to_end(Headers(received.headers)), around.clock.offset)
    return Seen(asking, Answered(received.status, headers), access.now())


OPERATIONS = (
    Operation("POST", "/v1/table", table, "what each dialect would do with what the origin answers", Compared,
        Candidate, problems=(400, 413, 502)),
)  # fmt: skip
