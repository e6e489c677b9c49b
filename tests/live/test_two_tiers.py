"""Two Swerves one behind the other, as edge and shield: each CDN's lists, its order, and what a hit repeats."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.live.processes import LOOPBACK
from tests.live.raw_client import Answer, calling
from tests.live.routed_origin import RoutedOrigin, ok, says
from tests.live.swerve import Swerve, swerve, within

pytestmark = pytest.mark.live

PAGE = ok(b"page", "Cache-Control: max-age=600", "Surrogate-Key: posts", "xkey: posts")
SERVER = r"cache-dev-(\w{5})-DEV"


@asynccontextmanager
async def tiers(dialect: str) -> AsyncIterator[tuple[RoutedOrigin, Swerve, Swerve]]:
    """An origin, the shield and the edge."""
    async with (
        RoutedOrigin({"/": says(PAGE)}) as origin,
        swerve(origin.url, dialect=dialect) as shield,
        swerve(f"http://{LOOPBACK}:{shield.port}", "--purge-method", "open", dialect=dialect) as edge,
    ):
        yield origin, shield, edge


async def ask(one: Swerve, *lines: str, method: str = "GET") -> Answer:
    async with calling(one.port) as caller:
        return await caller.get("/", *lines, method=method)


async def cold_warm_warm(one: Swerve, *lines: str) -> list[Answer]:
    return [await ask(one, *lines) for _ in range(3)]


def said(answers: list[Answer], name: str) -> list[str]:
    return [answer.header(name) or "" for answer in answers]


@within(30)
async def test_fastly_lists_the_shield_before_the_edge_and_repeats_what_it_said_when_the_edge_was_filled() -> None:
    async with tiers("fastly") as (origin, shield, edge):
        answers = await cold_warm_warm(edge)
        assert said(answers, "x-cache") == ["MISS, MISS", "MISS, HIT", "MISS, HIT"]
        assert said(answers, "x-cache-hits") == ["0, 0", "0, 1", "0, 2"]
        assert said(answers, "via") == ["1.1 varnish, 1.1 varnish"] * 3
        (first, *others) = said(answers, "x-served-by")
        assert others == [first, first]
        match = re.fullmatch(f"{SERVER}, {SERVER}", first)
        assert match is not None
        assert match[1] != match[2]
        alone = await ask(shield, f"Host: localhost:{edge.port}")
        assert alone.header("x-served-by") == first.partition(", ")[0], "the shield comes first"
        assert origin.count("/") == 1


@within(30)
async def test_fastly_shows_the_whole_way_to_who_debugs_and_its_keys_to_the_edge_alone() -> None:
    async with tiers("fastly") as (origin, _, edge):
        cold = await ask(edge)
        assert [cold.header(name) for name in ("surrogate-key", "fastly-debug-path", "fastly-debug-ttl")] == [None] * 3
        warm = await ask(edge, "Fastly-Debug: 1")
        assert warm.header("surrogate-key") == "posts"
        way = re.findall(rf"\(([DF]) {SERVER} \d+\)", warm.header("fastly-debug-path") or "")
        (near, far) = dict.fromkeys(node for _, node in way)
        assert way == [("D", near), ("F", near), ("D", far), ("F", far)]
        assert re.fullmatch(
            rf"\(H cache-dev-{near}-DEV \d+\.000 0\.000 \d+\) \(M cache-dev-{far}-DEV - - 0\)",
            warm.header("fastly-debug-ttl") or "",
        )
        # Without stale-while-revalidate a soft purge of the edge makes it ask: the shield still has it.
        await ask(edge, "Fastly-Soft-Purge: 1", method="PURGE")
        assert said([await ask(edge)], "x-cache") == ["HIT, MISS"]
        assert said([await ask(edge)], "x-cache-hits") == ["1, 1"]
        assert origin.count("/") == 1


FILLED, NETLIFY = r"swerve; fwd=uri-miss; stored; .*?", '"Netlify Edge"'
VARNISH = r"1\.1 (\w{5}) \(Varnish/7\.7\), 1\.1 (?!\1)\w{5} \(Varnish/7\.7\)"

# What a field says of both, the shield first, when both are cold, and when the edge is warm.
LISTS = [
    ("standard",      "cache-status", f"{FILLED}, {FILLED}",                         f"{FILLED}, swerve; hit; .*"),
    ("standard",      "x-cache",      "MISS",                                        "HIT"),
    ("netlify",       "cache-status", f"{NETLIFY}; fwd=miss, {FILLED}, {NETLIFY}; fwd=miss, {FILLED}",
                                      f"{NETLIFY}; fwd=miss, {FILLED}, {NETLIFY}; hit, swerve; hit; .*"),
    ("squid",         "cache-status", rf"(\w{{5}});fwd=miss;detail=mismatch, {FILLED}, (?!\1)\w{{5}};fwd=miss;.*",
                                      rf"(\w{{5}});fwd=miss;detail=mismatch, {FILLED}, (?!\1)\w{{5}};hit;.*"),
    ("trafficserver", "x-cache",      "miss, miss",                                  "miss, hit-fresh"),
    ("varnish",       "via",          VARNISH,                                       VARNISH),
    ("varnish",       "x-varnish",    r"\d+",                                        r"\d+ \d+"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "name", "cold", "warm"), LISTS)
def test_what_a_field_says_of_both(dialect: str, name: str, cold: str, warm: str) -> None:
    @within(30)
    async def run() -> None:
        async with tiers(dialect) as (origin, _, edge):
            answers = await cold_warm_warm(edge, "X-Debug: X-Cache")
            for found, wanted in zip(said(answers, name), (cold, warm, warm), strict=True):
                assert re.fullmatch(wanted, found), found
            assert origin.count("/") == 1

    run()
