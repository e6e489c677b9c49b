"""Where a running Swerve is found."""

import pytest

from app.admin_client import AdminAddressError, admin_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("127.0.0.1:8081",      "http://127.0.0.1:8081"),
        ("0.0.0.0:8081",        "http://127.0.0.1:8081"),
        ("[::]:8081",           "http://[::1]:8081"),
        (":9",                  "http://127.0.0.1:9"),
        ("swerve:8081",         "http://swerve:8081"),
        ("https://a.test/x/",   "https://a.test/x"),
    ],
)  # fmt: skip
def test_where_the_admin_side_is(text: str, url: str) -> None:
    assert admin_url(text) == url


def test_an_admin_side_without_a_host() -> None:
    with pytest.raises(AdminAddressError, match="names no host"):
        admin_url("http:///x")
