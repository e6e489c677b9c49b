"""Finished answers, replayed while they stand. The memo never judges: it repeats what the engine has decided.

A hit is a function of the request and the time. The engine's own answer is kept under the fingerprints of the request
(app/fingerprints.py) until one of these happens: the time comes at which the decision would be another
(app/core/standing.py), the store tells that something under the key has changed, or its epoch has moved and the
response turns out to be purged. Then the engine is asked the same again, for the next who sends it; what is no hit any
more is forgotten.

What a hit does beside answering is done each time: a stale one asks for a refresh, the journal and the store's order of
use hear of it, Age is right to the second, and what names the single response is made anew.
"""

from __future__ import annotations

from itertools import repeat
from math import floor, inf

from app.anew import Anew, Written
from app.arrival import request_of
from app.core.forwarding import CHAIN
from app.core.messages import Request
from app.core.observed import Observed
from app.core.reuse import refresh
from app.core.speech import DATE_SLOT
from app.core.standing import standing
from app.engine import Engine
from app.fingerprints import Fingerprints
from app.finished import Finished
from app.flights import OwnBody
from app.journal import Address, Replay
from app.late import Late, date_at
from app.store.base import marked
from app.wire import SMALL, SMALL_ANEW, written, written_head


class Memo:
    """Answers for the clients of one server, who all speak `scheme`."""

    def __init__(self, engine: Engine, scheme: str, late: Late) -> None:
        around = engine.around
        self.scheme = scheme
        self._answers = Fingerprints(around.ruling.bypass_cookies)
        self._by_head = self._answers.by_head
        self._engine, self._late, self._rules_of = engine, late, around.ruling.of
        self._collapsing, self._forwarding = engine.collapsing, around.forwarding
        self._now, self._store, self._journal = around.clock.now, around.store, around.journal
        self._replays = around.journal.replays
        self._heard = around.store.pulse[0]
        self._used_last: Finished | None = None
        if around.forwarding.trust:
            self._answers.look_at({"x-forwarded-host", "x-forwarded-proto"})

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def size(self) -> int:
        """The bytes that it takes, by our count."""
        return self._answers.bytes

    def replay(self, head: bytes, client: Address) -> Written | None:
        """The answer to a request with that head, as it is written. None: it is not known, or stands no more."""
        head, finished = self._by_head.get(head) or (head, self._answers.find(head))
        if finished is None:
            return None
        if self._store.pulse[0] != self._heard and not self._known_still(finished):
            return None
        now = self._now()
        if not finished.ready_from <= now < finished.ready_until and not self._renewed(finished, now):
            return None
        if finished.epoch != self._store.epoch and not self._survived(finished):
            return None
        if finished is not self._used_last:
            self._store.touch(finished.key)
            self._used_last = finished
        if finished.stale and self._collapsing.may_refresh(finished.key):
            self._refresh(finished, head, client)
        self._replays.append((finished.replay, head, now, client))
        if not 1 < len(self._replays) < self._journal.most_replays:
            self._journal.replayed()
        for answer in finished.answers:  # the next one: the cheapest way to ask whether there is any
            return answer
        return self._more(finished)

    def _known_still(self, finished: Finished) -> bool:
        """Hear of what has changed. Returns whether the answer is still among those that are known."""
        self._heard = self._store.pulse[0]
        self._store.catch_up()
        return finished in self._answers

    def retire(self) -> None:
        """Another memo takes its place: what it holds is given back, though old events may still know it."""
        self._answers = Fingerprints(frozenset())
        self._by_head = self._answers.by_head

    def learn(self, head: bytes, request: Request) -> None:
        """Keep the engine's answer to a request, if it is a hit that will stand."""
        if not self._answers.tells(head):
            return
        finished = Finished(request.with_headers(Observed(request.headers)))
        if self._judged(finished, self._now()):
            finished.request = self._answers.looked(request)
            self._answers.keep(finished, head)

    def _refresh(self, finished: Finished, head: bytes, client: Address) -> None:
        """On behalf of who came now, as the engine would have it."""
        assert finished.hit is not None
        request = self._read(head, client, self._late.identities.next())
        self._collapsing.refresh(finished.key, refresh(request, finished.hit.stored, self._rules_of(request)))

    def _read(self, head: bytes, client: Address, identity: str = "") -> Request:
        return request_of(head, self.scheme, client, self._forwarding, identity)

    def _renewed(self, finished: Finished, now: float) -> bool:
        """Whether the answer stands after all: in other words for another second, or as another answer."""
        if finished.maker is not None and finished.rendered_from <= now < finished.rendered_until:
            self._make(finished, finished.maker, now)
            return True
        self._used_last = None  # so that the order of use is right to the second, whoever else uses the store
        if finished.since <= now < finished.until:
            self._render(finished, now)
        elif self._judged(finished, now) and finished in self._answers:
            self._answers.weigh(finished)
        else:  # it is none, or one for which requests must be told apart by more
            self._answers.drop(finished)
            return False
        return finished.rendered_from <= now < finished.rendered_until

    def _judged(self, finished: Finished, now: float) -> bool:
        """Ask the engine, under the eyes of who notes which fields it looks at. Returns whether it says a hit of which
        one can tell how long it stands, and what it looked at is what we tell requests apart by from now on."""
        finished.unsettle()
        request = finished.request
        found = self._engine.hit(request, now)
        span = None if found is None else standing(found[1], request, self._rules_of(request))
        if found is None or span is None:
            return False
        finished.key, finished.hit = found
        finished.since, finished.until = span
        finished.stale, finished.epoch = finished.hit.refresh is not None, self._store.epoch
        whole = self._render(finished, now)
        assert isinstance(request.headers, Observed)
        return whole and CHAIN.isdisjoint(request.headers.looked) and self._answers.look_at(request.headers.looked)

    def forget(self, key: str) -> None:
        """What is stored under the key has changed, or gone."""
        self._used_last = None
        known = self._answers.of(key)
        still_there = bool(known and self._store.find(key))
        for finished in known:
            if still_there:
                finished.unsettle()
            else:
                self._answers.drop(finished)

    def _survived(self, finished: Finished) -> bool:
        """Whether the purges since it was learned left it as it is."""
        assert finished.hit is not None
        stored = finished.hit.stored
        if not self._engine.deployed([stored]) or marked(self._store.log, stored).purge is not None:
            self._answers.drop(finished)
            return False
        finished.epoch = self._store.epoch
        return True

    def _render(self, finished: Finished, now: float) -> bool:
        """Put the answer into the engine's words for this second. Returns whether its body is the stored one itself, or
        none: pieces of it would be copies to be kept."""
        request, hit = finished.request, finished.hit
        assert hit is not None
        reply = self._engine.from_hit(request, hit, finished.key, now)
        if isinstance(reply.body, OwnBody):  # too large to be held
            return False
        head = written_head(reply.response.status, reply.response.headers.pairs, late=True)
        head, dated = DATE_SLOT.subn(lambda slot: date_at(slot[1], now), head)  # known for the whole second
        first, *rest = written(head, reply.body, SMALL_ANEW if b"\0" in head else SMALL)
        finished.held, finished.answers = len(first), repeat((first, *rest) if rest else first)
        finished.replay = Replay(self._read, reply.response.status, reply.verdict, sum(map(len, reply.body)))
        age = int(hit.stored.freshness.age(now))
        finished.rendered_from = max(finished.since, hit.stored.freshness.born + age if age else -inf)
        finished.rendered_until = min(finished.until, hit.stored.freshness.born + age + 1)
        if dated:
            finished.rendered_from = max(finished.rendered_from, floor(now))
            finished.rendered_until = min(finished.rendered_until, floor(now) + 1)
        finished.ready_from, finished.ready_until = finished.rendered_from, finished.rendered_until
        finished.maker = None
        if b"\0" in head:  # what is behind it cannot be told from a slot
            finished.maker = self._late.anew(head, first[len(head) :], rest, reply.verdict, now)
            finished.held += len(first)  # joined to what is told
            self._make(finished, finished.maker, now)
        return all(part is hit.stored.body for part in reply.body)

    def _make(self, finished: Finished, maker: Anew, now: float) -> None:
        """What is written for each response, for ten milliseconds at most."""
        late = self._late
        late.keep_up(now)
        if maker.timed:
            finished.ready_from = max(finished.rendered_from, late.since)
            finished.ready_until = min(finished.rendered_until, late.until)
        finished.answers = maker.responses()

    def _more(self, finished: Finished) -> Written:
        """Something in the head has ended."""
        assert finished.maker is not None
        finished.answers = finished.maker.responses()
        return next(finished.answers)
