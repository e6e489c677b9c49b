"""A scripted origin behind httpx2's transport interface: answers by path, counts what it is asked, fails on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from app.upstream.errors import ProxyError, UpstreamError


@dataclass
class Answer:
    """One answer. `error` (RFC 9209 §2.3) instead of a response; `breaks_after`: bytes of body before it breaks off.

    `validates`: answer 304 when If-None-Match or If-Modified-Since names the ETag or Last-Modified of this answer.
    `echo`: a request field whose value stands for every `{}` in the body and the header values.
    `pauses_after`: the head comes at once, and the gate holds back what follows so many bytes of body.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""
    error: str | None = None
    breaks_after: int | None = None
    validates: bool = False
    echo: str | None = None
    pauses_after: int | None = None

    @classmethod
    def parse(cls, table: dict[str, Any]) -> Answer:
        known = dict(table)
        headers = known.pop("headers", {})
        pairs = headers.items() if isinstance(headers, dict) else headers
        return cls(headers=[(name, value) for name, value in pairs], **known)

    def to(self, request: httpx2.Request) -> Answer:
        """This answer as it is given to that request."""
        if self.echo is None:
            return self
        value = request.headers.get(self.echo, "nobody")
        headers = [(name, text.replace("{}", value)) for name, text in self.headers]
        return replace(self, headers=headers, body=self.body.replace("{}", value))


class ScriptedOrigin(httpx2.AsyncBaseTransport):
    """Answers every path with its next answer, the last one over and over; an unknown path gets a 404.

    Which answer it is, is settled when the request arrives. `gate`, while it is closed, keeps those that arrive at it
    waiting until it opens; whoever puts another gate in its place lets later requests overtake them.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[httpx2.Request] = []
        self.bodies: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def script(self, answers: dict[str, Any]) -> None:
        for path, tables in answers.items():
            listed = tables if isinstance(tables, list) else [tables]
            self.answers[path] = [Answer.parse(table) for table in listed]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        self.bodies.append(b"".join([chunk async for chunk in request.stream]))
        self.requests.append(request)
        gate, answer = self.gate, self._next(request.extensions["target"].decode("latin-1")).to(request)
        if answer.pauses_after is None:
            await gate.wait()
        if answer.error is not None:
            raise UpstreamError(ProxyError(answer.error), "scripted")
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        if answer.validates and _matches(request, answer):
            return httpx2.Response(304, headers=headers, stream=_Stream(Answer(), gate))
        if request.method == "HEAD":
            return httpx2.Response(answer.status, headers=headers, stream=_Stream(Answer(), gate))
        return httpx2.Response(answer.status, headers=headers, stream=_Stream(answer, gate))

    def _next(self, target: str) -> Answer:
        answers = self.answers.get(target) or self.answers.get(target.partition("?")[0])
        if answers is None:
            return Answer(404, body="no such path")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, answer: Answer, gate: asyncio.Event) -> None:
        self._answer = answer
        self._gate = gate

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body, start = self._answer.body.encode("latin-1"), 0
        if self._answer.breaks_after is not None:
            yield body[: self._answer.breaks_after]
            raise UpstreamError(ProxyError.HTTP_RESPONSE_INCOMPLETE, "scripted")
        if self._answer.pauses_after is not None:
            start = self._answer.pauses_after
            yield body[:start]
            await self._gate.wait()
        for at in range(start, len(body), 4):  # several chunks, as from a socket
            yield body[at : at + 4]


def _matches(request: httpx2.Request, answer: Answer) -> bool:
    own = {name.lower(): value for name, value in answer.headers}
    pairs = (("if-none-match", "etag"), ("if-modified-since", "last-modified"))
    return any(
        condition in request.headers and request.headers[condition] == own.get(name) for condition, name in pairs
    )
