"""The way to the origin and back: any httpx2 transport can stand in for ours (RFC 9110 §7.6, RFC 9112, RFC 9209)."""

from app.upstream.client import Upstream
from app.upstream.errors import ProxyError, UpstreamError
from app.upstream.messages import Answer, Timeouts
from app.upstream.origin import Origin
from app.upstream.transport import OriginTransport

__all__ = ["Answer", "Origin", "OriginTransport", "ProxyError", "Timeouts", "Upstream", "UpstreamError"]
