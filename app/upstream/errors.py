"""What can go wrong on the way to the origin, in the words of RFC 9209 §2.3; other libraries' words end here."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum

import httptools
import httpx2


class ProxyError(StrEnum):
    """Proxy error types (RFC 9209 §2.3), the ones that we can tell apart."""

    DNS_TIMEOUT = "dns_timeout"
    DNS_ERROR = "dns_error"
    DESTINATION_UNAVAILABLE = "destination_unavailable"
    DESTINATION_IP_UNROUTABLE = "destination_ip_unroutable"
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_TERMINATED = "connection_terminated"
    CONNECTION_TIMEOUT = "connection_timeout"
    CONNECTION_READ_TIMEOUT = "connection_read_timeout"
    CONNECTION_WRITE_TIMEOUT = "connection_write_timeout"
    CONNECTION_LIMIT_REACHED = "connection_limit_reached"
    TLS_PROTOCOL_ERROR = "tls_protocol_error"
    TLS_CERTIFICATE_ERROR = "tls_certificate_error"
    HTTP_REQUEST_ERROR = "http_request_error"
    HTTP_RESPONSE_INCOMPLETE = "http_response_incomplete"
    HTTP_RESPONSE_TIMEOUT = "http_response_timeout"
    HTTP_PROTOCOL_ERROR = "http_protocol_error"
    PROXY_INTERNAL_ERROR = "proxy_internal_error"


# The status that RFC 9209 §2.3 recommends, and a sentence for people.
_MEANING: dict[ProxyError, tuple[int, str]] = {
    ProxyError.DNS_TIMEOUT: (504, "resolving the origin's name took too long"),
    ProxyError.DNS_ERROR: (502, "the origin's name cannot be resolved"),
    ProxyError.DESTINATION_UNAVAILABLE: (503, "the origin cannot be reached"),
    ProxyError.DESTINATION_IP_UNROUTABLE: (502, "there is no route to the origin"),
    ProxyError.CONNECTION_REFUSED: (502, "the origin refused the connection"),
    ProxyError.CONNECTION_TERMINATED: (502, "the origin closed the connection before it answered"),
    ProxyError.CONNECTION_TIMEOUT: (504, "connecting to the origin took too long"),
    ProxyError.CONNECTION_READ_TIMEOUT: (504, "the origin stopped sending in the middle of its response"),
    ProxyError.CONNECTION_WRITE_TIMEOUT: (504, "the origin stopped reading in the middle of the request"),
    ProxyError.CONNECTION_LIMIT_REACHED: (503, "every connection to the origin stayed busy for too long"),
    ProxyError.TLS_PROTOCOL_ERROR: (502, "TLS with the origin failed"),
    ProxyError.TLS_CERTIFICATE_ERROR: (502, "the origin's certificate cannot be verified"),
    ProxyError.HTTP_REQUEST_ERROR: (400, "the request cannot be sent on"),
    ProxyError.HTTP_RESPONSE_INCOMPLETE: (502, "the origin closed the connection in the middle of its response"),
    ProxyError.HTTP_RESPONSE_TIMEOUT: (504, "the origin took too long to answer"),
    ProxyError.HTTP_PROTOCOL_ERROR: (502, "the origin's response is not valid HTTP"),
    ProxyError.PROXY_INTERNAL_ERROR: (500, "the proxy is closing"),
}


class UpstreamError(Exception):
    """The origin gave no usable answer. `status` is what to tell the client, `detail` a short sentence why.

    `detail` may name addresses and what a library said; it never holds fields or content of a message.
    """

    def __init__(self, error: ProxyError, cause: str = "") -> None:
        self.error = error
        self.status, sentence = _MEANING[error]
        self.detail = f"{sentence}: {cause}" if cause else sentence
        super().__init__(f"{error}: {self.detail}")


# The first row that fits wins: special before general (SSLError, gaierror and TimeoutError are all OSErrors).
_TRANSLATIONS: tuple[tuple[type[BaseException], ProxyError], ...] = (
    (ssl.SSLCertVerificationError, ProxyError.TLS_CERTIFICATE_ERROR),
    (ssl.SSLError, ProxyError.TLS_PROTOCOL_ERROR),
    (socket.gaierror, ProxyError.DNS_ERROR),
    (UnicodeError, ProxyError.DNS_ERROR),  # a name that IDNA cannot encode
    (ConnectionRefusedError, ProxyError.CONNECTION_REFUSED),
    (FileNotFoundError, ProxyError.CONNECTION_REFUSED),  # a unix socket that nobody has made
    (ConnectionError, ProxyError.CONNECTION_TERMINATED),
    (TimeoutError, ProxyError.CONNECTION_TIMEOUT),
    (OSError, ProxyError.DESTINATION_UNAVAILABLE),
    (httptools.HttpParserUpgrade, ProxyError.HTTP_PROTOCOL_ERROR),
    (httptools.HttpParserError, ProxyError.HTTP_PROTOCOL_ERROR),
    (httpx2.ConnectTimeout, ProxyError.CONNECTION_TIMEOUT),
    (httpx2.ReadTimeout, ProxyError.CONNECTION_READ_TIMEOUT),
    (httpx2.WriteTimeout, ProxyError.CONNECTION_WRITE_TIMEOUT),
    (httpx2.PoolTimeout, ProxyError.CONNECTION_LIMIT_REACHED),
    (httpx2.ConnectError, ProxyError.DESTINATION_UNAVAILABLE),
    (httpx2.NetworkError, ProxyError.CONNECTION_TERMINATED),
    (httpx2.LocalProtocolError, ProxyError.HTTP_REQUEST_ERROR),
    (httpx2.ProtocolError, ProxyError.HTTP_PROTOCOL_ERROR),
    (httpx2.TransportError, ProxyError.DESTINATION_UNAVAILABLE),
)
_UNROUTABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}


def translate(error: BaseException, default: ProxyError = ProxyError.PROXY_INTERNAL_ERROR) -> UpstreamError:
    """What an operating system's or a library's exception means here; `default` if no row of the table knows it."""
    if isinstance(error, UpstreamError):
        return error
    for cause in _origins_of(error):
        if isinstance(cause, OSError) and cause.errno in _UNROUTABLE:
            return UpstreamError(ProxyError.DESTINATION_IP_UNROUTABLE, str(cause))
        for kind, meaning in _TRANSLATIONS:
            if isinstance(cause, kind):
                return UpstreamError(meaning, str(cause))
    return UpstreamError(default, str(error))


def _origins_of(error: BaseException) -> Iterator[BaseException]:
    """The error, after what caused it when the error is only a connect failure of another library.

    httpx2 says ConnectError for a bad name, a bad certificate and a refused connection: its cause knows which.
    """
    if isinstance(error, httpx2.ConnectError):
        causes: list[BaseException] = [error]
        while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
            causes.append(cause)
        yield from (cause for cause in reversed(causes) if isinstance(cause, OSError | UnicodeError))
    yield error
