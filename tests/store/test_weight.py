"""What a stored response costs in memory, and what the store believes that it costs."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from dataclasses import replace

from app.core.concluding import conclude
from app.core.decisions import Exchange, Forward, Save
from app.core.forwarding import Forwarding, arrived
from app.core.key import cache_key
from app.core.messages import Headers, Request, Response
from app.core.reuse import decide
from app.store.memory import MemoryStore
from tests.core.build import NOW, RFC

BODY = 1_024
COUNT = 2_000

# Ten fields, as origins send them; what they say differs from page to page.
HEAD = """\
date: Sun, 09 Sep 2001 01:46:{second:02} GMT
server: nginx/1.25.3
content-type: text/html; charset=utf-8
content-length: 1024
cache-control: public, s-maxage=3600
etag: "{number:08x}-k1xz"
last-modified: Sat, 08 Sep 2001 01:46:{second:02} GMT
vary: Accept-Encoding
x-powered-by: Next.js
x-request-id: {number:032x}
"""


async def fill(store: MemoryStore, numbers: range) -> None:
    """Store a response for each number, made as the request path makes them: each from bytes of its own."""
    for number in numbers:
        asked = Headers([(b"host", b"localhost:8080"), (b"accept-encoding", b"gzip, deflate, br, zstd")])
        request = arrived(Request("GET", "http", "localhost:8080", f"/page/{number}", asked, "::1"), Forwarding("n"))
        key = cache_key(request, RFC)
        forward = decide(request, await store.lookup(key), RFC, NOW)
        assert isinstance(forward, Forward)
        lines = HEAD.format(number=number, second=number % 60).splitlines()
        headers = Headers.of(*(line.partition(": ")[::2] for line in lines))
        answer = Exchange(forward.request, Response(200, headers), RFC.directives(headers, 200), NOW, NOW + number / 7)
        outcome = conclude(forward, answer, key, RFC)
        assert isinstance(outcome, Save)
        await store.save(replace(outcome.stored, body=bytes(BODY), size=BODY))


def test_a_stored_page_of_1_kib_takes_at_most_1_5_kib_more() -> None:
    asyncio.run(fill(MemoryStore(2**20), range(COUNT, COUNT + 100)))  # what is loaded and remembered once
    store = MemoryStore(2**30)
    gc.collect()
    tracemalloc.start()
    try:
        asyncio.run(fill(store, range(COUNT)))
        gc.collect()
        traced, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    state = store.state()
    assert state.keys == COUNT
    taken, believed = traced / COUNT - BODY, (state.size or 0) / COUNT - BODY
    assert taken < 1_536
    assert taken < believed < 1_536, "the store must know what it takes, and not waste its room either"
