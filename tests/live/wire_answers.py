"""Read what came over a connection, strictly: every response whole, framed as RFC 9112 has it, and nothing besides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Fate = Literal["open", "closed", "reset", "waiting"]

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [ -~]*")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. `interim`: the 1xx that came before it."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes = b""
    interim: tuple[int, ...] = ()

    def get(self, name: str) -> str | None:
        lines = [value for key, value in self.fields if key == name]
        return ", ".join(lines) if lines else None

    def __str__(self) -> str:
        """As tables have it: `200 HIT`, and of errors the status alone."""
        word = (self.get("x-cache") or "") if self.status < 400 else ""
        return " ".join([*map(str, self.interim), str(self.status), word]).strip()


@dataclass(frozen=True, slots=True)
class Heard:
    """What one client heard, and how its connection ended: it still serves, or waits for more of a request, or not."""

    data: bytes
    fate: Fate

    def answers(self, *methods: str) -> list[Answer]:
        """The responses, to the last byte. `methods` of the requests; those that are not named are GET."""
        answers: list[Answer] = []
        data = self.data
        while data:
            answer, data = _final(data, methods[len(answers)] if len(answers) < len(methods) else "GET")
            answers.append(answer)
        return answers

    def said(self, *methods: str) -> str:
        """As tables have it: `200 HIT, 400 closed`."""
        return f"{', '.join(map(str, self.answers(*methods)))} {self.fate}".strip()


def _final(data: bytes, method: str) -> tuple[Answer, bytes]:
    interim: list[int] = []
    while True:
        head, ended, rest = data.partition(b"\r\n\r\n")
        assert ended, f"a head without an end: {data!r}"
        status, fields = _head(head)
        if status >= 200:
            body, rest = _body(Answer(status, fields), method, rest)
            return Answer(status, fields, body, tuple(interim)), rest
        assert not fields, fields
        interim.append(status)
        data = rest


def _head(head: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    first, *lines = head.split(b"\r\n")
    status = STATUS_LINE.fullmatch(first)
    assert status, first
    matches = [FIELD_LINE.fullmatch(line) for line in lines]
    assert all(matches), lines
    return int(status[1]), tuple((one[1].decode().lower(), one[2].decode("latin-1")) for one in matches if one)


def _body(head: Answer, method: str, rest: bytes) -> tuple[bytes, bytes]:
    length, coding = head.get("content-length"), head.get("transfer-encoding")
    if method == "HEAD" or head.status in (204, 304):
        assert coding is None, head.fields
        return b"", rest
    if coding is not None:
        assert (coding, length) == ("chunked", None), head.fields
        return _chunked(rest)
    if length is None:
        assert head.get("connection") == "close", "a body without a length ends with its connection"
        return rest, b""
    assert len(rest) >= int(length), f"{len(rest)} of {length} bytes: {rest!r}"
    return rest[: int(length)], rest[int(length) :]


def _chunked(rest: bytes) -> tuple[bytes, bytes]:
    pieces: list[bytes] = []
    while True:
        line, ended, rest = rest.partition(b"\r\n")
        assert ended, "a body without an end"
        size = int(line, 16)
        pieces.append(rest[:size])
        assert rest[size : size + 2] == b"\r\n", "a chunk without an end"
        rest = rest[size + 2 :]
        if not size:
            return b"".join(pieces), rest
