"""Answers that are made here because no origin gave one: short, plain, honest about whose fault it is (RFC 9209)."""

from __future__ import annotations

from http import HTTPStatus

from app.core.concluding import ERROR_REASONS
from app.core.decisions import Refuse
from app.core.messages import Headers, Response
from app.core.reasons import MEANINGS, Reason


def failed(proxy_error: str, status: int, detail: str) -> tuple[Response, bytes]:
    """The response to a request whose origin failed with this error type (RFC 9209 §2.3), with its page."""
    reason = ERROR_REASONS.get(proxy_error, Reason.ORIGIN_UNREACHABLE)
    escaped = "".join(character for character in detail if " " <= character <= "~").replace("\\", "").replace('"', "'")
    return _page(status, reason, detail, ("proxy-status", f'swerve; error={proxy_error}; details="{escaped}"'))


def refused(refuse: Refuse) -> tuple[Response, bytes]:
    """The response to a request that no origin was asked for, with its page."""
    lines = [("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")] if refuse.status in (204, 405) else []
    lines += [("connection", "close")] if refuse.status == 408 else []
    return _page(refuse.status, refuse.reason, MEANINGS[refuse.reason].meaning, *lines)


def _page(status: int, reason: Reason, detail: str, *lines: tuple[str, str]) -> tuple[Response, bytes]:
    advice = MEANINGS[reason].advice
    text = f"{status} {HTTPStatus(status).phrase}\n\nswerve: {detail} ({reason})\n" + (f"{advice}\n" if advice else "")
    page = text.encode()
    fixed = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))
    return Response(status, Headers.of(*fixed, ("content-length", str(len(page))), *lines)), page
