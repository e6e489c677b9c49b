"""Sitemaps (sitemaps.org/protocol.html): the URLs in one, and the sitemaps that an index names."""

from __future__ import annotations

import gzip
import zlib
from xml.etree import ElementTree

# The protocol's own bound on a sitemap, unpacked.
LARGEST = 50 * 2**20


class SitemapError(Exception):
    """The message says what is wrong with it."""


def read_sitemap(body: bytes) -> tuple[list[str], list[str]]:
    """The URLs of its pages, and those of other sitemaps. It may be compressed with gzip. Raises SitemapError."""
    try:
        text = _unpacked(body) if body[:2] == b"\x1f\x8b" else body
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SitemapError(f"it is no sitemap: {error}") from None
    kind = root.tag.rpartition("}")[2]
    if kind not in ("urlset", "sitemapindex"):
        raise SitemapError(f"it is no sitemap: its root is {kind}")
    found = [one.text.strip() for one in root.iterfind("{*}*/{*}loc") if one.text]
    return (found, []) if kind == "urlset" else ([], found)


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    text = unpacking.decompress(body, LARGEST)
    if unpacking.unconsumed_tail:
        raise SitemapError(f"it is larger than {LARGEST:,} bytes")
    return text
