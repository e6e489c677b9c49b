"""The bytes of a connection become requests, without I/O (RFC 9112 §2.2, §3, §5, §6).

httptools does the grammar. Heads reach it whole and one by one, as far as they can be told from what is before them, so
that each is judged by the whole of it, and so that its exact bytes are known.
"""

from __future__ import annotations

from typing import Protocol

import httptools

from app.heads import (
    BAD_REQUEST,
    DECLINED,
    LONGEST,
    TOO_LARGE,
    Fields,
    arrived_head,
    as_purge,
    asks_for_websocket,
    length_of,
    refusal_of,
    without_upgrade,
)

FRAMING = (b"content-length", b"transfer-encoding")


class Refused(Exception):
    """Ends the parsing of what has been answered already."""


class Owner(Protocol):
    """Who is told what is read. With `bans` the methods BAN and PURGEKEYS are known."""

    @property
    def bans(self) -> bool: ...

    def replay(self, head: bytes) -> bool:
        """A whole head, of which nothing is known yet. Returns whether it has been answered, and is over with."""

    def full(self) -> bool:
        """Whether enough requests wait for their answers: what has come behind them is left unread until `resume`."""

    def head_begun(self) -> None:
        """The beginning of a head is here, and its rest is not."""

    def requested(self) -> None:
        """A head was read; its body follows."""

    def content(self, data: bytes) -> None:
        """A piece of the body."""

    def ended(self) -> None:
        """The request is here as a whole."""

    def switched(self) -> None:
        """What follows the head is of another protocol."""

    def refused(self, response: bytes) -> None:
        """This is no request, or too much of one: nothing behind it can be read."""

    def unending(self) -> None:
        """Something that is of no use to anybody goes on and on."""


