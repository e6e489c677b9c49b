"""The whole reasoning for one request, for people: every rule evaluated by the path's own tables and functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.because import because
from app.core.checks import Check, Judgement, refusal_checks, request_checks
from app.core.decisions import Exchange, Fwd, Hit, Lookup, Refuse, Result, StoredResponse
from app.core.impersonal import as_anybody
from app.core.key import cache_key
from app.core.last_answer import LastAnswer, last_answer
from app.core.messages import Request
from app.core.reuse import as_purged, decide, present, select
from app.core.routing import Ruling
from app.core.splitting import Key, Splitting, splitting
from app.core.timeline import Variant, variant
from app.core.verdicts import of_hit, of_refusal


@dataclass(frozen=True, slots=True)
class Known:
    """What the surroundings know under the request's key: stored responses, and the origin's last answer.

    `uncacheable`: as for `decide`. `recent_keys`: one for each of the last requests, whatever their key. `node`: as for
    `refusal`.
    """

    stored: Sequence[StoredResponse]
    node: str
    exchange: Exchange | None = None
    uncacheable: bool = False
    recent_keys: Iterable[str] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the request would get now: `kind` is hit, forward or refuse.

    `result` is None when the origin has to be asked: its answer decides. `validates`: it is asked whether what is
    stored is still right. `refreshes`: it is asked in the background. `waits`: others wait along for its answer.
    """

    kind: str
    result: Result | None
    judgement: Judgement
    fwd: Fwd | None = None
    status: int | None = None
    validates: bool = False
    refreshes: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """`checks` are the rules at request time, those in `last_answer` the rules at response time."""

    key: Key
    uncacheable: bool
    answer: Answer
    because: str
    checks: tuple[Check, ...]
    variants: tuple[Variant, ...]
    last_answer: LastAnswer | None
    splitting: Splitting | None


def explain(request: Request, known: Known, ruling: Ruling, now: float) -> Explanation:
    """What `decide` says to the request now, and everything that made it say so."""
    rules = ruling.of(request)
    key, stored = cache_key(request, rules), [as_purged(one, rules, now) for one in known.stored]
    lookup = ruling.refusal(request, known.node) or decide(request, stored, rules, now, uncacheable=known.uncacheable)
    asked = as_anybody(request, rules)
    chosen = select(asked, present(stored, rules, now)) or select(asked, stored)
    last = None if known.exchange is None else last_answer(known.exchange, stored, key, rules, now)
    return Explanation(
        key=Key.shown(key),
        uncacheable=known.uncacheable,
        answer=_answer(lookup, key, now),
        because=because(lookup, chosen, last, now),
        checks=refusal_checks(request, known.node, ruling) + request_checks(request, stored, rules, now),
        variants=tuple(variant(one, rules, now, selected=one is chosen) for one in stored),
        last_answer=last,
        splitting=splitting(key, known.recent_keys, stored),
    )


def _answer(lookup: Lookup, key: str, now: float) -> Answer:
    judgement = Judgement.of(lookup.reason)
    if isinstance(lookup, Hit):
        return Answer("hit", of_hit(lookup, key, now).result, judgement, refreshes=lookup.refresh is not None)
    if isinstance(lookup, Refuse):
        return Answer("refuse", of_refusal(lookup, key).result, judgement, status=lookup.status)
    asks = "if-none-match" in lookup.request.headers or "if-modified-since" in lookup.request.headers
    validates = lookup.stored is not None and asks
    return Answer("forward", None, judgement, fwd=lookup.fwd, validates=validates, waits=lookup.shareable)
