"""Purges: invalidate and delete by tag, path, URL, prefix, host or all, and what the answer tells of them."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.entries import Entry, entry, readable
from app.admin.operation import Operation
from app.admin.orders import Deletion, Invalidation, read_order
from app.admin.problems import answer
from app.admin.purges import Purged
from app.admin.reading import body_of
from app.core.purging import Kind, Mode, Selector


@dataclass(frozen=True, slots=True)
class Named:
    """What is named: `words` say it for people. `host`: None where any is meant."""

    kind: Kind
    value: str
    host: str | None
    words: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Something that would have been hit, and how it differs from what was named."""

    selector: Named
    because: str


@dataclass(frozen=True, slots=True)
class LoggedPurge:
    """A purge with its number in the log; None in a dry run. `deadline` is HTTP time."""

    mode: Mode
    selector: Named
    number: int | None
    deadline: float | None


@dataclass(frozen=True, slots=True)
class Done:
    """What was hit, or would be in a dry run: how many stored responses, and the first of them as they were before.
    `near` is what was perhaps meant, where nothing was hit."""

    matched: int
    dry_run: bool
    entries: tuple[Entry, ...]
    near: tuple[NearMiss, ...]
    purges: tuple[LoggedPurge, ...]


async def invalidate(access: Access, request: Request) -> Response:
    return await _purge(access, request, Mode.SOFT)


async def delete(access: Access, request: Request) -> Response:
    return await _purge(access, request, Mode.HARD)


async def _purge(access: Access, request: Request, mode: Mode) -> Response:
    order = read_order(await body_of(request), mode, access.around.ruling, access.now())
    purged = await access.purging.carry_out(order.purges, dry_run=order.dry_run)
    return answer(done(access, purged, dry_run=order.dry_run))


def done(access: Access, purged: Purged, *, dry_run: bool) -> Done:
    now, deployment = access.now(), access.store.log.deployment
    return Done(
        matched=purged.matched,
        dry_run=dry_run,
        entries=tuple(entry(one, now, deployment) for one in purged.entries),
        near=tuple(NearMiss(named(one.selector), one.because) for one in purged.near),
        purges=tuple(
            LoggedPurge(one.purge.mode, named(one.purge.selector), one.number, one.purge.deadline)
            for one in purged.purges
        ),
    )


def named(selector: Selector) -> Named:
    return Named(selector.kind, readable(selector.value), selector.host, readable(selector.words))


OPERATIONS = (
    Operation("POST", "/v1/invalidate", invalidate,
        "count as stale: served while it is refreshed, by rules.soft_purge", Done, Invalidation,
        problems=(400, 413, 503)),
    Operation("POST", "/v1/delete", delete,
        "count as absent: the next request waits for the origin", Done, Deletion,
        problems=(400, 413, 503)),
)  # fmt: skip
