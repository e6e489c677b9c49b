"""What only the single response knows, the same way whether the engine answers or the memo does."""

from __future__ import annotations

import asyncio
import re
from functools import reduce
from pathlib import Path

import pytest

from app.asgi import build
from app.clock import ManualClock
from app.core.decisions import Result, Verdict
from app.core.dialect import IdentityField
from app.core.messages import Headers
from app.core.reasons import Reason
from app.identity import Identities
from app.late import Late
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


HIT = Verdict(Result.HIT, Reason.FRESH, "GET http h /", number=7)


def late_at(clock: ManualClock) -> Late:
    field = IdentityField("x-id", "{region}::{node}-{millis}-{random}", "dev1")
    return Late(Identities(field, "abcde", clock), needed=True)


@pytest.mark.parametrize(
    ("slot", "form"),
    [
        (b"i", rb"dev1::abcde-170000000\d{4}-[0-9a-f]{12}"),
        (b"r16", rb"[0-9a-f]{16}"),
        (b"t56", rb"[\w-]{56}"),
        (b"l", rb"[0-7][0-9A-HJKMNP-TV-Z]{25}"),
        (b"n", rb"\d+"),
    ],
)
def test_no_two_of_many_responses_have_the_same_name(slot: bytes, form: bytes) -> None:
    clock = ManualClock(START)
    late, found = late_at(clock), set[bytes]()
    anew = late.filled_anew([b"<", b">"], [slot], HIT, clock.now())
    for _ in range(20):
        for _ in range(500):  # in one millisecond, which no process does
            found.add(next(anew))
        clock.advance(0.001)
        late.turn(clock.now())
    assert len(found) == 20 * 500
    assert all(re.fullmatch(b"<%b>" % form, one) for one in found)


def test_what_tells_the_time_is_right_to_the_millisecond() -> None:
    late = late_at(ManualClock(START))
    anew = late.filled_anew([b"", b" ", b".", b""], [b"m", b"s", b"u"], HIT, START)
    assert (late.since, late.until) == (START, 1_700_000_000.251)
    assert [next(anew), next(anew)] == [b"1700000000250 1700000000.250000"] * 2
    late.turn(START + 0.5)
    assert next(anew) == b"1700000000750 1700000000.750000"
    late.turn(START - 1)
    assert next(anew) == b"1699999999250 1699999999.250000"


def test_a_slot_that_stands_in_a_head_twice_says_the_same_unless_it_is_random() -> None:
    late, slots = late_at(ManualClock(START)), [b"h", b"h", b"n", b"n", b"i", b"i", b"r8", b"r8"]
    anew = late.filled_anew([b"", *[b" "] * 7, b""], slots, HIT, START)
    text = " ".join(f"\0{slot.decode()}\0" for slot in slots)

    def by_the_engine() -> bytes:
        filled = late.filled(Headers.of(("x-all", text)), HIT, "dev1::x", START, 0.0)
        return (filled.get("x-all") or "").encode()

    for hit in range(1, 9):
        said = by_the_engine() if hit % 2 else next(anew)
        hits, again, number, as_well, name, same, random, other = said.split(b" ")
        assert (int(hits), hits, number, name) == (hit, again, as_well, same)
        assert random != other
