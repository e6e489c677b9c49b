"""Raw ASGI: requests straight into the application and every message that comes back, without a client in between."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message


@dataclass
class Received:
    """What a client got. `broken`: the body was never finished."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    broken: bool = True

    def lines(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def header(self, name: str) -> str | None:
        lines = self.lines(name)
        return ", ".join(lines) if lines else None


@dataclass
class Client:
    """A client of an ASGI application, one request at a time or many together. Without a `host` it sends no Host."""

    app: ASGIApp
    host: str = "localhost:8080"
    address: str = "192.0.2.7"

    async def request(
        self, method: str, target: str, headers: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> Received:
        fields = [*([("host", self.host)] if self.host else []), *(headers or [])]
        if body:
            fields.append(("content-length", str(len(body))))
        path, _, query = target.partition("?")
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": method, "scheme": "http", "path": path, "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"), "root_path": "", "server": ("127.0.0.1", 8080),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields],
            "client": (self.address, 40_000),
        }  # fmt: skip
        received = Received()
        ended = asyncio.Event()
        pending = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if pending:
                return pending.pop()
            await ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                received.status = message["status"]
                received.headers = [
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]
                ]
            else:
                received.body += message.get("body", b"")
                received.broken = message.get("more_body", False)

        await self.app(scope, receive, send)
        ended.set()
        return received
