"""Heads of requests before anything is known of them: what is refused at once, and in which form the rest goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.core.refusing import LONGEST_HEAD, LONGEST_TARGET

Fields = list[tuple[bytes, bytes]]

# Room for both limits, and for the line ends that they do not count; and how many field lines may share it.
LONGEST = LONGEST_HEAD + LONGEST_TARGET + 16 * 2**10
MOST_LINES = 500
VERSIONS = ("1.1", "1.0")

ABSOLUTE_FORM = re.compile(rb"([A-Za-z]+)://([^/?#]*)(.*)")
UPGRADE = re.compile(rb"\r\nupgrade:([^\r\n]*)", re.IGNORECASE)
DECLINED = b"x-declined-upgrade"

# Methods of caches beside PURGE that the parser does not know. It reads their heads as those of a PURGE.
BANS = re.compile(rb"(BAN|PURGEKEYS) ")

# Heads that can be read in one way only, without a parser. All others are the parser's.
PLAIN = re.compile(rb"(?:GET|HEAD) /[!-~]*+ HTTP/1\.1(?:\r\n[!#-'*+.^-z|~0-9A-Z-]++:[\t -~\x80-\xff]*+)++\r\n\r\n")


def _refusal(status: bytes, page: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(page)) + page


BAD_REQUEST = _refusal(b"400 Bad Request", b"swerve: that is no HTTP request\n")
TOO_LATE = _refusal(b"408 Request Timeout", b"swerve: the request's head did not come in time\n")
TOO_LARGE = _refusal(b"431 Request Header Fields Too Large", b"swerve: the request's head is too large\n")
BAD_CODING = _refusal(b"501 Not Implemented", b"swerve: chunked is the only transfer coding known here\n")
BAD_VERSION = _refusal(b"505 HTTP Version Not Supported", b"swerve: HTTP/1.1 and HTTP/1.0 are spoken here\n")


def refusal_of(version: str, fields: Fields) -> bytes | None:
    """What is said to a head that goes no further. A transfer coding other than chunked is not known here, and may not
    be passed on, for it is the next connection's own (RFC 9112 §6.1)."""
    if version not in VERSIONS:
        return BAD_VERSION
    if len(fields) > MOST_LINES:
        return TOO_LARGE
    codings = b",".join([value for name, value in fields if name == b"transfer-encoding"])
    return BAD_CODING if codings and codings.strip().lower() != b"chunked" else None


def arrived_head(scheme: str, target: bytes, fields: Fields) -> tuple[bytes, Fields]:
    """A target and its fields as all later steps see them: a target in absolute-form becomes origin-form, its authority
    goes before Host, in its place (RFC 9112 §3.2.2). A Host that is missing stays so; a target of another scheme stays
    as it is, which is no path."""
    if target[:1] in (b"/", b"*") or (match := ABSOLUTE_FORM.fullmatch(target)) is None:
        return target, fields
    if match[1].lower() != scheme.encode():
        return target, fields
    rest = match[3] if match[3][:1] == b"/" else b"/" + match[3]
    return rest, [(name, match[2] if name == b"host" else value) for name, value in fields]


def asks_for_websocket(method: str, fields: Fields) -> bool:
    """RFC 6455 §4.1."""
    return method == "GET" and any(name == b"upgrade" and value.lower() == b"websocket" for name, value in fields)


def length_of(fields: Fields) -> int | None:
    """The bytes of the body that follows; None if it comes in chunks (RFC 9112 §6.3). The parser has judged them."""
    if any(name == b"transfer-encoding" for name, _ in fields):
        return None
    return next((int(value) for name, value in fields if name == b"content-length"), 0)


def without_upgrade(head: bytes) -> bytes:
    """A whole head, its Upgrades declined if it is no handshake of a WebSocket (RFC 9110 §7.8).

    The parser takes whatever follows an Upgrade for another protocol, the body included; clients that offer h2c with
    each request (curl --http2, Java's) mean HTTP/1.1 when nobody takes it up.
    """
    if b"\nupgrade:" not in head.lower():
        return head
    offers = UPGRADE.findall(head)
    if head.startswith(b"GET ") and [offer.strip().lower() for offer in offers] == [b"websocket"]:
        return head
    return UPGRADE.sub(b"\r\n" + DECLINED + rb":\1", head)


def as_purge(head: bytes) -> tuple[bytes, str | None]:
    """A whole head as the parser knows it, and the method that it has if that is another."""
    match = BANS.match(head)
    return (head, None) if match is None else (b"PURGE " + head[match.end() :], match[1].decode())


def is_plain(head: bytes) -> bool:
    """Whether this whole head reads like a GET or HEAD to everybody, and is one that is not refused for its lines."""
    return PLAIN.fullmatch(head) is not None and head.count(b"\n") <= MOST_LINES


def first_line(head: bytes) -> bytes:
    return head[: head.find(b"\r\n")]


def fields_of(head: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The fields of a plain head, their names in lower case (RFC 9112 §5)."""
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:-2]]
    return tuple([(name.lower(), value.strip(b" \t")) for name, _, value in lines])


def lines_of(names: Iterable[str]) -> re.Pattern[bytes]:
    """What finds the lines of these fields in a plain head. Most lines are of others: their first letter tells."""
    wanted = sorted(names)
    first = "".join({re.escape(letter) for name in wanted for letter in (name[0], name[0].upper())})
    return re.compile(rf"\r\n(?=[{first}])(?i:{'|'.join(map(re.escape, wanted))}):[^\r]*+".encode("latin-1"))
