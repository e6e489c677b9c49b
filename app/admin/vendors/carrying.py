"""The purges of a call are carried out, with tags as they are kept, and what they hit is told beside the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from starlette.responses import Response

from app.admin.purges import Purged, Purging
from app.admin.selectors import in_keys, spellings
from app.admin.vendors.pace import Pace
from app.core.purging import Kind, Purge
from app.core.routing import Ruling

LONGEST_HINT = 1_000
# To look for what was perhaps meant takes a while in a large store, and apps purge much that is not stored, at once.
HINT_SECONDS = 1.0


class Carrying:
    """For one cache: `purging` is its one."""

    def __init__(self, purging: Purging, ruling: Ruling) -> None:
        self._purging, self._ruling = purging, ruling
        self._hints = Pace(1, HINT_SECONDS)

    async def carry_out(self, purges: Sequence[Purge]) -> Purged:
        """As `Purging.carry_out`. What was perhaps meant is looked for once a second at most."""
        if not purges:
            return Purged(0)
        spelled = [spelling for purge in purges for spelling in _as_kept(purge, self._ruling)]
        return await self._purging.carry_out(spelled, suggest=self._hints.take(["hint"]) is None)


def _as_kept(purge: Purge, ruling: Ruling) -> Iterator[Purge]:
    """With a tag as it may be kept, nearest to how it was written first, and a URL as it is in keys."""
    selector = purge.selector
    if selector.kind is not Kind.TAG:
        yield from (replace(purge, selector=one) for one in in_keys(selector, ruling))
        return
    for value in reversed(spellings(selector.value, ruling.rules)):
        yield replace(purge, selector=replace(selector, value=value))


def counted(response: Response, purged: Purged) -> Response:
    """With what no vendor tells, for people who look: how many stored responses it hit, and what was perhaps meant."""
    response.headers["swerve-purged"] = str(purged.matched)
    if purged.near:
        near = "; ".join(f"{one.selector.words} ({one.because})" for one in purged.near)
        response.headers["swerve-near"] = near.encode("ascii", "backslashreplace").decode()[:LONGEST_HINT]
    return response
