"""The commands that ask a running Swerve: what they print, and what they read."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from app.commands.listing import life, lines_of
from app.commands.running import pairs_of
from app.commands.sitemap import SitemapError, read_sitemap

NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def entry(**changes: Any) -> dict[str, Any]:
    """As the admin side tells it."""
    return {
        "state": "fresh", "ttl": 40.0, "stale_while_revalidate": 300, "size": 1234, "url": "http://a/blog",
        "key": "GET http a /blog", "selecting": [], "tags": [], **changes,
    }  # fmt: skip


def test_columns_are_aligned() -> None:
    lines = list(lines_of([
        entry(tags=["blog", "post-7"]),
        entry(state="expired", ttl=-400.0, size=7, key="GET http a /blog rsc=1"),
        entry(selecting=[{"name": "accept-language", "value": "de"}, {"name": "dnt", "value": None}]),
    ]))  # fmt: skip
    assert lines == [
        "  fresh    40 s left  1,234 B  http://a/blog   blog, post-7",
        "  expired  for 100 s      7 B  http://a/blog   rsc=1",
        "  fresh    40 s left  1,234 B  http://a/blog   accept-language: de  dnt: (absent)",
    ]
    assert list(lines_of([])) == []


@pytest.mark.parametrize(("state", "ttl", "words"), [
    ("fresh", 40.0, "40 s left"), ("stale", -100.0, "3 min of stale left"), ("expired", -7_500.0, "2 h"),
    ("invalidated", 40.0, ""), ("expired", 5.0, "for 0 s"),
])  # fmt: skip
def test_what_is_left_of_a_life(state: str, ttl: float, words: str) -> None:
    assert words in life(entry(state=state, ttl=ttl))


@pytest.mark.parametrize(("body", "pages", "others"), [
    (f"<urlset {NAMESPACE}><url><loc> http://a/b </loc></url><url><loc/></url></urlset>", ["http://a/b"], []),
    ("<urlset><url><loc>http://a/b?c&amp;d</loc><lastmod>2026-01-01</lastmod></url></urlset>", ["http://a/b?c&d"], []),
    (f"<sitemapindex {NAMESPACE}><sitemap><loc>http://a/1.xml</loc></sitemap></sitemapindex>", [], ["http://a/1.xml"]),
    (f"<urlset {NAMESPACE}/>", [], []),
])  # fmt: skip
def test_sitemaps(body: str, pages: list[str], others: list[str]) -> None:
    assert read_sitemap(body.encode()) == (pages, others) == read_sitemap(gzip.compress(body.encode()))


@pytest.mark.parametrize("body", [
    b"", b"<html></html>", b"<urlset>", b"\x1f\x8bxx", gzip.compress(b"x" * 100)[:-10],
    gzip.compress(b" " * 52_428_801),
])  # fmt: skip
def test_no_sitemaps(body: bytes) -> None:
    with pytest.raises(SitemapError, match="it is"):
        read_sitemap(body)


def test_fields_as_for_curl() -> None:
    assert pairs_of(["Accept: a: b", "rsc:1"]) == [("Accept", "a: b"), ("rsc", "1")]
