"""Purges, expiry, renewals and a clock that is moved, all against clients that are answered from the memo.

The engine looks over its shoulder: at the moment of each answer it is asked the same, and must say the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from app.anew import Written
from app.arrival import request_from
from app.asgi import Application
from app.core.messages import Headers
from app.engine import Reply
from app.wire import written_head
from tests.live.wire import World, both_ways
from tests.live.wire_client import get, post, turns

ROUNDS = 150
CLIENTS = 6

SITE: dict[str, Any] = {
    "/p": {"headers": {"cache-control": "max-age=6", "etag": '"1"'}, "body": "p 0"},
    "/q": {"headers": {"cache-control": "max-age=3, stale-while-revalidate=5"}, "body": "q 0"},
    "/r": {"headers": {"cache-control": "s-maxage=60", "vary": "accept"}, "echo": "accept", "body": "r 0 {}"},
    "/s": {"headers": {"cache-control": "max-age=60"}, "body": "s" * 20_000},
}


class Shoulder:
    """Compares every answer of the memo with what the engine says to the same request at that moment."""

    def __init__(self, application: Application) -> None:
        assert application.memo is not None
        self.edge, self.compared = application.serving.edge, 0
        self._replay: Callable[..., Written | None] = application.memo.replay
        application.memo.replay = self.replay  # type: ignore[method-assign]  # to look over its shoulder

    def replay(self, head: bytes, client: tuple[str, int] | None) -> Written | None:
        written = self._replay(head, client)
        if written is not None:
            reply = self._asked(head)
            assert isinstance(reply.body, list | tuple)
            told = written_head(reply.response.status, reply.response.headers.pairs) + b"".join(reply.body)
            assert (written if isinstance(written, bytes) else b"".join(written)) == told, (written, told)
            self.compared += 1
        return written

    def _asked(self, head: bytes) -> Reply:
        start, *lines = head.split(b"\r\n\r\n")[0].split(b"\r\n")
        method, target, _ = start.split(b" ")
        fields = [tuple(line.split(b": ", 1)) for line in lines]
        path, _, query = target.partition(b"?")
        scope = {
            "type": "http", "http_version": "1.1", "method": method.decode(), "scheme": "http", "raw_path": path,
            "query_string": query, "headers": [(name.lower(), value) for name, value in fields],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1),
        }  # fmt: skip
        request = request_from(scope, self.edge.around.forwarding)
        asking = self.edge.engine.answer(request.with_headers(Headers(request.headers.pairs)))
        try:
            asking.send(None)
        except StopIteration as answered:
            reply: Reply = answered.value
            return reply
        asking.close()
        raise AssertionError(f"the engine would have asked the origin: {head!r}")


async def visit(world: World, random: Random, ended: asyncio.Event) -> None:
    """A client that asks for one page after another."""
    async with world.calling() as client:
        while not ended.is_set():
            wanted = [get(random.choice(["/p", "/q", "/r", "/s"]), f"Accept: {random.choice('ab')}") for _ in range(3)]
            await client.send(b"".join(wanted))
            await turns(random.randrange(4))
        await client.hear()


async def disturb(world: World, random: Random, number: int) -> None:
    name = random.choice("pqrs")
    match random.randrange(5):
        case 0:
            await world.told(post(f"/{name}", b"x"))
        case 1:
            world.clock.advance(random.choice((0.3, 1, 2, 6, -1, -3)))
        case 2:
            world.origin.script({f"/{name}": SITE[f"/{name}"] | {"body": f"{name} {number}"}})
        case 3:
            store = world.application.around.store
            key = f"GET http h /{name}"
            for one in await store.lookup(key):
                await store.remove(one)
        case _:
            await turns(20)


@both_ways(seconds=90, site=SITE, max_size="60kb")
@pytest.mark.parametrize("seed", range(3))
async def test_what_the_memo_says_the_engine_would_have_said(world: World, seed: int) -> None:
    world.uncounted()
    if not world.memo:
        return
    random, ended, shoulder = Random(seed), asyncio.Event(), Shoulder(world.application)
    visits = [asyncio.ensure_future(visit(world, random, ended)) for _ in range(CLIENTS)]
    for number in range(ROUNDS):
        await disturb(world, random, number)
        await turns(random.randrange(10))
    ended.set()
    await asyncio.gather(*visits)
    assert shoulder.compared > ROUNDS, "the memo had hardly anything to say"
