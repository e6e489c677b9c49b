"""How things lie in Redis: the names of keys, and a response as the fields of a hash.

What one script touches shares a slot of a Redis Cluster: the log's keys by their hash tag, and everything of one cache
key because it is a single hash. So the responses spread over the nodes, and the log has one place.

    swerve:{NAMESPACE}:log       hash    log: its name; last: place of the last news; number: of the last purge; floor
                                         under which all counts as purged; began: the first number; held: how many
                                         there are of the three below
    swerve:{NAMESPACE}:news      stream  purges, changes and marks (news.py), the last NEWS of them
    swerve:{NAMESPACE}:purges    hash    the last purge of each mode for each name: for who starts, or fell behind
    swerve:{NAMESPACE}:order     zset    the same names by number: beyond PURGES of them the oldest goes
    swerve:{NAMESPACE}:slots     string  the slots of those purges that have no name there (app/core/slots.py)
    swerve:NAMESPACE:LOG:r:KEY   hash    the responses of a cache key: `h` + variant is the head, `b` + variant the body
    swerve:NAMESPACE:LOG:t:TAG   set     the cache keys whose responses have that tag
    swerve:NAMESPACE:LOG:p:PATH  set     the cache keys whose responses are of that path
    swerve:NAMESPACE:l:KEY       string  the lease of a refresh

KEY, TAG and PATH are digests. Responses stand under the name of the log by which their purges are numbered: those of a
log that was lost are out of reach, and expire.

A head is three numbers of 20 digits each, which scripts compare as text (Lua's own numbers end at 2**53): the answer's,
the purge's it was fetched under, and when it was put there, in microseconds of Redis's clock. The record follows.

Everything but the log expires, so that `maxmemory-policy volatile-lru` (or `volatile-lfu`) keeps the log and lets go of
responses: that is the policy to set. Under `noeviction` a full Redis takes no more responses and no purges either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b

from app.core.decisions import StoredResponse
from app.core.purging import Kind, Selector, paths_of, place_of
from app.store.codec import decode, encode

# How many pieces of news one may miss and still catch up without reading everything anew.
NEWS = 20_000
# As long as a PurgeLog is by itself.
PURGES = 50_000

# For how long after its last stale window a response is kept, to be validated or for `stale-if-error` by the
# operator's choice, and the longest that any is: seconds.
KEPT_AFTER = 86_400
LONGEST = 30 * 86_400

DIGITS = 20


class Names:
    """The names of our keys. `in_log`: the name of the log that they belong to."""

    def __init__(self, namespace: str) -> None:
        self.log, self.news, self.purges, self.order, self.slots = (
            f"swerve:{{{namespace}}}:{what}" for what in ("log", "news", "purges", "order", "slots")
        )
        self._all = f"swerve:{namespace}"

    def responses(self, in_log: str, of_key: str) -> str:
        """By the digest of a cache key; `*` is the pattern of all: the rest has no characters that mean something."""
        return f"{self._all}:{in_log}:r:{of_key}"

    def lists(self, in_log: str, stored: StoredResponse) -> list[str]:
        """The sets in which its key shall be."""
        paths = paths_of(place_of(stored.key)[1])
        return [self._list(in_log, "p", path) for path in paths] + [self._list(in_log, "t", tag) for tag in stored.tags]

    def list_for(self, in_log: str, selector: Selector) -> str | None:
        """The set with the keys of all that it names, and perhaps of more; None where there is none."""
        if selector.kind is Kind.TAG:
            return self._list(in_log, "t", selector.value)
        if selector.kind in (Kind.PATH, Kind.URL):
            return self._list(in_log, "p", selector.value.partition("?")[0])
        return None

    def _list(self, in_log: str, kind: str, value: str) -> str:
        return f"{self._all}:{in_log}:{kind}:{digest(value)}"

    def lease(self, key: str) -> str:
        return f"{self._all}:l:{digest(key)}"


def digest(text: str) -> str:
    """Of any text, of the same length: that two share one is beyond reach of who could choose them."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def variant_name(stored: StoredResponse) -> str:
    return blake2b(repr(stored.variant).encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


def written(stored: StoredResponse) -> tuple[str, str, str]:
    """Its variant, its number and the purge's that it was fetched under, as scripts want them."""
    return variant_name(stored), digits(stored.number), digits(stored.fetched_under)


def digits(number: int) -> str:
    """As text that is in order as the numbers are."""
    return f"{number:0{DIGITS}d}"


def record(stored: StoredResponse) -> bytes:
    return encode(stored, body=False)


def seconds_kept(stored: StoredResponse) -> float:
    """How long Redis keeps it. No judgement on freshness: when it is gone it could have answered nobody for long."""
    fresh = stored.freshness
    windows = max(fresh.stale_while_revalidate, fresh.stale_if_error)
    return min(max(fresh.lifetime, 0) + max(windows, 0) + KEPT_AFTER, LONGEST)


def read_head(head: bytes) -> StoredResponse | None:
    """Without its body. None where it was written by another version."""
    return decode(memoryview(head)[3 * DIGITS :])


def read_responses(key: str, fields: Mapping[bytes, bytes]) -> tuple[StoredResponse, ...]:
    """The responses of a cache key with their bodies, in the order in which they were put there."""
    heads = sorted((head[2 * DIGITS : 3 * DIGITS], name) for name, head in fields.items() if name[:1] == b"h")
    found = []
    for _, name in heads:
        one, body = read_head(fields[name]), fields.get(b"b" + name[1:])
        if one is not None and body is not None and one.key == key:
            found.append(replace(one, body=body))
    return tuple(found)
