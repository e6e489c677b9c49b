"""Every example value of the four public pages on cache headers that Swerve began with, produced by a documented way: a
dialect, or an example of a dialect of one's own, and a few requests.

HD http.dev/x-nextjs-cache (2026-03-06), XV http.dev/x-vercel-cache, RH vercel.com/docs/headers/response-headers
(2024-09-30), XC http.dev/x-cache (read 2026-11-22). Beside them what other CDNs document of their fields: CF
developers.cloudflare.com/cache/concepts/cache-responses, AK techdocs.akamai.com (pragma-headers, return-cache-status),
AW docs.aws.amazon.com/AmazonCloudFront, AZ MicrosoftDocs/azure-docs articles/frontdoor.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import httpx2
import pytest

from app.asgi import Application, build
from app.clock import ManualClock
from app.core.purging import EVERYTHING, Mode, Purge
from app.dialects import CONFIG
from app.settings import load_settings
from tests.driver import Client, Received
from tests.origin import ScriptedOrigin

EXAMPLES = CONFIG / "examples"
TIERS, COUNTED, STATIC_SITE, CHILD, PARENT, WITH_X_CACHE = (
    str(EXAMPLES / f"{name}.toml")
    for name in ("tiers", "counted", "static-site", "akamai-child", "akamai-parent", "varnish-with-x-cache")
)
PAGE = {"headers": {"cache-control": "s-maxage=10, stale-while-revalidate=20", "etag": '"1"'}, "body": "page"}
SWR = {"cache-control": "max-age=10, stale-while-revalidate=20, stale-if-error=90", "etag": '"1"'}
BRIEF = {"headers": {"cache-control": "max-age=10", "etag": '"1"'}, "body": "page"}
CONFIRMS = BRIEF | {"validates": True}
CHANGED = {"headers": {"cache-control": "max-age=10", "etag": '"2"'}, "body": "page"}


class Behind(httpx2.AsyncBaseTransport):
    """The way to a Swerve that is another one's origin."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner.proxy

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        host = request.headers["host"]
        client = Client(self._inner, host)
        target = request.extensions["target"].decode("latin-1")
        received = await client.request(request.method, target, [pair for pair in fields if pair[0].lower() != "host"])
        return httpx2.Response(received.status, headers=received.headers, stream=httpx2.ByteStream(received.body))


@dataclass
class Tiers:
    """Swerves behind one another, the nearest to the origin first."""

    folder: Path
    dialects: Sequence[str]
    clock: ManualClock = field(default_factory=ManualClock)
    origin: ScriptedOrigin = field(default_factory=ScriptedOrigin)
    swerves: list[Application] = field(default_factory=list)

    def __post_init__(self) -> None:
        way: httpx2.AsyncBaseTransport = self.origin
        for dialect in self.dialects:
            flags = {"origin": "http://origin.test", "dialect": dialect, "log": "off", "trust_forwarded": "true"}
            self.swerves.append(build(load_settings(flags, {}, self.folder), clock=self.clock, transport=way))
            way = Behind(self.swerves[-1])
        self.origin.script({"/": PAGE, "/brief": BRIEF, "/private": {"headers": {"cache-control": "private"}}})
        self.origin.script({"/style.css": PAGE | {"headers": SWR}, "/brief.css": BRIEF})

    async def get(
        self, target: str = "/", fields: Mapping[str, str] = MappingProxyType({}), through: int = -1
    ) -> Received:
        """Through that tier, the edge where none is said. Refreshes have ended when it returns."""
        sent = list(fields.items())
        received = await Client(self.swerves[through].proxy).request("GET", target, sent)
        for _ in range(1_000):
            if not any(len(swerve.around.tasks) for swerve in self.swerves):
                break
            await asyncio.sleep(0)
        return received


Step = Callable[[Tiers], object]


def at(target: str, **fields: str) -> Step:
    sent = {name.replace("_", "-"): value for name, value in fields.items()}
    return lambda tiers: tiers.get(target, sent)


def later(seconds: float) -> Step:
    return lambda tiers: tiers.clock.advance(seconds)


def deleted(tier: int = -1) -> Step:
    return lambda tiers: tiers.swerves[tier].around.store.purge(Purge(Mode.HARD, EVERYTHING, None, tiers.clock.now()))


def changed(answer: Mapping[str, object], target: str = "/brief") -> Step:
    return lambda tiers: tiers.origin.script({target: answer})


