"""What only the single response knows, the same way whether the engine answers or the memo does."""

from __future__ import annotations

import asyncio
import re
from functools import reduce
from pathlib import Path

import pytest

from app.asgi import build
from app.clock import ManualClock
from app.settings import load_settings
from tests.origin import ScriptedOrigin
from tests.wired import WiredClient, WiredServer

DIALECT = """
name = "late"
as_of = "2026-11"
[speech]
[speech.fields.x-hits]
value = "{hits}"
beside = "append"
[speech.fields.x-ids]
value = "{number} {filled_by}"
[speech.fields.x-random]
value = "{random:16}-LHR {token:54}=="
[speech.fields.x-timer]
value = "S{seconds}.{micros},VS0,VE{elapsed}"
[speech.fields.x-millis]
value = "{millis}"
[speech.fields.x-ulid]
value = "{ulid}"
[speech.fields.date]
value = "{date}"
[speech.client_lifetime]
remaining = true
expires = true
[speech.identity]
name = "x-id"
template = "{region}-{millis}-{random}"
region = "dev"
[rules]
"""
BASE_32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
START = 1_700_000_000.25


def millis_of(ulid: str) -> int:
    return reduce(lambda number, digit: number * 32 + BASE_32.index(digit), ulid[:10], 0)


@pytest.mark.parametrize("memo", ["true", "false"])
def test_late_slots_are_filled_for_each_response(tmp_path: Path, memo: str) -> None:
    (tmp_path / "late.toml").write_text(DIALECT)
    flags = {"origin": "http://origin.test", "dialect": str(tmp_path / "late.toml"), "log": "off", "memo": memo}
    settings = load_settings(flags, {}, tmp_path)
    origin = ScriptedOrigin()
    origin.script({"/a": {"headers": {"cache-control": "s-maxage=60", "x-hits": "7"}, "body": "page"}})
    clock = ManualClock(START)

    async def story() -> list[dict[str, str]]:
        client = WiredClient(WiredServer(build(settings, clock=clock, transport=origin), settings))
        answers = []
        for _ in range(6):
            received = await client.request("GET", "/a", [("accept", "*/*")])
            assert (received.status, received.body) == (200, b"page")
            answers.append(dict(received.headers))
            clock.advance(0.5)
        return answers

    found = asyncio.run(asyncio.wait_for(story(), 20))
    assert [one["x-hits"] for one in found] == ["7, 0", "7, 1", "7, 2", "7, 3", "7, 4", "7, 5"]
    numbers = [one["x-ids"].split() for one in found]
    assert len({own for own, _ in numbers}) == 6, "each response has a number"
    assert {filled for _, filled in numbers} == {numbers[0][0]}, "and says which one brought what is stored"
    assert all(re.fullmatch(r"[0-9a-f]{16}-LHR [\w-]{54}==", one["x-random"]) for one in found)
    assert len({one["x-random"] for one in found}) == 6
    assert len({one["x-id"] for one in found}) == 6
    assert all(re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", one["x-ulid"]) for one in found)
    assert [millis_of(one["x-ulid"]) for one in found] == [int(one["x-millis"]) for one in found]
    assert [one["x-ulid"] for one in found] == sorted({one["x-ulid"] for one in found})
    assert {one["date"] for one in found} == {f"Tue, 14 Nov 2023 22:13:2{n} GMT" for n in range(3)}
    assert [one["cache-control"] for one in found] == [f"s-maxage=60, max-age={60 - n // 2}" for n in range(6)]
    assert {one["expires"] for one in found} == {"Tue, 14 Nov 2023 22:14:20 GMT"}
    assert [one["x-millis"] for one in found] == [str(int((START + n / 2) * 1000)) for n in range(6)]
    assert all(re.fullmatch(r"S170000000\d\.[27]5\d{4},VS0,VE\d+", one["x-timer"]) for one in found)
    assert [request.headers["x-id"] for request in origin.requests] == [found[0]["x-id"]], (
        "the origin was told the same"
    )
