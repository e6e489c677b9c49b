"""Finished answers, replayed while they stand. The memo never judges: it repeats what the engine has decided.

A hit is a function of the request and the time. The engine's own answer is kept under two fingerprints of the request,
the exact bytes of its head, and its first line with those of the fields that the decision looked at, until one of these
happens: the time comes at which the decision would be another (app/core/standing.py), the store tells that something
under the key has changed, or its epoch has moved and the response turns out to be purged. Then the engine is asked the
same again, for the next who sends it; what is no hit any more is forgotten.

What a hit does beside answering is done each time: a stale one asks for a refresh, the journal and the store's order of
use hear of it, Age is right to the second, and what names the single response is made anew.
"""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from math import floor, inf

from app.arrival import request_of
from app.core.decisions import Hit
from app.core.forwarding import CHAIN
from app.core.messages import Headers, Request
from app.core.observed import Observed
from app.core.reuse import refresh
from app.core.speech import DATE_SLOT, LATE_SLOT
from app.core.standing import standing
from app.engine import Engine
from app.flights import OwnBody
from app.heads import first_line, is_plain, lines_of
from app.journal import Address, Replay
from app.late import Late, date_at
from app.store.base import marked
from app.wire import written, written_head

# The answers to one first line, by the lines of the fields that were looked at.
Answers = dict[tuple[bytes, ...], "Finished"]

# How many answers are kept, under how many heads, of which size in all: beyond it the oldest go, and are learned anew.
MOST_ANSWERS = 16_384
MOST_HEADS = 16_384
MOST_BYTES = 32 * 2**20
MOST_OF_A_KEY = 64
LONGEST_HEAD = 4 * 2**10
# What Python keeps around an answer, and around a head, beside their bytes: measured on CPython 3.11, rounded up.
ANSWER_OVERHEAD = 2_500
HEAD_OVERHEAD = 250
# How many fields decisions may look at: Vary could name any number of them.
MOST_LOOKED = 64
# What the parser looks at, before there is a decision: what ends the message, the connection, or HTTP.
OF_THE_MESSAGE = {"host", "connection", "proxy-connection", "upgrade", "content-length", "transfer-encoding"}
# A head is worth its place when it comes again: so many hashes of heads that came once.
SEEN = 2**14


class Finished:
    """An answer, how long it stands, and its bytes for the present second.

    `between` is the first piece, cut at the late slots (`slots`) that stand in its head; None if none do. `request` has
    those of its fields that were looked at. `bytes`: what it takes, by our count.
    """

    __slots__ = (
        "between", "bytes", "epoch", "fields", "first_line", "heads", "hit", "key", "pieces", "rendered_from",
        "rendered_until", "replay", "request", "since", "slots", "stale", "until",
    )  # fmt: skip

    key: str
    epoch: int
    replay: Replay

    def __init__(self, request: Request, first_line: bytes) -> None:
        self.request, self.first_line = request, first_line
        self.fields = tuple[bytes, ...]()
        self.heads: list[bytes] = []
        self.bytes = 0
        self.unsettle()

    def unsettle(self) -> None:
        """It stands no longer, and holds nothing of what was stored."""
        self.hit: Hit | None = None
        self.stale = False
        self.pieces: list[bytes] = []
        self.between: list[bytes] | None = None
        self.slots: list[bytes] = []
        self.since = self.rendered_from = inf
        self.until = self.rendered_until = -inf


