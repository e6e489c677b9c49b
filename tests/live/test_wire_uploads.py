"""Bodies of requests that go wrong after their answer, and those that an Upgrade would have taken away."""

from __future__ import annotations

import asyncio

import pytest

from app import protocol
from tests.live.wire import World, both_ways
from tests.live.wire_client import get, post


async def unhandled(world_errors: list[str]) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: world_errors.append(str(context)))


@both_ways()
@pytest.mark.parametrize("lines", ["Transfer-Encoding: chunked", "Content-Length: 10"])
async def test_a_body_that_goes_wrong_behind_its_answer_ends_the_connection(world: World, lines: str) -> None:
    errors: list[str] = []
    await unhandled(errors)
    async with world.calling() as client:
        await client.send(get("/x", lines, method="TRACE"))
        await client.hear()
        assert client.data.startswith(b"HTTP/1.1 405 ")
        await client.send(b"ZZ\r\n" if "chunked" in lines else b"x" * 10 + b"garbage\r\n\r\n")
        heard = await client.ends()
    assert (heard.fate, errors) == ("closed", [])


@both_ways()
async def test_a_body_that_never_comes_behind_its_answer_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[str] = []
    await unhandled(errors)
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    async with world.calling() as client:
        await client.send(get("/x", "Content-Length: 10", method="TRACE"))
        heard = await client.ends()
    assert (heard.fate, heard.data.count(b"HTTP/1.1"), errors) == ("closed", 1, [])


@both_ways()
@pytest.mark.parametrize(
    "offers",
    [("Upgrade: h2c", "Upgrade: h2c", "Connection: Upgrade"), ("UPGRADE: h2c", "CONNECTION: UPGRADE"),
     ("Upgrade: foo", "Upgrade: websocket", "Connection: Upgrade"), ("upgrade: h2c",)],
)  # fmt: skip
async def test_no_body_is_lost_behind_an_upgrade(world: World, offers: tuple[str, ...]) -> None:
    await world.told(post("/x", b"abc", *offers))
    assert world.origin.bodies == [b"abc"]
