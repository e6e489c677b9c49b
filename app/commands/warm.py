"""`swerve warm`: ask for pages so that they are stored before anybody visits."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urljoin, urlsplit

import click

from app.admin_client import SILENT, AdminSide
from app.commands.running import ADMIN, AS_JSON, HEADERS, EnvironmentFault, asking, find, pairs_of
from app.commands.sitemap import LARGEST, SitemapError, read_sitemap
from app.targets import target_in
from app.terminal import harmless
from app.units import parse_address

PATIENCE = 90.0  # seconds: the origin may think for a minute
# As Chromium 156 asks for a page: where a dialect keys by these, others would warm it for nobody.
ACCEPT = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
FIELDS = {"user-agent": "swerve-warm", "accept": ACCEPT, "accept-encoding": "gzip, deflate, br, zstd"}
# Bounds: sitemaps that are read, and pages that are asked for, as in one sitemap (sitemaps.org/protocol.html).
SITEMAPS = 500
PAGES = 50_000
# How many are told to be prerendered in one call.
AT_ONCE = 1_000
# Seconds before each attempt to find all of them kept; some never are.
PAUSES = (0.0, 0.05, 0.2)


@dataclass(frozen=True, slots=True)
class Warmed:
    """What became of one page. `says`: the dialect's word for it; `error`: why there was no answer."""

    url: str
    status: int | None = None
    says: str | None = None
    size: int = 0
    seconds: float = 0.0
    error: str | None = None

    @property
    def failed(self) -> bool:
        return self.status is None or self.status >= 400


@dataclass(frozen=True, slots=True)
class Proxy:
    """The running proxy: where it listens, and by which fields it says what happened."""

    host: str
    port: int
    tls: bool
    says: tuple[str, ...]

    @classmethod
    def of(cls, side: AdminSide) -> Proxy:
        """Raises Unanswered."""
        told = side.ask("/v1/config")
        settings = {one["name"]: one["value"] for one in told["settings"]}
        near = parse_address(settings["listen"]).reachable
        admin_host = urlsplit(side.base).hostname or near.host
        # Who listens everywhere is reached where its admin side was.
        host = near.host if settings["listen"] == str(near) else admin_host
        return cls(host, near.port, settings["tls_cert"] is not None, tuple(told["status_fields"]))

    @property
    def site(self) -> str:
        """How a browser on this machine names it."""
        host = "localhost" if self.host in ("127.0.0.1", "::1") else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def get(self, url: str, fields: Mapping[str, str] = FIELDS) -> tuple[http.client.HTTPResponse, bytes]:
        """Through the proxy, whatever the URL's own address. Raises one of SILENT."""
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request("GET", target_in(urlsplit(url)), headers={"host": urlsplit(url).netloc, **fields})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def warm(self, url: str, fields: Mapping[str, str]) -> Warmed:
        started = perf_counter()
        try:
            response, body = self.get(url, fields)
        except (*SILENT, ValueError) as error:
            return Warmed(url, error=str(error) or type(error).__name__)
        says = next((value for name in self.says if (value := response.headers.get(name))), None)
        return Warmed(url, response.status, says, len(body), round(perf_counter() - started, 3))


@click.command()
@click.argument("urls", nargs=-1, metavar="URL…")
@click.option("--sitemap", "sitemaps", multiple=True, metavar="URL", help="all pages of this sitemap, at its own host")
@click.option("--file", "files", multiple=True, type=click.File(), metavar="F", help="one URL a line; - for stdin")
@click.option(
    "-c", "--concurrency", type=click.IntRange(1, 64), default=8, show_default=True, help="how many at a time"
)
@HEADERS
@AS_JSON
@ADMIN
@asking
def warm(  # noqa: PLR0913, PLR0917 - what the command line gives
    urls: tuple[str, ...],
    sitemaps: tuple[str, ...],
    files: tuple[Any, ...],
    headers: tuple[str, ...],
    concurrency: int,
    as_json: bool,
    admin: str,
) -> None:
    """Ask the proxy for pages as Chrome does, so that they are stored: URLs, or paths of the proxy's own address.

    Exit code 1 when a page could not be had.
    """
    if not (urls or sitemaps or files):
        raise click.UsageError("nothing to warm; write URLs, --sitemap or --file")
    side = find(admin)
    proxy = Proxy.of(side)
    written = [*urls, *(line.strip() for file in files for line in file)]
    pages = [_absolute(proxy, one) for one in written if one and not one.startswith("#")]
    pages += [page for one in sitemaps for page in _pages(proxy, _absolute(proxy, one))]
    started, warmed = perf_counter(), list[Warmed]()
    for one in _asked_for(proxy, list(dict.fromkeys(pages[:PAGES])), pairs_of(headers), concurrency):
        warmed.append(one)
        click.echo(json.dumps(asdict(one)) if as_json else harmless(_line(one)))
    there = [one.url for one in warmed if not one.failed]
    for first in range(0, len(there), AT_ONCE):
        _prerendered(side, there[first : first + AT_ONCE], started)
    failed = len(warmed) - len(there)
    if not as_json:
        click.echo(f"warmed {len(there):,}, failed {failed:,}")
    sys.exit(1 if failed else 0)


def _asked_for(
    proxy: Proxy, pages: Sequence[str], headers: Sequence[tuple[str, str]], concurrency: int
) -> Iterator[Warmed]:
    fields = {**FIELDS, **{name.lower(): value for name, value in headers}}
    with ThreadPoolExecutor(concurrency) as pool:
        yield from pool.map(partial(proxy.warm, fields=fields), pages)


def _prerendered(side: AdminSide, pages: Sequence[str], started: float) -> None:
    """Nobody has visited them yet. What was answered a moment ago may be kept a moment later."""
    missing = len(pages)
    for pause in PAUSES:
        sleep(pause)
        told = side.ask("/v1/prerendered", {"urls": pages, "within": perf_counter() - started})
        missing -= told["marked"]
        if missing <= 0:
            return


def _absolute(proxy: Proxy, url: str) -> str:
    if url.startswith(("http://", "https://")) and urlsplit(url).hostname:
        return url
    if url.startswith("/") and not url.startswith("//"):
        return proxy.site + url
    raise EnvironmentFault(f"{url!r} is neither a URL nor a path; write http://HOST/PATH, or /PATH")


def _pages(proxy: Proxy, sitemap: str) -> Iterator[str]:
    """Its pages, and those of the sitemaps that it names, at the host where it was asked for itself: sitemaps name the
    site as it is in production."""
    todo, seen = [sitemap], {sitemap}
    while todo:
        one = todo.pop(0)
        try:
            response, body = proxy.get(one)
            if response.status != 200 or len(body) > LARGEST:
                raise SitemapError(f"it answered {response.status}, {len(body):,} bytes")
            pages, others = read_sitemap(body)
        except (*SILENT, SitemapError) as error:
            raise EnvironmentFault(f"--sitemap {one}: {error}") from None
        yield from _here(sitemap, pages)
        new = [other for other in _here(sitemap, others) if other not in seen][: SITEMAPS - len(seen)]
        seen.update(new)
        todo += new


def _here(sitemap: str, urls: Iterable[str]) -> Iterator[str]:
    for url in urls:
        yield urljoin(sitemap, target_in(urlsplit(url)))


def _line(one: Warmed) -> str:
    if one.error is not None:
        return f"  failed        {one.url}   {one.error}"
    return f"  {one.status}  {one.says or '':<11} {one.seconds * 1000:>6.0f} ms  {one.size:>9,} B  {one.url}"