COLD: list[Step] = [at("/")]
WARM: list[Step] = [at("/"), at("/")]
OVER: list[Step] = [at("/"), later(15), at("/")]
GONE: list[Step] = [at("/"), later(40), at("/")]
REMADE: list[Step] = [at("/"), deleted(), at("/")]
VALIDATED: list[Step] = [at("/brief"), changed(CONFIRMS), later(15), at("/brief")]
RENEWED: list[Step] = [at("/brief"), changed(CHANGED), later(15), at("/brief")]
AT_THE_SHIELD: list[Step] = [lambda tiers: tiers.get("/", through=1), at("/")]

STYLE = at("/style.css")
BRIEF_STYLE = at("/brief.css")
DOWN = changed({"error": "connection_refused"}, "/style.css")
DEBUG = at("/brief", pragma="akamai-x-cache-on, akamai-x-check-cacheable")
CF, AKAMAI = "CF-Cache-Status", "Akamai-Cache-Status"
X_NEXTJS, X_VERCEL, X_CACHE, CACHE_CONTROL = "X-Nextjs-Cache", "X-Vercel-Cache", "X-Cache", "Cache-Control"

DOCUMENTED = [
    ("HD", ["nextjs"],            WARM,      {X_NEXTJS: "HIT"}),
    ("HD", ["nextjs"],            COLD,      {X_NEXTJS: "MISS"}),
    ("HD", ["nextjs"],            OVER,      {X_NEXTJS: "STALE"}),
    ("HD", ["nextjs"],            GONE,      {X_NEXTJS: "REVALIDATED"}),
    # The page's cache behind the CDN's: the CDN keeps what the page's cache said when it was asked.
    ("HD", ["nextjs", "vercel"],  [lambda tiers: tiers.get("/", through=0), *WARM],
           {X_NEXTJS: "HIT", X_VERCEL: "HIT", "X-Vercel-Id": r"dev1::[a-z0-9]{5}-\d{13}-[0-9a-f]{12}"}),
    ("XV", ["vercel"],            WARM,      {X_VERCEL: "HIT"}),
    ("XV", ["vercel"],            COLD,      {X_VERCEL: "MISS"}),
    ("XV", [STATIC_SITE],         WARM,      {X_VERCEL: "PRERENDER"}),
    ("XV", ["vercel"],            OVER,      {X_VERCEL: "STALE"}),
    ("XV", ["vercel"],            REMADE,    {X_VERCEL: "REVALIDATED"}),
    ("XV", ["vercel"],            [at("/", authorization="x")], {X_VERCEL: "BYPASS"}),
    ("XV", [STATIC_SITE],         COLD,      {"X-Robots-Tag": "noindex"}),
    ("RH", ["vercel"],            WARM,      {CACHE_CONTROL: "public, max-age=0, must-revalidate"}),
    ("RH", ["vercel"],            [at("/", x_forwarded_proto="https")],
           {"Strict-Transport-Security": "max-age=63072000"}),
    ("RH", ["vercel"],            WARM,      {"Content-Length": "4", "Date": ".+ GMT", "Server": "Vercel"}),
    ("XC", ["standard"],          WARM,      {X_CACHE: "HIT"}),
    ("XC", ["standard"],          COLD,      {X_CACHE: "MISS"}),
    ("XC", ["vercel"],            [at("/", authorization="x")], {X_CACHE: "BYPASS"}),
    ("XC", ["standard"],          RENEWED,   {X_CACHE: "EXPIRED"}),
    ("XC", ["standard"],          OVER,      {X_CACHE: "STALE"}),
    ("XC", ["standard"],          VALIDATED, {X_CACHE: "REVALIDATED"}),
    ("XC", ["cloudfront"],        [at("/brief"), at("/brief")], {X_CACHE: "Hit from cloudfront"}),
    ("XC", ["cloudfront"],        [at("/brief")],               {X_CACHE: "Miss from cloudfront"}),
    ("XC", [TIERS],               WARM,      {X_CACHE: "HIT"}),
    ("XC", [TIERS],               COLD,      {X_CACHE: "MISS"}),
    ("XC", [TIERS, TIERS],        COLD,      {X_CACHE: "MISS, MISS"}),
    ("XC", [TIERS, TIERS, TIERS], AT_THE_SHIELD, {X_CACHE: "MISS, HIT, MISS"}),
    ("XC", [COUNTED],             [*WARM, at("/")], {X_CACHE: "HIT: 2"}),
    ("CF", ["cloudflare"],        [STYLE],          {CF: "MISS", "CF-Ray": "[0-9a-f]{16}-[A-Z]{3}"}),
    ("CF", ["cloudflare"],        [STYLE, STYLE],   {CF: "HIT", "Age": "0"}),
    ("CF", ["cloudflare"],        [STYLE, later(15), STYLE], {CF: "UPDATING"}),
    ("CF", ["cloudflare"],        [STYLE, DOWN, later(90), STYLE], {CF: "STALE"}),
    ("CF", ["cloudflare"],        [BRIEF_STYLE, changed(CHANGED, "/brief.css"), later(15), BRIEF_STYLE],
           {CF: "EXPIRED"}),
    ("CF", ["cloudflare"],        [BRIEF_STYLE, changed(CONFIRMS, "/brief.css"), later(15), BRIEF_STYLE],
           {CF: "REVALIDATED"}),
    ("CF", ["cloudflare"],        [STYLE, deleted(), STYLE], {CF: "MISS"}),
    ("CF", ["cloudflare"],        [changed({"headers": {"set-cookie": "a"}}, "/style.css"), STYLE], {CF: "BYPASS"}),
    ("CF", ["cloudflare"],        COLD,             {CF: "DYNAMIC"}),
    ("AK", ["akamai"],            [DEBUG],          {X_CACHE: "TCP_MISS from .*", "X-Check-Cacheable": "YES"}),
    ("AK", ["akamai"],            [DEBUG, DEBUG],   {X_CACHE: "TCP_MEM_HIT from .* [(]-[)]"}),
    ("AK", ["akamai"],            [DEBUG, changed(CONFIRMS), later(15), DEBUG],
           {X_CACHE: "TCP_REFRESH_HIT from .*"}),
    ("AK", ["akamai"],            [DEBUG, changed(CHANGED), later(15), DEBUG], {X_CACHE: "TCP_REFRESH_MISS from .*"}),
    ("AK", ["akamai"],            [DEBUG, changed({"status": 503}), later(15), DEBUG],
           {X_CACHE: "TCP_REFRESH_FAIL_HIT from .*"}),
    ("AK", [PARENT, CHILD],       COLD,             {AKAMAI: "Miss from child, Miss from parent"}),
    ("AK", [PARENT, CHILD],       [lambda tiers: tiers.get("/", through=0), at("/")],
           {AKAMAI: "Miss from child, Hit from parent"}),
    ("AK", [PARENT, CHILD],       WARM,             {AKAMAI: "Hit from child"}),
    ("AK", [CHILD],               [at("/private")], {AKAMAI: "NotCacheable from child"}),
    ("XC", ["fastly"],            WARM,      {X_CACHE: "HIT"}),
    ("XC", ["fastly"],            COLD,      {X_CACHE: "MISS"}),
    ("XC", ["fastly", "fastly"],  COLD,      {X_CACHE: "MISS, MISS"}),
    ("XC", ["fastly"] * 3,        AT_THE_SHIELD, {X_CACHE: "MISS, HIT, MISS", "X-Cache-Hits": "0, 1, 0"}),
    ("XC", [WITH_X_CACHE],        WARM,      {X_CACHE: "HIT", "X-Cache-Hits": "1", "X-Varnish": r"\d+ \d+"}),
    ("XC", [WITH_X_CACHE],        COLD,      {X_CACHE: "MISS", "X-Cache-Hits": "0", "X-Varnish": r"\d+"}),
    ("AW", ["cloudfront"],        VALIDATED,        {X_CACHE: "RefreshHit from cloudfront"}),
    ("AW", ["cloudfront"],        COLD,             {"Via": r"1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)"}),
    ("AZ", ["azure"],             COLD,             {X_CACHE: "TCP_MISS", "X-Azure-Ref": "[0-9A-Za-z+/]{97}"}),
    ("AZ", ["azure"],             WARM,             {X_CACHE: "TCP_HIT"}),
    ("AZ", ["azure"],             [at("/private")], {X_CACHE: "PRIVATE_NOSTORE"}),
    ("AZ", ["azure"],             [at("/", x_azure_debuginfo="1")], {"X-Azure-OriginStatusCode": "200"}),
]  # fmt: skip
ROWS = [pytest.param(*row, id=f"{row[0]} {Path(row[1][0]).stem}: {' '.join(row[3].values())}") for row in DOCUMENTED]


@pytest.mark.parametrize(("source", "dialects", "steps", "expected"), ROWS)
def test_a_documented_value_can_be_produced(
    source: str, dialects: list[str], steps: list[Step], expected: dict[str, str], tmp_path: Path
) -> None:
    async def played() -> Received:
        tiers = Tiers(tmp_path, dialects)
        received = Received()
        for step in steps:
            done = step(tiers)
            found = await done if asyncio.iscoroutine(done) else None
            received = found if isinstance(found, Received) else received
        return received

    received = asyncio.run(asyncio.wait_for(played(), 20))
    assert received.status == 200, source
    for name, pattern in expected.items():
        assert re.fullmatch(pattern, received.header(name) or ""), f"{name}: {received.header(name)}"
