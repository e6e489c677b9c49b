"""A client that does not read, or leaves, costs a bounded amount of memory (RFC 9112 §9.3.2, §9.6)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from app import client as edge
from app import protocol
from tests.live.wire import World, both_ways
from tests.live.wire_client import LIMIT, get, turns

KIB = 2**10
SIZE, HUGE = 100 * KIB, 8 * KIB * KIB
SITE: dict[str, Any] = {
    "/page": {"headers": {"cache-control": "max-age=60"}, "body": "0123456789" * (SIZE // 10)},
    "/huge": {"headers": {"cache-control": "max-age=60"}, "body": "x" * HUGE, "pauses_after": HUGE},  # in one chunk
    "/streamed": {"headers": {"cache-control": "no-store"}, "body": "x" * (KIB * KIB)},
    "/small": {"headers": {"cache-control": "max-age=60"}, "body": "small"},
    "/slow": {"headers": {"cache-control": "max-age=60", "content-length": "4"}, "body": "slow"},
}  # fmt: skip
COUNT = 2_000


def written(world: World) -> int:
    """How many bytes wait for clients in this process."""
    return max((connection.transport.get_write_buffer_size() for connection in world.connections), default=0)


@both_ways(60, site=SITE)
async def test_answers_wait_for_a_client_that_does_not_read(world: World) -> None:
    answer = (await world.settled(get("/page"))).data
    async with world.calling(SO_RCVBUF=64 * KIB) as client:
        sending = asyncio.ensure_future(client.send(*[get("/page") * 100] * (COUNT // 100)))
        for _ in range(20):
            await turns()
            assert written(world) < 4 * SIZE
        assert client.fate == "open"
        expected, position, received = answer * 2, 0, 0
        while received < COUNT * len(answer):
            piece = await client.read(256 * KIB)
            assert piece, f"the connection has ended after {received} bytes"
            end = position + len(piece)
            whole = expected if end <= len(expected) else answer * (end // len(answer) + 1)
            assert whole[position:end] == piece, f"after {received} bytes"
            assert written(world) < 4 * SIZE
            received += len(piece)
            position = end % len(answer)
        await sending
        assert (await client.probe()).said() == "open"
    assert world.application.around.journal.counters.results["hit"] >= COUNT


@both_ways(60, site=SITE)
async def test_requests_without_end_are_not_read_without_end(world: World) -> None:
    await world.settled(get("/page"))
    block = get("/page") * 1_000
    async with world.calling(SO_RCVBUF=16 * KIB, SO_SNDBUF=64 * KIB) as client:
        taken = quiet = 0
        while quiet < 200 and taken < 64 * KIB * KIB:
            sent = client.write(block[taken % len(get("/page")) :])
            taken, quiet = taken + sent, 0 if sent else quiet + 1
            await asyncio.sleep(0)
        assert taken < 16 * KIB * KIB
        assert written(world) < 4 * SIZE
        client.leave()
        await turns()
    assert not world.connections
    world.uncounted()  # how many of them were answered depends on the machine


@both_ways(60, site=SITE)
@pytest.mark.parametrize("target", ["/page", "/small"])
async def test_a_client_may_leave_in_the_middle(world: World, target: str, caplog: pytest.LogCaptureFixture) -> None:
    await world.settled(get(target))
    for read in [0, 1, 10 * KIB]:
        async with world.calling(SO_RCVBUF=16 * KIB) as client:
            await client.send(get(target) * 1_000)
            left = read
            while left:
                left -= len(await client.read(left))
            client.leave()
            await turns()
        assert not world.connections
        assert not world.tasks, "whoever has left is served no more"
    assert (await world.told(get(target))).said() == "200 HIT open"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    world.uncounted()


@both_ways(site=SITE)
async def test_a_client_may_leave_before_its_answer(world: World) -> None:
    await world.settled(get("/page"))
    world.origin.gate = gate = asyncio.Event()
    async with world.calling() as client:
        await client.send(get("/slow") + get("/page") * 10)
        client.leave()
        await turns()
    assert not world.connections
    assert not world.tasks
    gate.set()
    assert (await world.told(get("/page"))).said() == "200 HIT open"


@both_ways(60, site=SITE)
async def test_a_client_that_reads_slowly_gets_all_of_it(world: World) -> None:
    answer = (await world.settled(get("/page"))).data
    async with world.calling(SO_RCVBUF=16 * KIB) as slow:
        await slow.send(get("/page") * 5)
        received = b""
        while len(received) < 5 * len(answer):
            received += await slow.read(4 * KIB)
            if len(received) % 7 == 0:  # and others do not wait for it
                assert (await world.told(get("/small"))).said().startswith("200 ")
        assert received == answer * 5
    world.uncounted()


@both_ways(60, site=SITE)
async def test_answers_keep_their_order_while_a_client_does_not_read(world: World) -> None:
    page, small = [(await world.settled(get(target))).data for target in ("/page", "/small")]
    async with world.calling(SO_RCVBUF=16 * KIB) as client:
        for _ in range(30):
            await client.send(get("/page"), get("/small"), get("/small") + get("/page"))
        await turns()
        await client.send(get("/small", "Connection: close"))
        heard = await client.ends()
    assert heard.data.startswith((page + small + small + page) * 30)
    assert heard.answers()[-1].get("connection") == "close"
    assert len(heard.answers()) == 121


SOON = 0.05


@both_ways(60, site=SITE)
@pytest.mark.parametrize("target", ["/huge", "/streamed"])
@pytest.mark.parametrize("count", [1, 10])
async def test_a_client_that_never_reads_is_given_up(
    world: World, target: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if target == "/huge":
        await world.settled(get(target))
    monkeypatch.setattr(protocol, "HEAD_SECONDS", SOON)
    monkeypatch.setattr(edge, "SILENCE", SOON)
    world.config.timeout_keep_alive = SOON  # type: ignore[assignment]  # whole seconds would be long to wait
    async with world.calling(SO_RCVBUF=4 * KIB) as client:
        await client.send(get(target) * count)
        deadline = asyncio.get_running_loop().time() + LIMIT
        while world.connections and asyncio.get_running_loop().time() < deadline:
            await turns(1)
        assert not world.connections, "it holds a connection, and what was written to it, for ever"
    world.uncounted()
    monkeypatch.undo()
