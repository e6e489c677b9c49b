"""Which answer belongs to which request: by the exact bytes of a head, and by its first line with those of the fields
that decisions look at. Bounded in number and in bytes; the oldest go first, and are learned anew."""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence

from app.core.messages import Headers, Request
from app.core.observed import Observed
from app.finished import Finished
from app.heads import first_line, is_plain, lines_of

# The answers to one first line, by the lines of the fields that were looked at.
Answers = dict[tuple[bytes, ...], Finished]

# How many answers are kept, under how many heads, of which size in all.
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


class Fingerprints:
    """Answers by the fingerprints of their requests. `bytes`: what they take, by our count. `by_head`: with the head
    itself, for who keeps it, so that the one that has come is free again."""

    def __init__(self, bypass_cookies: Iterable[str]) -> None:
        self.bytes = 0
        self.by_head: OrderedDict[bytes, tuple[bytes, Finished]] = OrderedDict()
        self._by_line: dict[bytes, Answers] = {}
        self._by_key: defaultdict[str, list[Finished]] = defaultdict(list)
        self._order: OrderedDict[Finished, None] = OrderedDict()
        self._seen = [0] * SEEN
        self._looked: set[str] = set()
        self.look_at(OF_THE_MESSAGE)
        # Whoever sends such a cookie is bypassed: by this the core tells requests apart, unseen by Observed.
        bypassing = [re.escape(name.encode()) for name in sorted(bypass_cookies)]
        self._bypasses = re.compile(b"|".join(bypassing), re.IGNORECASE).search if bypassing else _never

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, finished: Finished) -> bool:
        return finished in self._order

    def tells(self, head: bytes) -> bool:
        """Whether requests with such heads can be told apart here."""
        return len(head) <= LONGEST_HEAD and is_plain(head) and not self._bypasses(head)

    def find(self, head: bytes) -> Finished | None:
        """The answer to a head that is not known to the byte."""
        answers = self._by_line.get(first_line(head))
        if answers is None or not self.tells(head):
            return None
        finished = answers.get(tuple(self._fields.findall(head)))
        if finished is not None:
            self._seen_again(finished, head)
        return finished

    def of(self, key: str) -> Sequence[Finished]:
        """All that was answered from what is stored under the key."""
        return self._by_key.get(key, ())[:]

    def look_at(self, names: set[str]) -> bool:
        """From now on tell requests apart by these fields too, at most so many. What was kept by fewer is forgotten: it
        could be taken for what it is not."""
        if names <= self._looked:
            return True
        if len(self._looked | names) > MOST_LOOKED:
            return False
        self._looked |= names
        self._fields = lines_of(self._looked)
        for finished in list(self._order):
            self.drop(finished)
        return True

    def looked(self, request: Request) -> Request:
        """What is looked at of a request."""
        looked = {name.encode("latin-1") for name in self._looked}
        pairs = tuple([pair for pair in request.headers.pairs if pair[0] in looked])
        return request.with_headers(Observed(Headers.lowered(pairs)))

    def keep(self, finished: Finished, head: bytes) -> None:
        finished.first_line, finished.fields = first_line(head), tuple(self._fields.findall(head))
        if (old := self._by_line.get(finished.first_line, {}).get(finished.fields)) is not None:
            self.drop(old)
        if len(self._by_key[finished.key]) >= MOST_OF_A_KEY:
            self.drop(self._by_key[finished.key][0])
        self._by_line.setdefault(finished.first_line, {})[finished.fields] = finished
        self._by_key[finished.key].append(finished)
        self._order[finished] = None
        self._by_exact_head(finished, head)
        self.weigh(finished)

    def weigh(self, finished: Finished) -> None:
        """Count what it takes, and let the oldest go if that is too much."""
        known = sum(map(len, finished.fields)) + sum(map(len, finished.heads)) + finished.held
        size = ANSWER_OVERHEAD + HEAD_OVERHEAD * len(finished.heads) + known
        self.bytes += size - finished.bytes
        finished.bytes = size
        while len(self._order) > MOST_ANSWERS or (self.bytes > MOST_BYTES and self._order):
            self.drop(next(iter(self._order)))

    def _seen_again(self, finished: Finished, head: bytes) -> None:
        """A head that comes for the second time is likely to come again."""
        mark = hash(head)
        if self._seen[mark % SEEN] == mark:
            self._by_exact_head(finished, head)
            self.weigh(finished)
        else:
            self._seen[mark % SEEN] = mark

    def _by_exact_head(self, finished: Finished, head: bytes) -> None:
        self.by_head[head] = head, finished
        finished.heads.append(head)
        if len(self.by_head) > MOST_HEADS:
            oldest, (_, owner) = self.by_head.popitem(last=False)
            owner.heads.remove(oldest)
            owner.bytes -= HEAD_OVERHEAD + len(oldest)
            self.bytes -= HEAD_OVERHEAD + len(oldest)

    def drop(self, finished: Finished) -> None:
        if finished not in self._order:
            return
        del self._order[finished]
        self.bytes -= finished.bytes
        for head in finished.heads:
            del self.by_head[head]
        _discard(self._by_line, finished.first_line, finished.fields)
        self._by_key[finished.key].remove(finished)
        if not self._by_key[finished.key]:
            del self._by_key[finished.key]


def _never(_head: bytes) -> None:
    return None


def _discard(by_line: dict[bytes, Answers], first_line: bytes, fields: tuple[bytes, ...]) -> None:
    del by_line[first_line][fields]
    if not by_line[first_line]:
        del by_line[first_line]
