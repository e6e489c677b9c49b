"""Heads of HTTP messages: ordered header fields, requests, responses (RFC 9110 §5, §6). Bodies travel beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from app.core.remembered import remembered

Pair = tuple[bytes, bytes]


class Headers:
    """Ordered field lines with lower-case names: never a mapping: `Set-Cookie` cannot be joined (RFC 9110 §5.3).

    `pairs` are (name, value) in bytes, as they go on the wire; the accessors speak `str` decoded as latin-1.
    Whoever decides by a request's fields reads them through `lines`, `get` and `in`, by lower-case names, and `size`:
    so a subclass can tell which fields a decision looked at.
    """

    __slots__ = ("_by_name", "pairs")

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self.pairs: tuple[Pair, ...] = tuple([(name.lower(), value) for name, value in pairs])
        self._by_name: dict[bytes, bytes] | None = None

    @classmethod
    def of(cls, *lines: tuple[str, str]) -> Headers:
        return Headers.lowered(_encoded_lines(lines))

    @staticmethod
    def lowered(pairs: tuple[Pair, ...]) -> Headers:
        """Of pairs whose names are known to be in lower case."""
        headers = Headers.__new__(Headers)
        headers.pairs = pairs
        headers._by_name = None
        return headers

    def _index(self) -> dict[bytes, bytes]:
        """A value for each name; as long as `pairs` where no name stands twice, as is the rule."""
        if self._by_name is None:
            self._by_name = dict(self.pairs)
        return self._by_name

    def lines(self, name: str) -> list[str]:
        """Every field line of that name (lower case), in order."""
        wanted, by_name = name.encode("latin-1"), self._by_name or self._index()
        if wanted not in by_name:
            return []
        if len(by_name) == len(self.pairs):
            return [by_name[wanted].decode("latin-1").strip(" \t")]
        return [value.decode("latin-1").strip(" \t") for key, value in self.pairs if key == wanted]

    def get(self, name: str) -> str | None:
        """The combined field value, lines joined by a comma (RFC 9110 §5.2), or None."""
        lines = self.lines(name)
        return ", ".join(lines) if lines else None

    def cookies(self, name: str) -> list[str]:
        """The values of the cookies of that name, in lower case, sent in any case (RFC 6265 §4.2)."""
        return [value for key, _, value in _cookie_pairs(Headers.lines(self, "cookie")) if key.lower() == name]

    def cookie_pairs(self, name: str) -> list[str]:
        """All that may be read as a cookie of that name, as it is sent and in its order: in any case, also without `=`,
        and several of one name, for origins differ in which of them they take."""
        name, pairs = name.lower(), _cookie_pairs(self.lines("cookie"))
        return [f"{key}{equals}{value}" for key, equals, value in pairs if key.lower() == name]

    def has_cookie(self, name: str) -> bool:
        return bool(self.cookies(name))

    def __contains__(self, name: str) -> bool:
        return name.encode("latin-1") in (self._by_name or self._index())

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

    @property
    def size(self) -> int:
        """The bytes of all names and values."""
        return sum(map(len, chain.from_iterable(self.pairs)))

    def names(self) -> set[str]:
        return {name.decode("latin-1") for name, _ in self.pairs}

    def without(self, names: Collection[str]) -> Headers:
        return self.dropping(encoded_names(frozenset(names)))

    def dropping(self, names: frozenset[bytes]) -> Headers:
        """`without`, for names that are encoded already."""
        kept = tuple([pair for pair in self.pairs if pair[0] not in names])
        return self if len(kept) == len(self.pairs) else Headers.lowered(kept)

    def with_(self, *lines: tuple[str, str]) -> Headers:
        """These fields set: earlier lines of the same names are gone, the new ones stand at the end."""
        return self.rewritten(frozenset(), Headers.of(*lines))

    def rewritten(self, gone: frozenset[bytes], added: Headers) -> Headers:
        """`dropping` and `with_` in one pass."""
        gone = gone.union([name for name, _ in added.pairs])
        return Headers.lowered((*[pair for pair in self.pairs if pair[0] not in gone], *added.pairs))

    def adding(self, *lines: tuple[str, str]) -> Headers:
        """These field lines after the ones that are there."""
        return Headers.lowered((*self.pairs, *_encoded_lines(lines)))


def _cookie_pairs(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Name, `=` or "" where there is none, and value."""
    for line in lines:
        for pair in line.split(";"):
            name, equals, value = pair.partition("=")
            yield name.strip(" \t"), equals, value.strip(" \t")


# A field cannot contain a line feed: a recipient takes it for white space (RFC 9110 §5.5).
def packed(headers: Headers) -> bytes:
    """The fields in one string of bytes, as they are kept: a third of the memory that pairs of strings take."""
    return b"\n".join([text.replace(b"\n", b" ") for text in chain.from_iterable(headers.pairs)])


def unpacked(head: bytes) -> Headers:
    texts = head.split(b"\n") if head else []
    return Headers.lowered(tuple(zip(texts[::2], texts[1::2], strict=True)))


def _encoded_lines(lines: Iterable[tuple[str, str]]) -> tuple[Pair, ...]:
    return tuple([(name.encode("latin-1").lower(), value.encode("latin-1")) for name, value in lines])


@lru_cache(64)  # most sets of names are constants
def encoded_names(names: frozenset[str]) -> frozenset[bytes]:
    return frozenset([name.encode("latin-1") for name in names])


# RFC 9110 §7.6.1, and RFC 9111 §3.1 for the Proxy- fields: they speak of one connection and stop here.
HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "proxy-authenticate", "proxy-authentication-info", "proxy-authorization",
    }
)  # fmt: skip


def end_to_end(headers: Headers) -> Headers:
    """The fields that may be forwarded and stored: without hop-by-hop ones and those that Connection names."""
    return headers.dropping(not_end_to_end(headers))


def not_end_to_end(headers: Headers) -> frozenset[bytes]:
    """The names of the fields that stop here."""
    named = _named_by(headers.get("connection") or "")
    # The length that goes with transfer-encoding must not go on without it (RFC 9112 §6.3).
    return named | {b"content-length"} if "transfer-encoding" in headers else named


@remembered
def _named_by(connection: str) -> frozenset[bytes]:
    """Hop-by-hop fields, with those that a value of Connection names."""
    named = filter(None, (token.strip().lower() for token in connection.split(",")))
    return encoded_names(HOP_BY_HOP) | {name.encode("latin-1") for name in named if not _cannot_be_named_away(name)}


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


def media_type(headers: Headers) -> str:
    """The media type of these response fields, in lower case and without parameters; "" where they say none."""
    return (headers.get("content-type") or "").partition(";")[0].strip(" \t").lower()


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

    # Not by dataclasses.replace, which takes three times as long: this is done several times a request.
    def with_headers(self, headers: Headers) -> Request:
        if headers is self.headers:
            return self
        return Request(self.method, self.scheme, self.authority, self.target, headers, self.client, self.identity)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Response:
    """A response's head."""

    status: int
    headers: Headers

    def with_headers(self, headers: Headers) -> Response:
        return self if headers is self.headers else Response(self.status, headers)
