"""What is stored: listed, shown, deleted one by one."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.entries import DIGEST, Entry, Whole, entry, id_of, key_of, url_of, whole
from app.admin.operation import Operation, Parameter
from app.admin.problems import Problem, answer
from app.admin.purging import Done, done
from app.admin.reading import number_in, query_of
from app.admin.selectors import by_host, by_prefix, by_tag, by_url, in_keys
from app.core.decisions import StoredResponse
from app.core.purging import Kind, Mode, Purge, Selector, place_of
from app.store.base import is_husk

# How many entries a page has, unless it is said, and at most.
PAGE = 100
LARGEST_PAGE = 1_000

# The order of the list: by key, and within it by age.
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Entries:
    """A page of the list, sorted by key, without what was deleted. `cursor` leads to the next page; None: there is
    none."""

    entries: tuple[Entry, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """All variants under one key."""

    id: str
    key: str
    url: str
    variants: tuple[Whole, ...]


async def entries(access: Access, request: Request) -> Response:
    query = query_of(request, (one.name for one in _FILTERS))
    limit, after = number_in(query, "limit", PAGE, 1, LARGEST_PAGE), _place(query.get("cursor"))
    selectors = _selectors(access, query)
    indexed, others = next(iter(selectors), None), selectors[1:]
    now, deployment = access.now(), access.store.log.deployment
    page: list[tuple[Place, StoredResponse]] = []
    async for one in access.store.entries(indexed):
        place = (one.key, one.number)
        if one.purged_as(now) is Mode.HARD:
            continue
        if place > after and all(other.selects(one.key, one.tags) for other in others):
            page.append((place, one))
            if len(page) > 2 * LARGEST_PAGE:
                page = _first(page, limit)
    more, page = len(page) > limit, _first(page, limit)
    listed = tuple(entry(one, now, deployment) for _, one in page[:limit])
    return answer(Entries(listed, _cursor(page[limit - 1][0]) if more else None))


def _first(page: list[tuple[Place, StoredResponse]], limit: int) -> list[tuple[Place, StoredResponse]]:
    """One more than fit, to tell that there are more."""
    return sorted(page, key=lambda placed: placed[0])[: limit + 1]


def _selectors(access: Access, query: dict[str, str]) -> list[Selector]:
    """What was asked for: all of it has to fit. The first may be looked up in an index."""
    found = [*by_tag("tag", query["tag"], None, access.rules)[:1]] if "tag" in query else []
    host = by_host("host", query["host"]) if "host" in query else None
    if "url" in query:
        named = by_url("url", query["url"], None if host is None else host.host)
        found.append(in_keys(named, access.around.ruling)[-1])
    if "prefix" in query:
        found.append(by_prefix("prefix", query["prefix"], None if host is None else host.host))
    return [*found, host] if host is not None else found


def _cursor(place: Place) -> str:
    return urlsafe_b64encode(json.dumps(place).encode()).decode("ascii")


def _place(cursor: str | None) -> Place:
    """Raises Problem."""
    if cursor is None:
        return "", 0
    try:
        key, number = json.loads(urlsafe_b64decode(cursor))
        return str(key), int(number)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Problem(400, f"cursor {cursor!r} is none of ours; leave it out to begin at the first page") from None


async def show(access: Access, request: Request) -> Response:
    variants = await _named(access, request.path_params["id"])
    now, deployment = access.now(), access.store.log.deployment
    told = tuple(whole(one, now, deployment, access.around.ruling.of_key(one.key)) for one in variants)
    return answer(Shown(told[0].id, told[0].key, told[0].url, told))


async def delete_entry(access: Access, request: Request) -> Response:
    """A purge names URLs: with the key go its siblings, such as the payloads of a page."""
    (first, *_) = await _named(access, request.path_params["id"])
    host, target = place_of(first.key)
    purge = Purge(Mode.HARD, Selector(Kind.URL, target, host), at=access.now())
    return answer(done(access, await access.purging.carry_out([purge]), dry_run=False))


async def _named(access: Access, name: str) -> Sequence[StoredResponse]:
    """What is stored under the key that an id names. Raises Problem when nothing is."""
    key = key_of(name) if not name.startswith(DIGEST) else await _digested(access.store.entries(), name)
    found = [] if key is None else [one for one in await access.store.lookup(key) if not is_husk(one)]
    if all(one.purged_as(access.now()) is Mode.HARD for one in found):
        gone = "nothing is stored under this id any more" if key is None else f"nothing is stored for {url_of(key)}"
        raise Problem(404, f"{gone}; GET /v1/entries lists what is")
    return found


async def _digested(stored: AsyncIterator[StoredResponse], name: str) -> str | None:
    async for one in stored:
        if id_of(one.key) == name:
            return one.key
    return None


_FILTERS = (
    Parameter("url", "its URL, or path and query; all its variants"),
    Parameter("prefix", "what its path and query begin with: /blog, or http://HOST/blog"),
    Parameter("tag", "a tag that it has"),
    Parameter("host", "its host, with the port that is no default"),
    Parameter("limit", f"how many on a page, {PAGE} if it is not said, at most {LARGEST_PAGE}", "integer"),
    Parameter("cursor", "where the page before this one ended"),
)
_ID = (Parameter("id", "as the list says it", place="path"),)

OPERATIONS = (
    Operation("GET", "/v1/entries", entries, "what is stored, sorted by key, page by page", Entries,
        parameters=_FILTERS, problems=(400,)),
    Operation("GET", "/v1/entries/{id}", show, "the whole story of every variant under a key", Shown,
        parameters=_ID, problems=(404,)),
    Operation("DELETE", "/v1/entries/{id}", delete_entry, "delete what is stored for its URL", Done,
        parameters=_ID, problems=(404, 503)),
)  # fmt: skip
