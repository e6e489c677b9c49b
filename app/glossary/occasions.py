"""On what occasions a dialect says something: found out by trying requests and responses of all kinds on its rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.core.decisions import Result
from app.core.dialect import Dialect
from app.core.messages import Headers, Request, Response
from app.core.reasons import Reason
from app.core.rules import Rules
from app.core.trial import Seen, trial


@dataclass(frozen=True, slots=True)
class Occasion:
    """How a request was answered."""

    result: Result
    reason: Reason
    status: int = 200


# What no single visitor brings about: others who ask at the same time, other variants, purges, warming, failed
# refreshes, and what may go wrong with an origin.
BESIDES = (
    Occasion(Result.HIT, Reason.PRERENDERED),
    Occasion(Result.MISS, Reason.COLLAPSED),
    Occasion(Result.MISS, Reason.VARY_MISS),
    Occasion(Result.STALE, Reason.STALE_PURGED),
    Occasion(Result.STALE, Reason.STALE_ERROR),
    Occasion(Result.RENEWED, Reason.DELETED),
    Occasion(Result.EXPIRED, Reason.INVALIDATED),
    Occasion(Result.ERROR, Reason.ORIGIN_TIMEOUT, 504),
    Occasion(Result.ERROR, Reason.ORIGIN_PROTOCOL, 502),
    Occasion(Result.ERROR, Reason.LOOP, 508),
)
AT = 1_700_000_000.0
# What is shown as cookie and in fields: also the operator's token.
TOKEN = "1"
_LIVES = (
    "s-maxage=60, max-age=60",
    "s-maxage=60, stale-while-revalidate=60, stale-if-error=60",
    "max-age=60, stale-while-revalidate=60",
    "max-age=60, stale-if-error=60",
)
_ASKED = (
    ("cache-control", "no-store"), ("cache-control", "no-cache"), ("cache-control", "max-age=0"),
    ("cache-control", "min-fresh=600"), ("cache-control", "max-stale"), ("cache-control", "only-if-cached"),
    ("pragma", "no-cache"), ("authorization", "Basic YTpi"), ("range", "bytes=0-1"), ("content-length", "1"),
    ("cookie", "a=b"), ("if-none-match", '"1"'),
)  # fmt: skip
_REFUSED = ("no-store", "private", "no-cache", "", "max-age=0")
_SHAPED = (
    ("set-cookie", "a=b"), ("vary", "*"), ("vary", "cookie"), ("vary", "user-agent"), ("vary", "accept-language"),
    ("content-type", "text/event-stream"), ("content-length", "99999999999"),
    ("last-modified", "Mon, 13 Nov 2023 22:13:20 GMT"),
)  # fmt: skip
_STATUSES = (204, 206, 301, 302, 307, 403, 404, 410, 500, 503)


def occasions(dialect: Dialect) -> tuple[Occasion, ...]:
    """Those that the dialect's own rules allow, each once, in the order of the reasons."""
    rules = dialect.rules if dialect.rules.preview is None else dialect.rules.with_token(TOKEN)
    turns = (turn for seen in _kinds(rules) for turn in trial(replace(dialect, rules=rules), seen).turns)
    met = {Occasion(turn.verdict.result, turn.verdict.reason, turn.response.status) for turn in turns}
    order = list(Reason)
    return tuple(sorted({*met, *BESIDES}, key=lambda one: (order.index(one.reason), one.result, one.status)))


def _kinds(rules: Rules) -> Iterator[Seen]:
    """Requests and responses, each unlike the plain one in one thing."""
    for life in _LIVES:
        yield _seen(rules, life)
        yield _seen(rules, life, etag="")
    for method in ("POST", "HEAD"):
        yield _seen(rules, method=method)
    yield _seen(rules, path="/page")
    for line in (*_ASKED, *(("cookie", f"{name}={TOKEN}") for name in rules.bypass_cookies)):
        yield _seen(rules, asked=line)
        yield _seen(rules, asked=line, etag="")
        yield _seen(rules, "max-age=60", asked=line)
    if rules.preview is not None:
        yield _seen(rules, asked=(rules.preview.renews, TOKEN))
    for name in rules.bypass_fields:
        yield _seen(rules, asked=(name, "1"))
    for said in _REFUSED:
        yield _seen(rules, said)
        yield _seen(rules, said, etag="")
        yield _seen(rules, said, status=404)  # where pages are stored all the same
    for shape in (*_SHAPED, *(("content-type", one.media_type) for one in rules.asked_types)):
        yield _seen(rules, shape=shape)
    yield _seen(rules, "must-understand, max-age=60", status=299)
    for status in _STATUSES:
        yield _seen(rules, status=status)
        yield _seen(rules, "", status=status)


def _seen(  # noqa: PLR0913 - what may differ
    rules: Rules, control: str = _LIVES[0], *, method: str = "GET", path: str = "", etag: str = '"1"',
    asked: tuple[str, str] | None = None, shape: tuple[str, str] | None = None, status: int = 200,
) -> Seen:  # fmt: skip
    """A page, by a path whose ending the dialect stores."""
    ending = "" if rules.extensions is None else f".{min(rules.extensions)}"
    request = Headers.of(("host", "example.com"), *([asked] if asked else []))
    lines = (("content-type", "text/html"), ("cache-control", control), ("etag", etag))
    response = Headers.of(*(line for line in lines if line[1])).with_(*([shape] if shape else []))
    return Seen(
        Request(method, "http", "example.com", path or f"/page{ending}", request), Response(status, response), AT
    )
