"""Pages that were warmed: what is stored for them counts as prerendered, until somebody visits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.operation import Operation
from app.admin.problems import Problem, answer
from app.admin.purges import named
from app.admin.reading import body_of, json_object
from app.admin.selectors import by_url, in_keys
from app.core.decisions import StoredResponse

EXAMPLE = '{"urls": ["/blog"], "within": 5}'
# As many as one answer of `swerve warm` needs, and no more work than a purge of as many.
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Warmed:
    """`urls`, or paths and queries at any host; what has been stored for them `within` the last seconds, on the HTTP
    clock."""

    urls: tuple[str, ...]
    within: float


@dataclass(frozen=True, slots=True)
class Marked:
    """How many stored responses count as prerendered now, each variant by itself."""

    marked: int


async def prerendered(access: Access, request: Request) -> Response:
    """Bodies may be missing where all is listed: each key is looked up again before anything is put in its place."""
    warmed = _read(await body_of(request))
    ruling = access.around.ruling
    selectors = [one for url in warmed.urls for one in in_keys(by_url("urls", url, None), ruling)]
    since = access.now() - warmed.within
    keys = {one.key async for one in named(access.store, selectors) if _is_new(one, since)}
    marked = [one for key in keys for one in await access.store.lookup(key) if _is_new(one, since)]
    for one in marked:
        await access.store.replace(one, replace(one, prerendered=True))
    return answer(Marked(len(marked)))


def _is_new(stored: StoredResponse, since: float) -> bool:
    return stored.stored_at >= since and stored.purge is None and not stored.prerendered


def _read(body: bytes) -> Warmed:
    """Raises Problem."""
    given = json_object(body, ["urls", "within"], EXAMPLE)
    urls, within = given.get("urls"), given.get("within")
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls) or len(urls) > MOST:
        raise Problem(400, f"urls is no list of at most {MOST} texts; write {EXAMPLE}")
    if isinstance(within, bool) or not isinstance(within, int | float) or not 0 <= within < float("inf"):
        raise Problem(400, f"within is {within!r}; write how many seconds ago the first was asked for")
    return Warmed(tuple(urls), within)


OPERATIONS = (
    Operation("POST", "/v1/prerendered", prerendered,
        "count as prerendered what was just stored for these URLs, until somebody visits", Marked, Warmed,
        problems=(400, 413)),
)  # fmt: skip
