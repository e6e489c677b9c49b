"""Requests that no origin is asked for, whatever is stored (RFC 9110 §9.3, RFC 9112 §3.2, RFC 8586)."""

from __future__ import annotations

from collections.abc import Callable

from app.core.decisions import Refuse
from app.core.fields import AUTHORITY
from app.core.forwarding import has_looped
from app.core.messages import Request
from app.core.reasons import Reason
from app.core.remembered import remembered


def _no_single_host(request: Request, _node: str) -> bool:
    return not _is_host(request.authority) or len(request.headers.lines("host")) > 1


@remembered
def _is_host(authority: str) -> bool:
    match = AUTHORITY.fullmatch(authority)
    return match is not None and int(match[1] or 0) <= 65_535


def _no_path(request: Request, _node: str) -> bool:
    """Only `*`, of OPTIONS, is no path (RFC 9112 §3.2); a fragment never leaves a browser."""
    asterisk = request.method == "OPTIONS" and request.target == "*"
    return not (request.target.startswith("/") or asterisk) or "#" in request.target


# What one request may bring (RFC 6585 §5, RFC 9110 §15.5.15): far more than browsers send, far less than would hurt.
LONGEST_HEAD = 64 * 2**10
LONGEST_TARGET = 16 * 2**10


def _head_too_large(request: Request, _node: str) -> bool:
    return request.headers.size > LONGEST_HEAD


REFUSED: tuple[tuple[Reason, int, Callable[[Request, str], bool]], ...] = (
    (Reason.BAD_HOST, 400, _no_single_host),
    (Reason.TARGET_TOO_LONG, 414, lambda request, _: len(request.target) > LONGEST_TARGET),
    (Reason.HEAD_TOO_LARGE, 431, _head_too_large),
    (Reason.METHOD_REFUSED, 405, lambda request, _: request.method in ("CONNECT", "TRACE")),
    (Reason.BAD_TARGET, 400, _no_path),
    (Reason.LOOP, 508, has_looped),
    (Reason.MAX_FORWARDS, 204,
     lambda request, _: request.method == "OPTIONS" and request.headers.get("max-forwards") == "0"),
)  # fmt: skip


def refusal(request: Request, node: str) -> Refuse | None:
    """The first row that fires. `node` is what this process calls itself in CDN-Loop."""
    for reason, status, fires in REFUSED:
        if fires(request, node):
            return Refuse(reason, status)
    return None
