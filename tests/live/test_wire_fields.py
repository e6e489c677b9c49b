"""Whatever a request says that makes its answer another makes it another, also when the answer to its like is known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.wire import ALSO_HERE, World, both_ways
from tests.live.wire_client import get

CONTROL = {"cache-control": "max-age=60"}


def varies(name: str) -> dict[str, Any]:
    return {"headers": CONTROL | {"vary": name}, "body": "for {}", "echo": name}


SITE: dict[str, Any] = {
    "/page": {"headers": CONTROL | {"etag": '"1"'}, "body": "0123456789"},
    "/language": varies("accept-language"),
    "/encoding": varies("accept-encoding"),
    "/cookie": varies("cookie"),
    "/custom": varies("x-custom"),
    "/for": varies("x-forwarded-for"),
    "/forwarded": varies("forwarded"),
    "/host": varies("x-forwarded-host"),
    "/two": {"headers": CONTROL | {"vary": "x-one, x-two"}, "body": "for {}", "echo": "x-two"},
}

# What a client may add to a request whose answer is known.
ADDED = {
    "nothing that matters": ["X-Other: 1"],
    "much that does not matter": [f"X-{number}: {number}" for number in range(50)],
    "Authorization": ["Authorization: Basic eDp5"],
    "Cookie": ["Cookie: a=b"],
    "no-cache": ["Cache-Control: no-cache"],
    "no-cache in capitals": ["CACHE-CONTROL: NO-CACHE"],
    "no-cache in a second line": ["Cache-Control: x", "Cache-Control: no-cache"],
    "no-store": ["Cache-Control: no-store"],
    "max-age=0": ["cache-control:max-age=0"],
    "only-if-cached": ["Cache-Control: only-if-cached"],
    "Pragma": ["Pragma: no-cache"],
    "Pragma beside Cache-Control": ["Pragma: no-cache", "Cache-Control: max-stale=5"],
    "a condition": ['If-None-Match: "1"'],
    "a condition without a space": ['If-None-Match:"1"'],
    "a condition in capitals": ['IF-NONE-MATCH:\t"1"'],
    "a condition in two lines": ['If-None-Match: "0"', 'If-None-Match: "1"'],
    "a date": ["If-Modified-Since: Wed, 15 Nov 2023 00:00:00 GMT"],
    "a range": ["Range: bytes=0-1"],
    "a range in capitals": ["RANGE: BYTES=0-1"],
    "If-Match": ['If-Match: "2"'],
    "a body": ["Content-Length: 0"],
    "an expectation": ["Expect: 100-continue"],
    "trailers": ["TE: trailers"],
    "an end": ["Connection: close"],
    "an end in capitals": ["CONNECTION:close"],
    "an end for proxies": ["Proxy-Connection: close"],
    "options": ["Connection: x-custom", "X-Custom: 1"],
    "an upgrade": ["Connection: Upgrade", "Upgrade: h2c"],
    "an upgrade that nobody named": ["Upgrade: websocket"],
    "a loop": ["CDN-Loop: swerve; node=other"],
    "Max-Forwards": ["Max-Forwards: 0"],
    "forwarding": ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: other", "X-Forwarded-Proto: https"],
    "another method": ["X-HTTP-Method-Override: DELETE"],
    "RSC": ["RSC: 1"],
    "another Host": ["Host: other"],
    "the same Host": ["Host: h"],
    "a device": ["Surrogate-Capability: abc"],
    "Via": ["Via: 1.1 other"],
    "Origin": ["Origin: http://other"],
}


@both_ways(site=SITE)
@pytest.mark.parametrize("lines", ADDED.values(), ids=ADDED)
@pytest.mark.parametrize("first", [False, True], ids=["last", "first"])
async def test_what_is_added_to_a_known_request(world: World, lines: list[str], first: bool) -> None:
    known = get("/page")
    plain = await world.settled(known)
    asked = get("/page", *lines)
    if first:
        asked = known.replace(b"Host: h\r\n", "".join(f"{line}\r\n" for line in lines).encode() + b"Host: h\r\n")
    told = await world.settled(asked)
    assert await world.told(asked) == told
    after = await world.told(known)
    assert after.said() == plain.said() == "200 HIT open"
    await world.told(known + asked + known)


# Requests that select the same, or do not.
SPELLINGS = {
    "/custom": [
        (["X-Custom: a"], "a"), (["x-custom: a"], "a"), (["X-CUSTOM:a"], "a"), (["X-Custom: \t a \t "], "a"),
        (["X-Custom: A"], "A"), (["X-Custom: a, b"], "a, b"), (["X-Custom: a", "X-Custom: b"], "a, b"),
        (["X-Custom: b", "X-Custom: a"], "b, a"), (["X-Custom:"], ""), ([], "nobody"), (["XX-Custom: a"], "nobody"),
        (["X-Custom: a", "X-Customs: b"], "a"), (["X-Customs: b", "X-Custom: a"], "a"), (["X_Custom: a"], "nobody"),
        (["X-Custom: a", "Connection: x-custom"], "nobody"), (["X-Other: X-Custom: a"], "nobody"),
    ],
    "/cookie": [
        ([], "nobody"), (["Cookie: a=1"], "a=1"), (["Cookie: a=2"], "a=2"), (["Cookie: a=1; b=2"], "a=1; b=2"),
        (["cookie:a=1"], "a=1"),
    ],
    "/two": [
        (["X-One: 1", "X-Two: 2"], "2"), (["X-Two: 2", "X-One: 1"], "2"), (["X-One: 1"], "nobody"),
        (["X-Two: 1"], "1"), (["X-One: 2", "X-Two: 1"], "1"), ([], "nobody"), (["X-One: 1", "X-Two: 3"], "3"),
    ],
}  # fmt: skip


@both_ways(site=SITE)
@pytest.mark.parametrize("target", SPELLINGS)
async def test_what_selects_a_response(world: World, target: str) -> None:
    for _ in range(3):
        for lines, value in SPELLINGS[target]:
            (answer,) = (await world.told(get(target, *lines))).answers()
            assert answer.body.decode() == f"for {value}", lines
            assert (await world.told(get(target, *lines))).said() == "200 HIT open"
    joined = b"".join(get(target, *lines) for lines, _ in SPELLINGS[target])
    bodies = [answer.body.decode() for answer in (await world.settled(joined)).answers()]
    assert bodies == [f"for {value}" for _, value in SPELLINGS[target]]


@both_ways(site=SITE)
@pytest.mark.parametrize("name", ["Accept-Language", "Accept-Encoding"])
async def test_weights_select_a_response(world: World, name: str) -> None:
    target = f"/{name.rpartition('-')[2].lower()}"
    values = ["de", "en", "de, en;q=0.5", "en;q=0.5,de", "DE", "de;q=0", "*", "de;q=1.0", "", "en, de;q=0.5"]
    for _ in range(3):
        for value in values:
            await world.settled(get(target, f"{name}: {value}"))
        await world.settled(get(target))
    answers = (await world.told(b"".join(get(target, f"{name}: {value}") for value in values))).answers()
    assert {str(answer) for answer in answers} == {"200 HIT"}
    assert answers[0].body != answers[1].body


@both_ways(site=SITE)
@pytest.mark.parametrize("target", ["/for", "/forwarded"])
async def test_clients_are_told_apart_where_the_origin_tells_them_apart(world: World, target: str) -> None:
    async def asked(own: str) -> str:
        async with world.calling(own=own) as client:
            await client.send(get(target))
            return (await client.probe()).answers()[0].body.decode()

    for _ in range(4):
        assert "127.0.0.1" in await asked("127.0.0.1")
        assert "127.0.0.3" in await asked("127.0.0.3")


@both_ways(site=SITE)
async def test_the_address_that_was_called_makes_no_difference_where_there_is_a_host(world: World) -> None:
    here = await world.settled(get("/page"))
    async with world.calling(ALSO_HERE) as client:
        await client.send(get("/page"))
        assert await client.probe() == here


@both_ways(site=SITE)
@pytest.mark.parametrize("target", ["/host", "/page"])
async def test_sites_are_told_apart(world: World, target: str) -> None:
    hosts = ["h", "other", "h:81", "H", "h:80"]
    for _ in range(4):
        for host in hosts:
            (answer,) = (await world.told(get(target, host=host))).answers()
            key = f'key="GET http {host.lower().removesuffix(":80")} {target}"'
            assert key in (answer.get("cache-status") or "").split("; ")
    assert len(world.seen()) in (3, 4)  # `h:80` may be another to Vary


@both_ways(site=SITE, trust_forwarded="true")
async def test_a_proxy_that_is_trusted_says_which_site_is_asked(world: World) -> None:
    sites = [
        ([], "http h"), (["X-Forwarded-Host: other"], "http other"), (["X-Forwarded-Proto: https"], "https h"),
        (["x-forwarded-host:other", "X-FORWARDED-PROTO: HTTPS"], "https other"),
        (["X-Forwarded-Host: third, other"], "http third"), (["X-Forwarded-Proto: gopher"], "http h"),
    ]  # fmt: skip
    for _ in range(4):
        for lines, site in sites:
            (answer,) = (await world.told(get("/page", *lines))).answers()
            assert f'key="GET {site} /page"' in (answer.get("cache-status") or "").split("; "), lines
    assert (await world.told(get("/page", "X-Forwarded-For: 1.2.3.4"))).said() == "200 HIT open"


@both_ways(site=SITE)
async def test_a_loop_is_seen_whatever_is_stored(world: World) -> None:
    await world.settled(get("/page"))
    node = world.application.around.forwarding.node
    async with world.calling() as client:
        await client.send(get("/page", f"CDN-Loop: swerve; node={node}"))
        assert (await client.probe()).said() == "508 open"
    assert (await world.told(get("/page"))).said() == "200 HIT open"


@both_ways(site=SITE)
async def test_a_head_with_very_many_lines_is_read_like_any_other(world: World) -> None:
    many = [f"X-{number}: {number}" for number in range(240)]
    for value in ["a", "b"]:
        for lines in ([f"X-Custom: {value}", *many], [*many, f"X-Custom: {value}"]):
            (answer,) = (await world.settled(get("/custom", *lines))).answers()
            assert answer.body.decode() == f"for {value}"
