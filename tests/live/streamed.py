"""What origins say and send, piece by piece, where it matters how a body comes and goes."""

from __future__ import annotations

from tests.live.swerve import MIB

GIB = 2**30
BLOCK = b"0123456789abcdef" * (MIB // 16)
FRESH = "Cache-Control: s-maxage=60"
NO_STORE = "Cache-Control: no-store"
CHUNKED = "Transfer-Encoding: chunked"
