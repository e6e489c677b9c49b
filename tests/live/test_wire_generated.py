"""Requests that nobody chose, in any order, while the clock moves and pages change: the memo makes no difference."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.live.wire import World, both_ways
from tests.live.wire_client import get, post

REQUESTS = 1_000

SITE: dict[str, Any] = {
    "/page": {"headers": {"cache-control": "max-age=20", "etag": '"1"'}, "body": "page", "validates": True},
    "/swr": {"headers": {"cache-control": "max-age=4, stale-while-revalidate=9", "etag": '"2"'}, "body": "stale"},
    "/sie": {"headers": {"cache-control": "max-age=4, stale-if-error=30"}, "body": "error"},
    "/vary": {"headers": {"cache-control": "s-maxage=30", "vary": "accept-language"}, "echo": "accept-language",
              "body": "for {}"},
    "/private": {"headers": {"cache-control": "private"}, "body": "mine"},
    "/large": {"headers": {"cache-control": "max-age=60"}, "body": "0123456789" * 4_000},
    "/dated": {"headers": {"cache-control": "public, s-maxage=9", "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT"},
               "body": "dated"},
    "/none": {"status": 404, "headers": {"cache-control": "max-age=5"}, "body": "none"},
}  # fmt: skip

FIELDS = (
    "Accept: */*", "Accept: text/html", "Accept-Encoding: gzip, br", "Accept-Encoding: br, gzip", "accept-language: de",
    "Accept-Language: en", "User-Agent: {}", "X-Request-Id: {}", "Cookie: n={}", 'If-None-Match: "1"',
    'If-None-Match: "x", W/"2"', "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", "Range: bytes=0-3",
    "Range: bytes=2-", "Cache-Control: no-cache", "Cache-Control: max-age=3", "Cache-Control: max-stale=5",
    "Cache-Control: only-if-cached", "Pragma: no-cache", "Authorization: Basic {}", "RSC: 1", "Connection: keep-alive",
    "Connection: close", "Connection: cookie", "X-Forwarded-For: 192.0.2.9", "Content-Length: 0",
    "Expect: 100-continue",
)  # fmt: skip


def request(random: Random) -> bytes:
    """Most are alike, so that there is something to remember."""
    target = random.choice([*SITE, "/page", "/swr", "/vary", "/page?q"])
    fields = [] if random.random() < 0.4 else random.sample(FIELDS, random.choice((1, 1, 2, 3, 5)))
    lines = [field.format(random.randrange(3)) for field in fields]
    if random.random() < 0.04:
        return post(target, b"change", *lines[:1])
    return get(target, *lines, method="HEAD" if random.random() < 0.1 else "GET")


@both_ways(seconds=60, site=SITE)
@pytest.mark.parametrize("seed", range(4))
async def test_the_memo_makes_no_difference(world: World, seed: int) -> None:
    random = Random(seed)
    answered = 0
    while answered < REQUESTS // 4:
        if random.random() < 0.1:
            world.clock.advance(random.choice((0.4, 1, 1, 3, 7, -2, -0.5)))
        if random.random() < 0.05:
            name = random.choice(list(SITE))
            failing = {"error": "connection_refused"} if random.random() < 0.4 else {"body": f"changed {answered}"}
            world.origin.script({name: SITE[name] | failing})
        count = random.choice((1, 1, 1, 2, 6))
        heard = await world.told(b"".join(request(random) for _ in range(count)))
        assert heard.data, "not even a refusal"
        answered += count


@both_ways(seconds=60, site=SITE, dialect="vercel")
@pytest.mark.parametrize("seed", range(2))
async def test_nor_in_another_dialect(world: World, seed: int) -> None:
    random = Random(seed)
    for _ in range(REQUESTS // 8):
        if random.random() < 0.1:
            world.clock.advance(random.choice((0.4, 1, 3, 7, -2)))
        assert (await world.told(request(random))).data
