"""What a vendor's soft purge does in the vendor's own dialect: stale once more, or expired from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.asgi import build
from app.clock import ManualClock
from tests.edge.vendors.call import Fields, Site, settings
from tests.origin import ScriptedOrigin

TAGS = {
    "surrogate-key": "news",
    "xkey": "news",
    "vercel-cache-tag": "news",
    "cache-tag": "news",
    "edge-cache-tag": "news",
}
LIFETIME = {"vercel": "s-maxage"}  # which counts; elsewhere max-age
SOFT = (("fastly-soft-purge", "1"),)
BY_TAG: dict[str, object] = {"tags": ["news"]}
EDGE_CACHE = "/v1/edge-cache/invalidate-by-tags?projectIdOrName=p"

# What the next visitor meets, of a response without a stale window and of one with it.
ROWS: list[tuple[str, str, str, Fields, object, str, str]] = [
    ("fastly",   "POST",  "/service/S/purge/news", SOFT, b"",                 "invalidated",  "stale-purged"),
    ("fastly",   "PURGE", "/a.css",                     SOFT, b"",                 "invalidated",  "stale-purged"),
    ("fastly",   "POST",  "/service/S/purge/news", (),   b"",                 "deleted",      "deleted"),
    ("varnish",  "PURGE", "/a.css",          (("xkey-softpurge", "news"),), b"",   "invalidated",  "stale-purged"),
    ("varnish",  "PURGE", "/a.css",          (("xkey-purge", "news"),), b"",       "deleted",      "deleted"),
    ("vercel",   "POST",  EDGE_CACHE,              (),   BY_TAG,              "stale-purged", "stale-purged"),
    ("cloudflare", "POST", "/client/v4/zones/Z/invalidate_cache", (), BY_TAG, "invalidated",  "stale-purged"),
    ("cloudflare", "POST", "/client/v4/zones/Z/purge_cache",      (), BY_TAG, "deleted",      "deleted"),
    ("akamai",   "POST",  "/ccu/v3/invalidate/tag/production", (), {"objects": ["news"]}, "invalidated", "invalidated"),
    ("standard", "POST",  "/v1/invalidate",        (),   BY_TAG,              "stale-purged", "stale-purged"),
    ("fastly",   "POST",  "/v1/invalidate",        (),   BY_TAG,              "invalidated",  "stale-purged"),
]  # fmt: skip


# On disk two suffice: what a store tells of a purge, its contract holds.
@pytest.mark.parametrize(
    ("store", "dialect", "method", "target", "fields", "body", "without", "within"),
    [*(("memory", *row) for row in ROWS), *(("disk", *row) for row in ROWS[:2])],
)
def test_what_the_next_visitor_meets(
    *, dialect: str, method: str, target: str, fields: Fields, body: object, without: str, within: str, store: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    for window, expected in ((0, without), (30, within)):
        lifetime = f"{LIFETIME.get(dialect, 'max-age')}=60, stale-while-revalidate={window}"
        where = "memory" if store == "memory" else str(tmp_path / str(window))
        origin, clock = ScriptedOrigin(), ManualClock()
        origin.script({"/a.css": {"headers": {"cache-control": lifetime, **TAGS}, "body": "page"}})
        chosen = settings(dialect=dialect, purge_method="open", store=where)
        application = build(chosen, clock=clock, transport=origin)
        with Site(application) as site:
            site.runner.run(application.open())
            site.proxied("GET", "/a.css")
            clock.advance(5)
            if method == "PURGE":
                called = site.proxied(method, target, *fields)
            else:
                called = site.call(method, target, *fields, body=body)
            assert called.received.status in (200, 201)
            site.proxied("GET", "/a.css")
            assert application.around.journal.events[-1].verdict.reason == expected
            site.runner.run(application.around.tasks.drain(5))
            site.runner.run(application.aclose())
