"""What a dialect's cache would do with one response: four requests played through the rules of the path itself.

The first is asked now, the second a second later, the third when what is stored has just gone stale, and the last at
that time too, but with the origin down. The origin goes on to answer as it has answered once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.core import verdicts
from app.core.concluding import conclude
from app.core.decisions import (
    Exchange,
    Forward,
    Freshen,
    Hit,
    Outcome,
    Pass,
    Refuse,
    Reuse,
    Save,
    ServeStale,
    StoredResponse,
    Verdict,
)  # fmt: skip
from app.core.deliver import asked_as_whole, deliver_fetched, deliver_stored, handed_on, not_modified_head
from app.core.dialect import Dialect, speak
from app.core.forwarding import Forwarding, arrived
from app.core.key import cache_key
from app.core.messages import Headers, Request, Response
from app.core.moving import moved
from app.core.reuse import decide
from app.core.speech import About
from app.core.storing import dated
from app.core.validation import not_modified

# When the second request comes, in seconds after the first; and the others, after freshness has ended: stale windows
# are whole seconds, and the shortest one is still open.
SECOND = 1.0
STALE = 0.5

# What is said of an origin that is down (RFC 9209 §2.3.5).
DOWN = "connection_refused"
BAD_GATEWAY = Response(502, Headers())

# Whose number a response has, so that {filled_by} can be read: see `serial` in app/core/speech.py.
NUMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What is tried: a request, and what the origin has answered to it at that HTTP time."""

    request: Request
    response: Response
    at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One request and its answer: `asked` as the cache sees it, `response` in the dialect's words with late slots.

    `number`: it is the first, the second, … `hits`: so many of them up to this one were answered by what is stored.
    """

    asked: Request
    response: Response
    verdict: Verdict
    number: int
    hits: int


@dataclass(frozen=True, slots=True)
class Trial:
    """`stored`: what the first answer left behind. `stale` and `down` follow the second; there is no `stale` where
    nothing is stored."""

    dialect: Dialect
    stored: StoredResponse | None
    first: Turn
    second: Turn
    stale: Turn | None
    down: Turn

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All that there are."""
        return tuple(turn for turn in (self.first, self.second, self.stale, self.down) if turn is not None)


def trial(dialect: Dialect, seen: Seen) -> Trial:
    """The four requests, one after the other."""
    scene = _Scene(dialect, seen, _as_it_arrives(dialect, seen.request))
    first, stored = scene.ask(None, seen.at, 1, 0)
    second, kept = scene.ask(stored, seen.at + SECOND, 2, first.hits)
    later = seen.at + SECOND if kept is None else max(seen.at + SECOND, _end_of(kept) + STALE)
    stale = None if kept is None else scene.ask(kept, later, 3, second.hits)[0]
    down, _ = scene.ask(kept, later, 3, second.hits, down=True)
    return Trial(dialect, stored, first, second, stale, down)


def _as_it_arrives(dialect: Dialect, request: Request) -> Request:
    """Without what this dialect lets no client say."""
    forwarding = Forwarding(
        "trial", stripped=dialect.stripped_from_requests, passed=dialect.passed_from_requests,
        confined=dialect.confined, preview=dialect.rules.preview,
    )  # fmt: skip
    return arrived(replace(request, identity=""), forwarding)


def _end_of(stored: StoredResponse) -> float:
    return stored.freshness.born + stored.freshness.lifetime


@dataclass(frozen=True, slots=True)
class _Scene:
    """One cache with at most one response in it, one visitor, and an origin."""

    dialect: Dialect
    seen: Seen
    request: Request

    def ask(
        self, stored: StoredResponse | None, now: float, number: int, hits: int, *, down: bool = False
    ) -> tuple[Turn, StoredResponse | None]:
        """The answer, and what is stored after it."""
        request, rules = self.request, self.dialect.rules
        key = cache_key(request, rules)
        lookup = decide(request, [] if stored is None else [stored], rules, now)
        kept = stored
        match lookup:
            case Hit():
                verdict = verdicts.of_hit(lookup, key, now)
                response = deliver_stored(request, lookup.stored, now).response
            case Refuse():
                verdict, response = verdicts.of_refusal(lookup, key), Response(lookup.status, Headers())
            case Forward():
                exchange = self._exchange(lookup, now, number, down)
                outcome = conclude(lookup, exchange, key, rules)
                verdict = verdicts.of_outcome(lookup, outcome, exchange, key, now)
                response = self._answer(outcome, exchange, now)
                kept = outcome.stored if isinstance(outcome, Save | Freshen) else stored
        hits += int(isinstance(lookup, Hit))
        spoken = speak(self.dialect, About(request, response, verdict, region=self.dialect.region))
        return Turn(request, spoken, verdict, number, hits), kept

    def _answer(self, outcome: Outcome, exchange: Exchange, now: float) -> Response:
        """The head for the one who led the fetch."""
        match outcome:
            case Freshen(stored) | Reuse(_, stored, _) | ServeStale(_, stored):
                return deliver_stored(self.request, stored, now).response
            case Save() | Pass():
                response = handed_on(outcome, exchange.response, self.dialect.rules)
                response = response.with_headers(dated(response.headers, now))
                whole = asked_as_whole(self.request, exchange.request)
                return deliver_fetched(self.request, response, whole=whole).response

    def _exchange(self, forward: Forward, now: float, number: int, down: bool) -> Exchange:
        request, rules = forward.request, self.dialect.rules
        response = BAD_GATEWAY if down else self._answered(request, now)
        error = DOWN if down else None
        control = rules.directives(response.headers, response.status)
        return Exchange(request, response, control, now, now, error, number=number * NUMBERED)

    def _answered(self, request: Request, now: float) -> Response:
        """What the origin has answered, as of now; 304 to who has it already."""
        seen = self.seen.response
        response = seen.with_headers(moved(seen.headers, now - self.seen.at))
        return not_modified_head(response) if not_modified(request, response) else response
