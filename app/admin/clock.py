"""HTTP time: how far it is ahead, and moving it, so that one can see what becomes of responses without waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.operation import Operation
from app.admin.problems import Problem, answer
from app.admin.reading import body_of, json_object
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector

FURTHEST = 86_400 * 3_650
EXAMPLE = '{"advance": 3600}'


@dataclass(frozen=True, slots=True)
class HttpTime:
    """`now`: HTTP time, in seconds since the epoch; by `offset` seconds it is ahead of the system's clock."""

    now: float
    offset: float


@dataclass(frozen=True, slots=True)
class Moving:
    """Seconds: by how much further HTTP time shall be ahead, or by how much in all; 0 puts it right. One of the two."""

    advance: float | None = None
    offset: float | None = None


async def clock(access: Access, _request: Request) -> Response:
    access.store.catch_up()
    return answer(_told(access))


async def move(access: Access, request: Request) -> Response:
    """All who share the store have it with the log of purges, which is why a stored response never meets two times."""
    given = json_object(await body_of(request), ["advance", "offset"], EXAMPLE)
    if len(given) != 1:
        raise Problem(400, f"advance and offset are {len(given) or 'neither'} given; write one of them, like {EXAMPLE}")
    access.store.catch_up()
    ((name, value),) = given.items()
    await put(access, _seconds(name, value) + (access.around.clock.offset if name == "advance" else 0))
    return answer(_told(access))


async def put(access: Access, offset: float) -> None:
    """Have HTTP time so many seconds ahead. Raises Problem, StoreError.

    Where it goes back, what was stored meanwhile comes from the future, and would be new for all that time: it is
    validated before it is used."""
    if not 0 <= offset <= FURTHEST:
        raise Problem(
            400, f"HTTP time would be {offset:.15g} seconds ahead; it may be so by 0 to {FURTHEST}, ten years"
        )
    back = offset < access.around.clock.offset
    moved = Selector(Kind.CLOCK, str(float(offset)))
    await access.store.purge(Purge(Mode.SOFT, moved, at=access.now()))
    if back:
        await access.store.purge(Purge(Mode.VALIDATE, EVERYTHING, at=access.now()))


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= FURTHEST:
        raise Problem(400, f"{name} is {value!r}; write seconds, a number like 3600")
    return float(value)


def _told(access: Access) -> HttpTime:
    return HttpTime(access.now(), access.around.clock.offset)


OPERATIONS = (
    Operation("GET", "/v1/clock", clock, "HTTP time, and how far it is ahead of the system's", HttpTime),
    Operation("POST", "/v1/clock", move, "move HTTP time, for all who share the store: ages and dates go by it",
        HttpTime, Moving, problems=(400, 413, 503)),
)  # fmt: skip
