"""How an origin is written, and what is said when it is written wrong; every error has its status."""

from __future__ import annotations

import errno
import socket
import ssl

import httpx2
import pytest

from app.upstream import Origin, ProxyError, UpstreamError
from app.upstream.errors import translate


@pytest.mark.parametrize(
    ("value", "origin", "authority", "shown"),
    [
        ("http://localhost:3000", Origin("http", "localhost", 3000), "localhost:3000", "http://localhost:3000"),
        ("http://Example.com/", Origin("http", "example.com", 80), "example.com", "http://example.com"),
        ("http://a:443", Origin("http", "a", 443), "a:443", "http://a:443"),
        ("https://a:443", Origin("https", "a", 443), "a", "https://a"),
        ("https://a.example", Origin("https", "a.example", 443), "a.example", "https://a.example"),
        ("http://[::1]:8000", Origin("http", "::1", 8000), "[::1]:8000", "http://[::1]:8000"),
        ("unix:/run/a.sock", Origin("http", "localhost", 80, "/run/a.sock"), "localhost", "unix:/run/a.sock"),
        ("unix:///run/a.sock", Origin("http", "localhost", 80, "/run/a.sock"), "localhost", "unix:/run/a.sock"),
    ],
)
def test_origins(value: str, origin: Origin, authority: str, shown: str) -> None:
    assert Origin.parse(value) == origin
    assert (origin.authority, str(origin)) == (authority, shown)


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ("localhost:3000", "write http://localhost:3000"),
        ("example.com", "write http://example.com"),
        ("ftp://example.com/x", "write http://example.com"),
        ("http://", "write http://HOST:PORT"),
        ("", "write http://HOST:PORT"),
        ("http://a/base", "write http://a"),
        ("https://a:1/?q", "write https://a:1"),
        ("http://a:99999", "write http://HOST:PORT"),
        ("http://a:0", "write a port"),
        ("http://[::1", "write http://HOST:PORT"),
        ("unix:a.sock", "write unix:/path/to.sock"),
    ],
)
def test_a_wrong_origin_names_the_value_and_the_fix(value: str, fix: str) -> None:
    with pytest.raises(ValueError, match="origin") as caught:
        Origin.parse(value)
    assert repr(value) in str(caught.value)
    assert fix in str(caught.value)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="user name") as caught:
        Origin.parse("http://me:secret@a")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected", "status"),
    [
        (ssl.SSLCertVerificationError("x"), ProxyError.TLS_CERTIFICATE_ERROR, 502),
        (ssl.SSLError("x"), ProxyError.TLS_PROTOCOL_ERROR, 502),
        (socket.gaierror(-2, "x"), ProxyError.DNS_ERROR, 502),
        (ConnectionResetError(), ProxyError.CONNECTION_TERMINATED, 502),
        (TimeoutError(), ProxyError.CONNECTION_TIMEOUT, 504),
        (OSError(errno.ENETUNREACH, "x"), ProxyError.DESTINATION_IP_UNROUTABLE, 502),
        (PermissionError(), ProxyError.DESTINATION_UNAVAILABLE, 503),
        (httpx2.ConnectTimeout("x"), ProxyError.CONNECTION_TIMEOUT, 504),
        (httpx2.WriteTimeout("x"), ProxyError.CONNECTION_WRITE_TIMEOUT, 504),
        (httpx2.PoolTimeout("x"), ProxyError.CONNECTION_LIMIT_REACHED, 503),
        (httpx2.ConnectError("x"), ProxyError.DESTINATION_UNAVAILABLE, 503),
        (httpx2.ReadError("x"), ProxyError.CONNECTION_TERMINATED, 502),
        (httpx2.LocalProtocolError("x"), ProxyError.HTTP_REQUEST_ERROR, 400),
        (httpx2.UnsupportedProtocol("x"), ProxyError.DESTINATION_UNAVAILABLE, 503),
        (RuntimeError("x"), ProxyError.PROXY_INTERNAL_ERROR, 500),
    ],
)
def test_every_foreign_exception_has_a_meaning(error: Exception, expected: ProxyError, status: int) -> None:
    translated = translate(error)
    assert (translated.error, translated.status) == (expected, status)


@pytest.mark.parametrize("error", list(ProxyError))
def test_every_error_has_a_status_and_a_sentence(error: ProxyError) -> None:
    raised = UpstreamError(error)
    assert 400 <= raised.status <= 504
    assert raised.detail
    assert str(raised).startswith(f"{error.value}: ")
