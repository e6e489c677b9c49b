"""Where the clients of vendors carry what they are known by: Swerve's own admin token goes into its place.

Signed requests name a public key id or access token, and sign with a secret. Swerve looks at the public part alone: it
verifies no signature, and the secret may be any word. So the token travels in the open, as a bearer token does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.core.messages import Headers

# What may stand in Authorization, and where the token is in it.
AUTHORIZATION = (
    re.compile(r"bearer +(\S+) *", re.IGNORECASE),
    re.compile(r"EG1-HMAC-SHA256 +(?:[^;]+;)*?access_token=([^;]+);.*"),  # Akamai
    re.compile(r"AWS4-HMAC-SHA256 +Credential=([^/,]+)/.*"),  # AWS, signature version 4
)
# Fields that hold nothing but a token.
FIELDS = ("fastly-key", "x-auth-key")


def shown(headers: Headers) -> Iterator[str]:
    """Every token that a request shows."""
    authorization = headers.get("authorization") or ""
    for form in AUTHORIZATION:
        if (match := form.fullmatch(authorization)) is not None:
            yield match[1]
    for name in FIELDS:
        yield from headers.lines(name)
