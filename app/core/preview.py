"""What the operator's token opens to who shows it: drafts, and a response made anew at once.

Next.js calls the token previewModeId, Vercel bypassToken (vercel.com/docs/build-output-api, read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest

from app.core.messages import Headers

NOTHING = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Preview:
    """The token is shown in `cookie` by who wants to see drafts, and in the field `renews` by who wants the response
    made anew; with the field `if_stored` beside it, only one that is stored. `token` is None where the operator has
    named none: then nobody can show it, and a cookie of that name is taken at its word. Names are in lower case."""

    cookie: str
    renews: str
    if_stored: str
    token: str | None = field(default=None, repr=False)

    def let_in(self, headers: Headers) -> frozenset[str]:
        """The fields that no client may send but one who shows the token."""
        return frozenset({self.renews, self.if_stored}) if self.asks_to_renew(headers) else NOTHING

    def asks_to_renew(self, headers: Headers) -> bool:
        return bool(self.token) and self._is_token(headers.get(self.renews) or "")

    def if_stored_alone(self, headers: Headers) -> bool:
        return self.if_stored in headers

    def takes_cookie(self, headers: Headers, name: str) -> bool:
        """Whether a cookie of that name counts: this one only with the token as its value, where there is one."""
        return not self.token or name != self.cookie or any(map(self._is_token, headers.cookies(name)))

    def _is_token(self, value: str) -> bool:
        return compare_digest(value.encode("latin-1"), (self.token or "").encode("latin-1"))
