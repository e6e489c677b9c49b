"""The memo answers what it may, for everything that a hit is: counted, told apart, and never what is no hit."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.journal import Event
from tests.live.wire import IDENTITY, World, both_ways
from tests.live.wire_client import get, post

FRESH = {"headers": {"cache-control": "max-age=60", "etag": '"1"'}, "body": "0123456789"}
SITE: dict[str, Any] = {
    "/page": FRESH,
    "/stale": {"headers": {"cache-control": "max-age=60, stale-while-revalidate=60"}, "body": "stale"},
    "/gone": {"status": 404, "headers": {"cache-control": "max-age=60"}, "body": "gone"},
    "/moved": {"status": 308, "headers": {"cache-control": "max-age=60", "location": "/page"}, "body": ""},
    "/no-cache": {
        "headers": {"cache-control": "no-cache", "etag": '"1"'},
        "body": "asked each time",
        "validates": True,
    },
    "/cookie": {"headers": {"cache-control": "max-age=60", "set-cookie": "a=b"}, "body": "mine"},
}

KNOWN = {
    "GET": get("/page"),
    "GET with fields": get("/page", "Accept: */*", "User-Agent: test", "Cookie: a=b"),
    "HEAD": get("/page", method="HEAD"),
    "not modified": get("/page", 'If-None-Match: "1"'),
    "an error": get("/gone"),
    "a redirect": get("/moved"),
    "joined": get("/page") * 5 + get("/gone"),
}


@both_ways(site=SITE)
@pytest.mark.parametrize("data", KNOWN.values(), ids=KNOWN)
async def test_a_known_hit_is_answered_without_judging_it_anew(world: World, data: bytes) -> None:
    await world.settled(get("/page") + get("/gone"))
    await world.settled(data)
    world.judged = 0
    count = data.count(b"\r\n\r\n")
    async with world.calling() as client:
        await client.send(data)
        await client.hear()
        client.so_far()
    assert world.judged == (0 if world.memo else count)


@both_ways(site=SITE)
async def test_a_client_with_other_fields_that_do_not_matter_is_answered_too(world: World) -> None:
    await world.settled(get("/page"))
    world.judged = 0
    async with world.calling() as client:
        await client.send(*(get("/page", f"X-Number: {number}") for number in range(10)))
        await client.hear()
        assert client.so_far().said() == ", ".join(["200 HIT"] * 10) + " open"
    assert world.judged == (0 if world.memo else 10)


NEVER = {
    "a POST": (post("/page", b""), 1),
    "what is asked for each time": (get("/no-cache"), 1),
    "what is one client's": (get("/cookie"), 1),
    "what a client wants anew": (get("/page", "Cache-Control: no-cache"), 1),
    "a request with a body": (get("/page", "Content-Length: 1") + b"x", 1),
    "what no origin has": (get("/nothing"), 1),
}


@both_ways(site=SITE)
@pytest.mark.parametrize(("data", "each"), NEVER.values(), ids=NEVER)
async def test_what_is_no_hit_is_judged_each_time(world: World, data: bytes, each: int) -> None:
    await world.settled(data)
    world.judged = 0
    before = len(world.seen())
    async with world.calling() as client:
        await client.send(data)
        await client.hear()
        client.so_far()
    assert world.judged == each
    assert len(world.seen()) == before + each


@both_ways(site=SITE)
async def test_every_hit_is_counted(world: World) -> None:
    journal = world.application.around.journal
    before = journal.counters.requests
    await world.settled(get("/page") * 25)
    asked = 4 * (25 + 1)  # and each client's probe
    counters = journal.counters
    assert counters.requests - before == asked
    assert (counters.results["miss"], counters.reasons["fresh"]) == (3, 2 * 3 + 99)
    assert counters.bytes_sent >= 100 * 10


@both_ways(site=SITE)
async def test_who_listens_hears_of_every_hit_in_its_order(world: World) -> None:
    events: list[Event] = []
    world.application.around.journal.listen(events.append)
    await world.settled(get("/page") + get("/nothing") + get("/page", "X-Y: z", method="HEAD"))
    told = [(event.request.method, event.request.target, event.status, event.size) for event in events[-4:-1]]
    assert told == [("GET", "/page", 200, 10), ("GET", "/nothing", 404, 12), ("HEAD", "/page", 200, 0)]
    assert {event.request.client for event in events} == {"127.0.0.1"}
    assert events[-2].request.headers.get("x-y") == "z"
    assert len(events) == 16


@both_ways(site={"/page": {"headers": {"cache-control": "s-maxage=60"}, "body": "page"}}, dialect="vercel")
async def test_each_answer_has_an_identity_of_its_own(world: World) -> None:
    await world.settled(get("/page"))
    world.judged = 0
    async with world.calling() as client:
        await client.send(get("/page") * 10, *[get("/page")] * 10)
        data = await client.hear()
        assert {answer.get("x-vercel-cache") for answer in client.so_far().answers()} == {"HIT"}
    assert world.judged == (0 if world.memo else 20)
    identities = IDENTITY.findall(data)
    assert len(identities) == len(set(identities)) == 20
    assert len({re.sub(rb"[0-9a-z]", b"x", identity) for identity in identities}) == 1
    world.clock.advance(5)
    assert [answer.get("age") for answer in (await world.settled(get("/page") * 3)).answers()] == ["5"] * 3


@both_ways(site=SITE, origin="http://127.0.0.1:9")  # where nobody listens
@pytest.mark.parametrize("before", [b"", get("/page"), get("/page") * 3], ids=["first", "behind one", "behind three"])
async def test_a_handshake_is_never_taken_for_a_known_request(world: World, before: bytes) -> None:
    await world.settled(get("/page"))
    handshake = get(
        "/page", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )  # fmt: skip
    async with world.calling() as client:
        await client.send(before)
        known = await client.hear()
        await client.send(handshake)
        heard = await client.ends()
    world.transcript.remove(heard)  # its Date is the machine's
    assert heard.data.removeprefix(known).startswith(b"HTTP/1.1 502 ")
    assert (await world.told(get("/page"))).said() == "200 HIT open"


@both_ways(site=SITE)
async def test_a_page_is_forgotten_and_learnt_again_any_number_of_times(world: World) -> None:
    for number in range(20):
        world.origin.script({"/page": FRESH | {"body": f"number {number}"}})
        world.clock.advance(61)
        for _ in range(3):
            bodies = [answer.body for answer in (await world.told(get("/page") * 3)).answers()]
            assert bodies == [b"number %d" % number] * 3
        await world.told(post("/page", b""))
    assert len([one for one in world.seen() if one == "GET /page"]) == 20


@both_ways(60)
async def test_many_pages_are_many_answers(world: World) -> None:
    site = {f"/{number}": {"headers": {"cache-control": "max-age=60"}, "body": str(number)} for number in range(300)}
    world.origin.script(site)
    requests = b"".join(get(f"/{number}") for number in range(300))
    for _ in range(4):
        answers = (await world.told(requests)).answers()
        assert [answer.body for answer in answers] == [b"%d" % number for number in range(300)]
    assert {str(answer) for answer in answers} == {"200 HIT"}