class RequestReader:
    """`scheme` is the connection's. `between` two requests it holds nothing.

    After `requested`: `method`, `target`, `fields` (names in lower case), `version`; `persistent`, whether the
    connection outlives the request (RFC 9112 §9.3); `upgrading`, whether it asks for a WebSocket; `head`, its own bytes
    where they are known.
    """

    def __init__(self, owner: Owner, *, websockets: bool) -> None:
        self._owner = owner
        self._websockets = websockets
        self._parser = self._new_parser()
        self.scheme = "http"
        self.method, self.version, self.target, self.fields = "", "", b"", Fields()
        self.persistent = self.upgrading = False
        self.head: bytes | None = None
        # Where we are: between two messages, in a head (of which the parser may have a part already), or in a body.
        self.between, self._in_head, self._parsing_head = True, True, False
        self._kept = bytearray()
        self._unread = bytearray()  # behind the last request that could be taken
        self._left: int | None = 0  # bytes of the body that are to come; None in chunks
        self._head_bytes = self._quiet_bytes = 0
        self._declined = False
        self._method: str | None = None  # what the parser does not know

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # So that what comes behind a request that says «close» does not spoil the answer to it.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def close(self) -> None:
        """Break the cycle between this object and its parser, so that neither waits for the collector."""
        del self._parser

    def feed(self, data: bytes) -> None:
        """Take what came."""
        if self._unread:
            self._unread += data
        elif not self._in_head:
            self._body_received(data)
        elif self._parsing_head:
            self._rest_of_head(data)
        else:
            self._heads_received(data)

    def resume(self) -> None:
        """There is room for requests again."""
        data, self._unread = bytes(self._unread), bytearray()
        if data:
            self._heads_received(data)

    def _heads_received(self, data: bytes) -> None:
        start, searched = 0, max(0, len(self._kept) - 3)
        if self._kept:
            data = bytes(self._kept + data)
            self._kept.clear()
        while (end := data.find(b"\r\n\r\n", max(start, searched))) >= 0:
            if self._owner.full():
                self._unread += data[start:]
                self.between = False
                return
            head, start = data[start : end + 4].lstrip(b"\r\n"), end + 4
            if head and not self._whole_head(head):
                return
            if not self._in_head:
                if start < len(data):
                    self._body_received(data[start:])
                return
        self._keep(data[start:].lstrip(b"\r\n"))

    def _whole_head(self, head: bytes) -> bool:
        """Read it. Returns whether more may follow it."""
        self.between = True
        if self._owner.replay(head):
            return True
        if len(head) > LONGEST or head.find(b" HTTP/", 0, head.find(b"\r\n")) < 0:  # the parser knows other protocols
            self._owner.refused(TOO_LARGE if len(head) > LONGEST else BAD_REQUEST)
            return False
        self.head, parsed = head, without_upgrade(head)
        self._declined = parsed is not head
        if self._owner.bans:
            parsed, self._method = as_purge(parsed)
        return self._parse(parsed)

    def _keep(self, data: bytes) -> None:
        """The beginning of a head, until the rest of it is here."""
        begins = self.between and bool(data)
        self.between = not data
        self._kept += data
        if begins:
            self._owner.head_begun()
        if len(data) > LONGEST:
            self._owner.refused(TOO_LARGE)
        elif b"\n\n" in data or b"\n\r\n" in data:  # an end to all but us: the parser says what is wrong with it
            self._parse(data)

    def _rest_of_head(self, data: bytes) -> None:
        """Of a head behind a body, where the parser alone knows the one from the other."""
        self._head_bytes += len(data)
        if self._parse(data) and self._head_bytes > LONGEST:
            self._owner.refused(TOO_LARGE)

    def _body_received(self, data: bytes) -> None:
        """Where its length is known, what follows it is told from it here, and by the parser else."""
        data, rest = (data, b"") if self._left is None else (data[: self._left], data[self._left :])
        self._left = None if self._left is None else self._left - len(data)
        self._quiet_bytes += len(data)
        if self._parse(data) and rest:
            self._heads_received(rest)
        elif self._parsing_head:
            self._owner.head_begun()
        elif self._quiet_bytes > LONGEST and not self._in_head:
            self._owner.unending()  # trailers without end: the parser would keep all of them

    def _parse(self, data: bytes) -> bool:
        """Returns whether the connection goes on as it was."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._declined_late(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if not isinstance(error.__context__, Refused):
                self._owner.refused(BAD_REQUEST)
            return False
        return True

    def _declined_late(self, rest: bytes) -> bool:
        """An Upgrade that the parser saw first, behind a body: what follows is HTTP all the same if nobody takes it up,
        and if the request cannot have a body, which the parser would not have told from it."""
        if self.upgrading or self.method == "CONNECT":
            self._owner.switched()
            return False
        if any(name in FRAMING for name, _ in self.fields):
            self._owner.refused(BAD_REQUEST)
            return False
        self._parser = self._new_parser()
        self._heads_received(rest)
        return True

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._in_head = self._parsing_head = True
        self.between = False
        self._head_bytes = 0
        self.target, self.fields = b"", []

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else it is a trailer: never to be taken for a field of the head
            self.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._in_head = self._parsing_head = False
        self._head_bytes = self._quiet_bytes = 0
        parser = self._parser
        self.version = parser.get_http_version()
        if (refusal := refusal_of(self.version, self.fields)) is not None:
            self._owner.refused(refusal)
            raise Refused
        if self._declined:
            self.fields = [field for field in self.fields if field[0] != DECLINED]
        self._left = length_of(self.fields)
        self.method = self._method or parser.get_method().decode("ascii")
        self.target, self.fields = arrived_head(self.scheme, self.target, self.fields)
        self.upgrading = self._websockets and parser.should_upgrade() and asks_for_websocket(self.method, self.fields)
        self.persistent = self.version == "1.1" and parser.should_keep_alive()
        if not self.upgrading:
            self._owner.requested()

    def on_body(self, body: bytes) -> None:
        self._quiet_bytes = 0
        self._owner.content(body)

    def on_message_complete(self) -> None:
        self._in_head = self.between = True
        self.head, self._declined, self._method = None, False, None
        self._owner.ended()
