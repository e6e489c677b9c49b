"""What an origin would say whose clock is as far ahead as ours: time that is moved is moved for both."""

from __future__ import annotations

from app.core.fields import format_date, parse_date
from app.core.messages import Headers

# Date and Expires are compared with the time at which they come (RFC 9111 §4.2.1, §4.2.3). Last-Modified is left: it is
# compared with what clients send, and what was changed then has not changed since.
_TIMES = ("date", "expires")
_LATEST = 253_402_300_799  # the end of the year 9999: dates have four digits for it


def moved(headers: Headers, seconds: float) -> Headers:
    """The fields of a response from an origin that knows nothing of our clock. What is no date stays as it is."""
    if not seconds:
        return headers
    for name in _TIMES:
        at = parse_date(headers.get(name))
        if at is not None:
            headers = headers.with_((name, format_date(min(at + seconds, _LATEST))))
    return headers
