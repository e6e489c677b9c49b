"""Who may use the admin side: this machine's own pages and tools on loopback, whoever shows the token elsewhere."""

from __future__ import annotations

import hmac
import secrets
from functools import cache
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.admin.problems import Problem, problem
from app.admin.vendors.credentials import shown
from app.core.messages import Headers
from app.settings import Settings
from app.units import Address

# Health checks have no token.
OPEN = frozenset({"/healthz", "/readyz"})
COOKIE = "swerve-admin"

_SAFE = ("GET", "HEAD")


def admin_token(settings: Settings) -> str | None:
    """The token that admin clients must show: the operator's, or one of our own where others can reach it."""
    return settings.admin_token or made_token(settings)


def made_token(settings: Settings) -> str | None:
    """The token that we made because there has to be one and none was given; the same whenever it is asked for."""
    needed = settings.admin_token is None and not settings.admin.is_loopback
    return _made(settings.admin) if needed else None


@cache
def _made(_address: Address) -> str:
    return secrets.token_urlsafe(24)


class Guard:
    """ASGI middleware. On loopback Host and Origin must be loopback too, so that no web page can rebind its name to us.

    A token, once there is one, is asked for on loopback as well. It comes as `Authorization: Bearer …`, or where
    clients of vendors carry theirs (app/admin/vendors/credentials.py), or as `?token=…`, which is exchanged for a
    cookie at once so that it stays in no history. The cookie holds only a digest of it: browsers send it to every
    port of this host, the site behind the cache included.
    """

    def __init__(self, app: ASGIApp, address: Address, token: str | None) -> None:
        self.app = app
        self.loopback = address.is_loopback
        self.token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":  # there is none: one that is added has to pass here
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            response = self.judge(scope, Headers(scope["headers"]))
        except Problem as error:
            response = problem(error)
        await (response or self.app)(scope, receive, send)

    def judge(self, scope: Scope, headers: Headers) -> Response | None:
        """None lets the request in. Raises Problem."""
        if self.loopback:
            _local_only(headers)
        if self.token is None or scope["path"] in OPEN:
            return None
        if self._bears_token(headers) or self._has_cookie(headers):
            return None
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token")
        if asked is None or scope["method"] not in _SAFE:
            raise _unauthorized("this needs the admin token")
        if not hmac.compare_digest(asked.encode(), self.token):
            raise _unauthorized("this is not the admin token")
        return self._let_in(scope)

    def _bears_token(self, headers: Headers) -> bool:
        tokens = list(shown(headers))
        if not tokens or self.token is None:
            return False
        if not any([hmac.compare_digest(one.encode("latin-1"), self.token) for one in tokens]):
            raise _unauthorized("this is not the admin token")
        return True

    def _has_cookie(self, headers: Headers) -> bool:
        """A cookie is sent along by any page: one of another origin may not use it."""
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            return False
        shown = _cookie(headers.get("cookie") or "")
        return hmac.compare_digest(shown.encode(), self._digest().encode())

    def _digest(self) -> str:
        return hmac.new(self.token or b"", b"swerve admin cookie", "sha256").hexdigest()

    def _let_in(self, scope: Scope) -> Response:
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        rest = urlencode([(name, value) for name, value in pairs if name != "token"])
        # One slash: «//name» would lead to another host.
        target = f"/{quote(scope['path'].lstrip('/'))}" + (f"?{rest}" if rest else "")
        cookie = f"{COOKIE}={self._digest()}; Path=/; HttpOnly; SameSite=Lax"
        fields = {
            "location": target,
            "set-cookie": cookie,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
        }
        return Response(status_code=303, headers=fields)


def _cookie(value: str) -> str:
    for part in value.split(";"):
        name, _, content = part.strip().partition("=")
        if name == COOKIE:
            return content
    return ""


def _unauthorized(what: str) -> Problem:
    fix = "open the link that Swerve printed at its start, or send Authorization: Bearer with SWERVE_ADMIN_TOKEN"
    return Problem(401, f"{what}; {fix}", {"www-authenticate": 'Bearer realm="swerve"'})


def _local_only(headers: Headers) -> None:
    """Raises Problem for a Host or Origin that is not this machine."""
    hosts = headers.lines("host")
    if len(hosts) != 1 or not _is_local(f"//{hosts[0]}"):
        raise Problem(403, f"Host is {', '.join(hosts) or 'missing'}; the admin side answers to localhost only")
    origin = headers.get("origin")
    if origin is not None and not _is_local(origin):
        raise Problem(403, f"Origin is {origin}; the admin side answers to pages of localhost only")


def _is_local(url: str) -> bool:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host is not None and Address(host, 0).is_loopback
