"""Before a case: fill the cache, and make sure that the proxy does what the case is about."""

import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException

from bench.asking import Answer, ask
from bench.cases import Case, Kind
from bench.heads import Fields
from bench.peers.peer import Peer
from bench.ports import LOOPBACK
from bench.refusal import NotProvenError

KNOWN_PAGES = 10_000  # as lua/zipf.lua has it
STALE_AFTER = 1.2
AT_ONCE = 0.15  # sooner than the slow origin answers
PATIENCE = 2.0


def warm(case: Case, peer: Peer) -> Fields:
    """The fields of the requests that measure it: those of the case, and the proxy's own ETag where it needs one."""
    try:
        with closing(HTTPConnection(LOOPBACK, peer.port, timeout=10)) as connection:
            return _warmed(connection, case, peer)
    except (OSError, HTTPException) as error:
        raise NotProvenError(f"{peer.name} did not answer: {error!r}") from error


def _warmed(connection: HTTPConnection, case: Case, peer: Peer) -> Fields:
    fields = case.fields
    match case.kind:
        case Kind.HIT | Kind.STALE:
            etag = _fill(connection, case, peer).fields.get("ETag", "")
            if case.status == 304:
                fields = (*fields, ("If-None-Match", etag))
            if case.kind is Kind.STALE:
                time.sleep(STALE_AFTER)
            _expect(ask(connection, case.method, case.path, fields), case, peer, hit=True)
        case Kind.MISS:
            _expect(ask(connection, case.method, case.path, fields, "first"), case, peer, hit=False)
            _fill(connection, case, peer, "first")
        case Kind.PASS:
            for _ in range(2):
                _expect(ask(connection, case.method, case.path, fields), case, peer, hit=False)
        case Kind.MIXED:
            for rank in range(1, KNOWN_PAGES + 1):
                ask(connection, case.method, case.path, fields, f"known{rank}")
            _expect(ask(connection, case.method, case.path, fields, "known1"), case, peer, hit=True)
            _expect(ask(connection, case.method, case.path, fields, "unknown"), case, peer, hit=False)
    return fields


def _fill(connection: HTTPConnection, case: Case, peer: Peer, number: str = "look") -> Answer:
    """Ask until it is a hit: what was fetched may be stored a moment after it was answered."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = ask(connection, "GET", case.path, case.fields, number)
        if peer.hit(answer.fields):
            return answer
        if time.monotonic() > deadline:
            raise NotProvenError(f"{peer.name} does not store {case.path}: {answer.status}, {dict(answer.fields)}")
        time.sleep(0.02)


def _expect(answer: Answer, case: Case, peer: Peer, *, hit: bool) -> None:
    told = f"{peer.name} answered {case.method} {case.path} with {answer.status}, {dict(answer.fields)}"
    if answer.status != case.status:
        raise NotProvenError(f"{told}: the status is not {case.status}")
    if case.status == 200 and answer.length != case.size:
        raise NotProvenError(f"{told}: the length is not {case.size} but {answer.length}")
    if peer.hit(answer.fields) is not hit:
        raise NotProvenError(f"{told}: that is {'no' if hit else 'a'} hit")
    if case.kind is Kind.STALE and answer.seconds > AT_ONCE:
        raise NotProvenError(f"{told}: it waited for the origin, {answer.seconds:.3f} s")
