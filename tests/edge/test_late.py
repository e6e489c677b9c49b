"""What only the single response knows, the same way whether the engine answers or the memo does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import pytest

from app.anew import Written
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


def answers(late: Late, head: bytes, clock: ManualClock, rest: tuple[bytes, ...] = ()) -> Iterator[Written]:
    """One after the other, as the memo gives them: made anew at each time and when there are no more."""
    maker = late.anew(head, b"", rest, HIT, clock.now())
    while True:
        late.turn(now := clock.now())
        for answer in maker.responses():
            yield answer
            if clock.now() != now:
                break


@pytest.mark.parametrize(
    ("slot", "form"),
    [
        ("i", rb"dev1::abcde-170000000\d{4}-[0-9a-f]{12}"),
        ("r16", rb"[0-9a-f]{16}"),
        ("t56", rb"[\w-]{56}"),
        ("l", rb"[0-7][0-9A-HJKMNP-TV-Z]{25}"),
        ("n", rb"\d+"),
    ],
)
def test_no_two_of_many_responses_have_the_same_name(slot: str, form: bytes) -> None:
    clock = ManualClock(START)
    found, said = set[bytes](), answers(late_at(clock), f"<\0{slot}\0>".encode(), clock)
    for _ in range(5):
        for _ in range(2_500):  # at one time, which no process does
            answer = next(said)
            assert isinstance(answer, bytes)
            found.add(answer)
        clock.advance(0.001)
    assert len(found) == 5 * 2_500
    assert all(re.fullmatch(b"<%b>" % form, one) for one in found)


def test_two_pages_whose_answers_have_names_of_one_kind_share_none() -> None:
    clock = ManualClock(START)
    late, found = late_at(clock), list[Written]()
    one, other = (answers(late, b"\0i\0 \0l\0", clock) for _ in range(2))
    for turn in range(3_000):
        found += next(one), next(other)
        if turn % 700 == 0:
            clock.advance(0.01)
    assert len(set(found)) == 6_000


def test_what_tells_the_time_is_right_when_it_is_told() -> None:
    clock = ManualClock(START)
    late = late_at(clock)
    said = answers(late, b"\0m\0 \0s\0.\0u\0", clock)
    assert [next(said), next(said)] == [b"1700000000250 1700000000.250000"] * 2
    assert (late.since, late.until) == (START, 1_700_000_000.26), "and stands for no more than ten milliseconds"
    clock.advance(0.5)
    assert next(said) == b"1700000000750 1700000000.750000"
    clock.advance(-1.5)
    assert next(said) == b"1699999999250 1699999999.250000"


@pytest.mark.parametrize("head", [b"<\0n\0>", b"<\0n\0 \0r\0>", b"<\0s\0>"])
def test_what_is_not_joined_to_the_head_comes_behind_it(head: bytes) -> None:
    clock = ManualClock(START)
    said = answers(late_at(clock), head, clock, (b"body", b"more"))
    for _ in range(1_500):
        first, *rest = next(said)
        assert isinstance(first, bytes)
        assert re.fullmatch(rb"<[\w ]+>", first)
        assert rest == [b"body", b"more"]


def test_a_slot_that_stands_in_a_head_twice_says_the_same_unless_it_is_random() -> None:
    late, slots = late_at(ManualClock(START)), ["h", "h", "n", "n", "i", "i", "r8", "r8"]
    text = " ".join(f"\0{slot}\0" for slot in slots)
    said = answers(late, text.encode(), ManualClock(START))

    def by_the_engine() -> bytes:
        filled = late.filled(Headers.of(("x-all", text)), HIT, "dev1::x", START, 0.0)
        return (filled.get("x-all") or "").encode()

    for hit in range(1, 9):
        answer = by_the_engine() if hit % 2 else next(said)
        assert isinstance(answer, bytes)
        hits, again, number, as_well, name, same, random, other = answer.split(b" ")
        assert (int(hits), hits, number, name) == (hit, again, as_well, same)
        assert random != other


def test_one_slot_alone_that_stands_in_a_head_twice_is_filled_twice() -> None:
    clock = ManualClock(START)
    for slot, alike in (("h", True), ("i", True), ("r8", False)):
        said = answers(late_at(clock), f"\0{slot}\0 \0{slot}\0".encode(), clock)
        for _ in range(1_200):
            answer = next(said)
            assert isinstance(answer, bytes)
            one, other = answer.split(b" ")
            assert (one == other) is alike