class Memo:
    """Answers for the clients of one server, who all speak `scheme`."""

    def __init__(self, engine: Engine, scheme: str, late: Late) -> None:
        around = engine.around
        self.scheme = scheme
        self._by_head: OrderedDict[bytes, Finished] = OrderedDict()
        self._engine, self._late, self._rules = engine, late, around.dialect.rules
        self._fetcher, self._forwarding = engine.fetcher, around.forwarding
        self._now, self._store, self._journal = around.clock.now, around.store, around.journal
        self._replays = around.journal.replays
        self._heard = around.store.pulse[0]
        self._used_last: Finished | None = None
        self._by_line: dict[bytes, Answers] = {}
        self._by_key: defaultdict[str, list[Finished]] = defaultdict(list)
        self._order: OrderedDict[Finished, None] = OrderedDict()
        self._seen = [0] * SEEN
        self.bytes = 0
        self._looked: set[str] = set()
        self._look_at(OF_THE_MESSAGE)
        if around.forwarding.trust:
            self._look_at({"x-forwarded-host", "x-forwarded-proto"})
        # Whoever sends such a cookie is bypassed: by this the core tells requests apart, unseen by Observed.
        bypassing = [re.escape(name.encode()) for name in sorted(self._rules.bypass_cookies)]
        self._bypasses = re.compile(b"|".join(bypassing), re.IGNORECASE).search if bypassing else _never
        self._store.watch(self._forget)

    def __len__(self) -> int:
        return len(self._order)

    def replay(self, head: bytes, client: Address) -> list[bytes] | None:
        """The answer to a request with that head, as pieces to write. None: it is not known, or stands no more."""
        finished = self._by_head.get(head) or self._find(head)
        if finished is None:
            return None
        if (pulse := self._store.pulse[0]) != self._heard:
            self._heard = pulse
            self._store.catch_up()
            if finished not in self._order:
                return None
        now = self._now()
        if not finished.rendered_from <= now < finished.rendered_until and not self._renewed(finished, now):
            return None
        if finished.epoch != self._store.epoch and not self._survived(finished):
            return None
        if finished is not self._used_last:
            self._store.touch(finished.key)
            self._used_last = finished
        if finished.stale and self._fetcher.may_refresh(finished.key):
            self._refresh(finished, head, client)
        self._replays.append((finished.replay, head, now, client))
        if not 1 < len(self._replays) < self._journal.most_replays:
            self._journal.replayed()
        if finished.between is None:
            return finished.pieces
        first = self._late.joined(finished.between, finished.slots, finished.replay.verdict, now)
        return [first, *finished.pieces[1:]]

    def _find(self, head: bytes) -> Finished | None:
        """The answer to a head that is not known to the byte."""
        answers = self._by_line.get(first_line(head))
        if answers is None or len(head) > LONGEST_HEAD or not is_plain(head) or self._bypasses(head):
            return None
        finished = answers.get(tuple(self._fields.findall(head)))
        if finished is not None:
            self._seen_again(finished, head)
        return finished

    def learn(self, head: bytes, request: Request) -> None:
        """Keep the engine's answer to a request, if it is a hit that will stand."""
        if len(head) > LONGEST_HEAD or not is_plain(head) or self._bypasses(head):
            return
        request = request.with_headers(Observed(request.headers))
        finished = Finished(request, first_line(head))
        if self._judged(finished, self._now()):
            finished.fields = tuple(self._fields.findall(head))
            looked = {name.encode("latin-1") for name in self._looked}
            pairs = tuple([pair for pair in request.headers.pairs if pair[0] in looked])
            finished.request = request.with_headers(Observed(Headers.lowered(pairs)))
            self._keep(finished, head)

    def _refresh(self, finished: Finished, head: bytes, client: Address) -> None:
        """On behalf of who came now, as the engine would have it."""
        assert finished.hit is not None
        request = self._read(head, client, self._late.identities.next())
        self._fetcher.refresh(finished.key, refresh(request, finished.hit.stored, self._rules))

    def _read(self, head: bytes, client: Address, identity: str = "") -> Request:
        return request_of(head, self.scheme, client, self._forwarding, identity)

    def _renewed(self, finished: Finished, now: float) -> bool:
        """Whether the answer stands after all: in other words for another second, or as another answer."""
        self._used_last = None  # so that the order of use is right to the second, whoever else uses the store
        if finished.since <= now < finished.until:
            self._render(finished, now)
        elif self._judged(finished, now) and finished in self._order:
            self._weigh(finished)
        else:  # it is none, or one for which requests must be told apart by more
            self._drop(finished)
            return False
        return finished.rendered_from <= now < finished.rendered_until

    def _judged(self, finished: Finished, now: float) -> bool:
        """Ask the engine, under the eyes of who notes which fields it looks at. Returns whether it says a hit of which
        one can tell how long it stands, and what it looked at is what we tell requests apart by from now on."""
        finished.unsettle()
        request = finished.request
        found = self._engine.hit(request, now)
        span = None if found is None else standing(found[1], request, self._rules)
        if found is None or span is None:
            return False
        finished.key, finished.hit = found
        finished.since, finished.until = span
        finished.stale, finished.epoch = finished.hit.refresh is not None, self._store.epoch
        whole = self._render(finished, now)
        assert isinstance(request.headers, Observed)
        return whole and CHAIN.isdisjoint(request.headers.looked) and self._look_at(request.headers.looked)

    def _look_at(self, names: set[str]) -> bool:
        """From now on tell requests apart by these fields too, at most so many. What was kept by fewer is forgotten: it
        could be taken for what it is not."""
        if names <= self._looked:
            return True
        if len(self._looked | names) > MOST_LOOKED:
            return False
        self._looked |= names
        self._fields = lines_of(self._looked)
        for finished in list(self._order):
            self._drop(finished)
        return True

    def _keep(self, finished: Finished, head: bytes) -> None:
        if (old := self._by_line.get(finished.first_line, {}).get(finished.fields)) is not None:
            self._drop(old)
        if len(self._by_key[finished.key]) >= MOST_OF_A_KEY:
            self._drop(self._by_key[finished.key][0])
        self._by_line.setdefault(finished.first_line, {})[finished.fields] = finished
        self._by_key[finished.key].append(finished)
        self._order[finished] = None
        self._by_exact_head(finished, head)
        self._weigh(finished)

    def _weigh(self, finished: Finished) -> None:
        """Count what it takes, and let the oldest go if that is too much."""
        known = [*finished.fields, *finished.heads, *(finished.between or finished.pieces[:1])]
        size = ANSWER_OVERHEAD + HEAD_OVERHEAD * len(finished.heads) + sum(map(len, known))
        self.bytes += size - finished.bytes
        finished.bytes = size
        while len(self._order) > MOST_ANSWERS or (self.bytes > MOST_BYTES and self._order):
            self._drop(next(iter(self._order)))

    def _seen_again(self, finished: Finished, head: bytes) -> None:
        """A head that comes for the second time is likely to come again."""
        mark = hash(head)
        if self._seen[mark % SEEN] == mark:
            self._by_exact_head(finished, head)
            self._weigh(finished)
        else:
            self._seen[mark % SEEN] = mark

    def _by_exact_head(self, finished: Finished, head: bytes) -> None:
        self._by_head[head] = finished
        finished.heads.append(head)
        if len(self._by_head) > MOST_HEADS:
            oldest, owner = self._by_head.popitem(last=False)
            owner.heads.remove(oldest)
            owner.bytes -= HEAD_OVERHEAD + len(oldest)
            self.bytes -= HEAD_OVERHEAD + len(oldest)

    def _forget(self, key: str) -> None:
        """What is stored under the key has changed, or gone."""
        self._used_last = None
        known = self._by_key.get(key, ())[:]
        still_there = bool(known and self._store.find(key))
        for finished in known:
            if still_there:
                finished.unsettle()
            else:
                self._drop(finished)

    def _drop(self, finished: Finished) -> None:
        if finished not in self._order:
            return
        del self._order[finished]
        self.bytes -= finished.bytes
        for head in finished.heads:
            del self._by_head[head]
        _discard(self._by_line, finished.first_line, finished.fields)
        self._by_key[finished.key].remove(finished)
        if not self._by_key[finished.key]:
            del self._by_key[finished.key]

    def _survived(self, finished: Finished) -> bool:
        """Whether the purges since it was learned left it as it is."""
        assert finished.hit is not None
        stored = finished.hit.stored
        if not self._engine.deployed([stored]) or marked(self._store.log, stored).purge is not None:
            self._drop(finished)
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
        first, *rest = written(head, reply.body)
        finished.between, finished.slots = _cut(head, first)
        finished.pieces = [b"" if finished.between else first, *rest]
        finished.replay = Replay(self._read, reply.response.status, reply.verdict, sum(map(len, reply.body)))
        age = int(hit.stored.freshness.age(now))
        finished.rendered_from = max(finished.since, hit.stored.freshness.born + age if age else -inf)
        finished.rendered_until = min(finished.until, hit.stored.freshness.born + age + 1)
        if dated:
            finished.rendered_from = max(finished.rendered_from, floor(now))
            finished.rendered_until = min(finished.rendered_until, floor(now) + 1)
        return all(part is hit.stored.body for part in reply.body)


def _never(_head: bytes) -> None:
    return None


def _cut(head: bytes, piece: bytes) -> tuple[list[bytes] | None, list[bytes]]:
    """A piece that begins with a head, cut where late slots stand in the head, and these; None where none do."""
    if b"\0" not in head:
        return None, []
    pieces = LATE_SLOT.split(head)
    between, slots = pieces[::2], pieces[1::2]
    between[-1] += piece[len(head) :]
    return between, slots


def _discard(by_line: dict[bytes, Answers], first_line: bytes, fields: tuple[bytes, ...]) -> None:
    del by_line[first_line][fields]
    if not by_line[first_line]:
        del by_line[first_line]
