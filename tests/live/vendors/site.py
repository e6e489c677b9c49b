"""A site behind a running Swerve: an origin that counts, in threads, and one visitor."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from tests.live.processes import LOOPBACK
from tests.live.swerve import Swerve, started

TOKEN = "s3cret-token"


class Pages(BaseHTTPRequestHandler):
    """Every page says how many times it was asked for. `/N/…` has the tags tN and `every`, in the fields of several
    CDNs at once."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one segment
    asked: Counter[str]
    lock: Lock

    def do_GET(self) -> None:
        with self.lock:
            self.asked[self.path] += 1
            body = f"{self.path} {self.asked[self.path]}".encode()
        number = self.path.split("/")[1]
        self.send_response(200)
        fields = {
            "Cache-Control": "public, s-maxage=3600, stale-while-revalidate=3600", "Cache-Tag": f"t{number}, every",
            "Surrogate-Key": f"t{number} every", "Vercel-Cache-Tag": f"t{number},every",
            "Content-Type": "text/plain", "Content-Length": str(len(body)),
        }  # fmt: skip
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Seen:
    """What the visitor got. `why` is the reason in Cache-Status."""

    body: str
    cache: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Site:
    swerve: Swerve

    @property
    def admin(self) -> str:
        return f"http://{LOOPBACK}:{self.swerve.admin}"

    @property
    def host(self) -> str:
        return f"{LOOPBACK}:{self.swerve.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def visit(self, path: str) -> Seen:
        _, _, seen = self.ask("GET", path)
        return seen

    def stored(self, path: str) -> Seen:
        """What is stored of a page, once it is: a visitor may have it all a moment before."""
        for _ in range(100):
            if (seen := self.visit(path)).why == "fresh":
                return seen
        raise AssertionError(f"{path} is not stored: {seen}")

    def ask(self, method: str, path: str, **fields: str) -> tuple[int, str, Seen]:
        """The status, the body, and what there is to see. Names of fields with _ for -."""
        connection = http.client.HTTPConnection(LOOPBACK, self.swerve.port, timeout=30)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in fields.items()})
            response = connection.getresponse()
            body = response.read().decode()
            why = (response.getheader("cache-status") or "").partition("detail=")[2]
            return response.status, body, Seen(body, response.getheader("x-vercel-cache"), why)
        finally:
            connection.close()


@contextmanager
def site(*flags: str, dialect: str) -> Iterator[Site]:
    """Until the block ends. Its admin side needs the token."""
    handler = type("Counted", (Pages,), {"asked": Counter[str](), "lock": Lock()})
    server = ThreadingHTTPServer((LOOPBACK, 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        variables = {"SWERVE_ADMIN_TOKEN": TOKEN}
        origin = f"http://{LOOPBACK}:{server.server_port}"
        with started(origin, *flags, dialect=dialect, variables=variables) as swerve:
            yield Site(swerve)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
