"""Begin anew: nothing stored, nothing counted. What every test of somebody else's starts with."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.clock import put
from app.admin.operation import Operation
from app.admin.problems import answer
from app.core.purging import EVERYTHING, Mode, Purge


@dataclass(frozen=True, slots=True)
class Reset:
    """`dropped`: how many stored responses there were."""

    dropped: int


async def reset(access: Access, _request: Request) -> Response:
    """What is stored is not only deleted but gone: the next request meets what it would after a start. The purge keeps
    out what is being fetched meanwhile."""
    dropped = await access.store.clear()
    await access.purging.carry_out([Purge(Mode.HARD, EVERYTHING, at=access.now())])
    await access.fleet.reset()
    if access.around.clock.offset:
        await put(access, 0)
    return answer(Reset(dropped))


OPERATIONS = (
    Operation("POST", "/v1/reset", reset,
        "drop all that is stored, zero the counters, put the clock right; the log of purges goes on",
        Reset, problems=(503,)),
)  # fmt: skip
