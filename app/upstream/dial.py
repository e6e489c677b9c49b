"""Open one connection: the name resolved anew, every address tried in turn, TLS verified (RFC 9110 §4.3)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

from app.upstream.connection import Connection
from app.upstream.errors import ProxyError, UpstreamError, translate
from app.upstream.origin import Origin


class Dialler:
    """`verify`: the system's certificate authorities, none at all, or a context of the caller's."""

    def __init__(self, origin: Origin, verify: bool | ssl.SSLContext) -> None:
        self._origin = origin
        self._tls = _context(verify) if origin.scheme == "https" else None

    async def __call__(
        self, released: Callable[[Connection], None], lost: Callable[[Connection], None], seconds: float | None
    ) -> Connection:
        """Raises UpstreamError. `seconds` is for all of it: name, addresses, TLS."""
        stage = ProxyError.DNS_TIMEOUT
        try:
            async with asyncio.timeout(seconds):
                if self._origin.uds is not None:
                    stage = ProxyError.CONNECTION_TIMEOUT
                    return await self._unix(self._origin.uds, lambda: Connection(released, lost))
                addresses = await self._resolve()
                stage = ProxyError.CONNECTION_TIMEOUT
                return await self._first(addresses, lambda: Connection(released, lost))
        except TimeoutError as error:
            raise UpstreamError(stage) from error
        except (OSError, UnicodeError) as error:
            raise translate(error) from error

    async def _resolve(self) -> list[tuple[str, int]]:
        """Addresses in the system's order. Our own loop over them, because create_connection's error for several
        addresses has no type left ("Multiple exceptions: …"), and `localhost` has two."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._origin.host, self._origin.port, type=socket.SOCK_STREAM)
        return [(str(address[0]), int(address[1])) for *_, address in found]

    async def _first(self, addresses: list[tuple[str, int]], factory: Callable[[], Connection]) -> Connection:
        failure: OSError = socket.gaierror("it has no address")
        name = self._origin.host if self._tls is not None else None
        for host, port in addresses:
            try:
                return await self._tcp(host, port, name, factory)
            except ssl.SSLError:
                raise  # somebody is there: another address would only hide what is wrong
            except OSError as error:
                failure = error
        raise failure

    async def _tcp(self, host: str, port: int, name: str | None, factory: Callable[[], Connection]) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(factory, host, port, ssl=self._tls, server_hostname=name)
        return connection

    async def _unix(self, path: str, factory: Callable[[], Connection]) -> Connection:
        _, connection = await asyncio.get_running_loop().create_unix_connection(factory, path)
        return connection


def _context(verify: bool | ssl.SSLContext) -> ssl.SSLContext:
    if isinstance(verify, ssl.SSLContext):
        return verify
    context = ssl.create_default_context() if verify else unverified()
    context.set_alpn_protocols(["http/1.1"])
    return context


def unverified() -> ssl.SSLContext:
    """For an origin whose certificate is not checked, because the operator said so."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
