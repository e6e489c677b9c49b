"""Heads of HTTP messages: ordered header fields, requests, responses (RFC 9110 §5, §6). Bodies travel beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

Pair = tuple[bytes, bytes]


class Headers:
    """Ordered field lines with lower-case names: never a mapping: `Set-Cookie` cannot be joined (RFC 9110 §5.3).

    `pairs` are (name, value) in bytes, as they go on the wire; the accessors speak `str` decoded as latin-1.
    """

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self.pairs: tuple[Pair, ...] = tuple((name.lower(), value) for name, value in pairs)

    @classmethod
    def of(cls, *lines: tuple[str, str]) -> Headers:
        return cls((name.encode("latin-1"), value.encode("latin-1")) for name, value in lines)

    # A scan, not an index: heads are short, and an index in each stored response would outweigh most bodies.
    def lines(self, name: str) -> list[str]:
        """Every field line of that name (lower case), in order."""
        wanted = name.encode("latin-1")
        return [value.decode("latin-1").strip(" \t") for key, value in self.pairs if key == wanted]

    def get(self, name: str) -> str | None:
        """The combined field value, lines joined by a comma (RFC 9110 §5.2), or None."""
        lines = self.lines(name)
        return ", ".join(lines) if lines else None

    def __contains__(self, name: str) -> bool:
        wanted = name.encode("latin-1")
        return any(key == wanted for key, _ in self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.pairs == other.pairs

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __repr__(self) -> str:
        return f"Headers({list(self.pairs)})"

    def names(self) -> set[str]:
        return {name.decode("latin-1") for name, _ in self.pairs}

    def without(self, names: Collection[str]) -> Headers:
        gone = {name.encode("latin-1") for name in names}
        kept = tuple(pair for pair in self.pairs if pair[0] not in gone)
        return self if len(kept) == len(self.pairs) else Headers(kept)

    def with_(self, *lines: tuple[str, str]) -> Headers:
        """These fields set: earlier lines of the same names are gone, the new ones stand at the end."""
        added = Headers.of(*lines)
        return Headers((*self.without(added.names()).pairs, *added.pairs))

    def adding(self, *lines: tuple[str, str]) -> Headers:
        """These field lines after the ones that are there."""
        return Headers((*self.pairs, *Headers.of(*lines).pairs))


# RFC 9110 §7.6.1, and RFC 9111 §3.1 for the Proxy- fields: they speak of one connection and stop here.
HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "proxy-authenticate", "proxy-authentication-info", "proxy-authorization",
    }
)  # fmt: skip


def end_to_end(headers: Headers) -> Headers:
    """The fields that may be forwarded and stored: without hop-by-hop ones and those that Connection names."""
    named = {token.strip().lower() for line in headers.lines("connection") for token in line.split(",")}
    gone = HOP_BY_HOP | {name for name in named if not _cannot_be_named_away(name)}
    if "transfer-encoding" in headers:  # the length that goes with it must not go on without it (RFC 9112 §6.3)
        gone |= {"content-length"}
    return headers.without(gone)


def _cannot_be_named_away(name: str) -> bool:
    """What frames, routes or dates a message, or what a cache judges by: never an option of one connection."""
    return name in _NEEDED or name.endswith(("cache-control", "surrogate-control"))


_NEEDED = frozenset(
    {
        "age", "close", "content-length", "content-range", "content-type", "content-encoding", "date", "etag",
        "expires", "host", "last-modified", "pragma", "set-cookie", "vary",
    }
)  # fmt: skip


def has_body(headers: Headers) -> bool:
    """Whether these request fields announce a body (RFC 9112 §6)."""
    return "transfer-encoding" in headers or headers.get("content-length") not in (None, "0")


def is_event_stream(headers: Headers) -> bool:
    """Whether these response fields announce a body that never ends by itself (HTML Standard §9.2)."""
    return (headers.get("content-type") or "").lower().startswith("text/event-stream")


@dataclass(frozen=True, slots=True)
class Request:
    """A request's head. `target` is the raw path and query; `authority` the validated Host.

    `client` is the address it came from ("" for a request of our own), `identity` what the dialect calls it.
    """

    method: str
    scheme: str
    authority: str
    target: str
    headers: Headers
    client: str = ""
    identity: str = ""

    def with_headers(self, headers: Headers) -> Request:
        return replace(self, headers=headers)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Response:
    """A response's head."""

    status: int
    headers: Headers

    def with_headers(self, headers: Headers) -> Response:
        return replace(self, headers=headers)
