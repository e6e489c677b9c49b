"""WebSockets are tunnelled before any cache logic, with subprotocol, close code and reason both ways (RFC 6455)."""

from __future__ import annotations

import logging
from contextlib import suppress
from ssl import SSLContext
from time import perf_counter
from typing import Any

from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from app.arrival import request_from
from app.core.decisions import Fwd, Result, Verdict
from app.core.forwarding import outbound
from app.core.messages import Headers, Request, Response, end_to_end
from app.core.reasons import Reason
from app.core.verdicts import of_refusal
from app.journal import CLIENT_CLOSED_REQUEST, Event
from app.pages import failed, refused
from app.surroundings import Surroundings
from app.upstream.errors import ProxyError, UpstreamError, translate
from app.upstream.origin import Origin

log = logging.getLogger("swerve")

# What the two handshakes negotiate for themselves on either side.
HANDSHAKE = frozenset(
    {
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "sec-websocket-accept",
    }
)
# Close codes that may not be sent in a frame (RFC 6455 §7.4.1): they tell that there was none.
UNSENDABLE = frozenset({1005, 1006, 1015})
NO_CODE = 1005
POLICY = 1008


class Tunnel:
    """The proxy as an ASGI application for WebSockets."""

    def __init__(
        self, origin: Origin, around: Surroundings, *, open_timeout: float, ssl: SSLContext | None = None
    ) -> None:
        self.origin, self.around = origin, around
        self.open_timeout = open_timeout
        self.ssl = ssl

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        at, started = self.around.clock.now(), perf_counter()
        await receive()  # websocket.connect
        request = request_from(scope, self.around.forwarding)
        refuse = self.around.ruling.refusal(request, self.around.forwarding.node)
        if refuse is not None:
            status = await _deny(scope, send, *refused(refuse))
            verdict = of_refusal(refuse, "")
        else:
            status = await self._tunnel(request, scope, receive, send)
            verdict = Verdict(Result.PASS, Reason.UPGRADE, "", fwd=Fwd.BYPASS, fwd_status=status)
        self.around.journal.record(Event(at, request, status, verdict, perf_counter() - started))

    async def _tunnel(self, request: Request, scope: Scope, receive: Receive, send: Send) -> int:
        """Run the tunnel to its end. Returns the status of the handshake."""
        try:
            connecting = self._connect(request, scope["subprotocols"])
            peer = await self.around.tasks.unless(_until_gone(receive), connecting)
        except InvalidStatus as answered:
            origin = answered.response
            fields = end_to_end(Headers.of(*origin.headers.raw_items()))
            return await _deny(scope, send, Response(origin.status_code, fields), bytes(origin.body or b""))
        except (OSError, InvalidHandshake, InvalidURI) as error:
            failure = translate(error) if isinstance(error, OSError) else _no_handshake(error)
            log.warning("WebSocket %s: %s", scope["path"], failure.detail)
            response, page = failed(str(failure.error), failure.status, failure.detail)
            return await _deny(scope, send, response, page)
        if peer is None:
            return CLIENT_CLOSED_REQUEST
        await self._join(peer, receive, send)
        return 101

    async def _connect(self, request: Request, subprotocols: list[str]) -> ClientConnection:
        head = outbound(request, self.around.forwarding)
        own = head.without(HANDSHAKE | {"host", "user-agent"})
        options: dict[str, Any] = {
            "additional_headers": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in own],
            "user_agent_header": head.get("user-agent"),
            "subprotocols": [Subprotocol(name) for name in subprotocols] or None,
            "open_timeout": self.open_timeout,
            "compression": None,
            "max_size": None,
            "ping_interval": None,
            "proxy": None,
        }
        scheme = "wss" if self.origin.scheme == "https" else "ws"
        uri = f"{scheme}://{head.get('host')}{request.target}"  # what Host shall say; where it goes stands below
        if self.origin.uds is not None:
            return await unix_connect(self.origin.uds, uri, **options)
        if scheme == "wss":
            options |= {"server_hostname": self.origin.host} | ({"ssl": self.ssl} if self.ssl is not None else {})
        return await connect(uri, host=self.origin.host, port=self.origin.port, **options)

    async def _join(self, peer: ClientConnection, receive: Receive, send: Send) -> None:
        assert peer.response is not None
        received = Headers.of(*peer.response.headers.raw_items())
        headers = end_to_end(received).without(HANDSHAKE | {"date", "server"}).pairs
        await send({"type": "websocket.accept", "subprotocol": peer.subprotocol, "headers": headers})
        try:
            await self.around.tasks.race(_from_client(receive, peer), _from_origin(peer, send))
        finally:
            await peer.close()


async def _until_gone(receive: Receive) -> None:
    """Wait until the client has left; before its handshake is answered it sends nothing else."""
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _from_client(receive: Receive, peer: ClientConnection) -> None:
    while True:
        message: Message = await receive()
        if message["type"] == "websocket.disconnect":
            code = message.get("code", 1005)
            # A client that just vanished has closed with nothing; the origin is told that it went away.
            await peer.close(1001 if code in UNSENDABLE else code, message.get("reason") or "")
            return
        text, data = message.get("text"), message.get("bytes") or b""
        try:
            await peer.send(data if text is None else text)
        except ConnectionClosed:
            return


async def _from_origin(peer: ClientConnection, send: Send) -> None:
    try:
        async for frame in peer:
            await send({"type": "websocket.send", **({"text": frame} if isinstance(frame, str) else {"bytes": frame})})
    except ConnectionClosed:
        pass
    except OSError:  # the client has gone first: nobody is left to tell
        return
    with suppress(OSError):
        await send({"type": "websocket.close", "code": _sendable(peer.close_code), "reason": peer.close_reason or ""})


def _sendable(code: int | None) -> int:
    """A close code that may stand in a frame: none at all is a normal end, a lost connection is an internal error."""
    if code == NO_CODE:
        return 1000
    return 1011 if code is None or code in UNSENDABLE else code


def _no_handshake(error: InvalidHandshake | InvalidURI) -> UpstreamError:
    return UpstreamError(ProxyError.HTTP_PROTOCOL_ERROR, f"the origin's answer is no WebSocket handshake: {error}")


async def _deny(scope: Scope, send: Send, response: Response, body: bytes) -> int:
    """Refuse the handshake with this response, where the server can (ASGI's denial response). Returns its status."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": POLICY, "reason": f"status {response.status}"})
        return response.status
    headers = response.headers.with_(("content-length", str(len(body))))
    await send({"type": "websocket.http.response.start", "status": response.status, "headers": headers.pairs})
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
    return response.status
