"""The admin token is taken from where the clients of vendors carry theirs."""

from __future__ import annotations

import pytest

from tests.edge.vendors.call import call

TOKEN = "s3cret"
EG1 = (
    "EG1-HMAC-SHA256 client_token={client};access_token={access};timestamp=20261125T04:10:52+0000;nonce=n;signature=s="
)
AWS4 = "AWS4-HMAC-SHA256 Credential={key}/20261125/us-east-1/cloudfront/aws4_request, SignedHeaders=host, Signature=s"


@pytest.mark.parametrize(("name", "value"), [
    ("authorization", f"Bearer {TOKEN}"),
    ("authorization", f"bearer  {TOKEN} "),
    ("authorization", EG1.format(client="any", access=TOKEN)),
    ("authorization", AWS4.format(key=TOKEN)),
    ("fastly-key", TOKEN),
    ("x-auth-key", TOKEN),
])  # fmt: skip
def test_who_shows_the_token_is_let_in(name: str, value: str) -> None:
    assert call("POST", "/service/S/purge_all", (name, value), token=TOKEN).purged == ["delete all *"]


@pytest.mark.parametrize(("name", "value"), [
    ("authorization", "Bearer other"),
    ("authorization", f"Basic {TOKEN}"),
    ("authorization", TOKEN),
    ("authorization", EG1.format(client=TOKEN, access="other")),
    ("authorization", AWS4.format(key="other")),
    ("authorization", AWS4.format(key="other").replace("us-east-1", TOKEN)),
    ("fastly-key", "other"),
    ("fastly-key", ""),
    ("x-auth-email", TOKEN),
    ("x-purge-token", TOKEN),
    ("fastly-key", "\u00e9"),
])  # fmt: skip
def test_who_does_not_is_not(name: str, value: str) -> None:
    called = call("POST", "/service/S/purge_all", (name, value), token=TOKEN)
    assert (called.received.status, called.purged) == (401, [])


def test_a_page_of_another_site_is_not() -> None:
    called = call("POST", "/service/S/purge_all", ("origin", "https://evil.example"))
    assert (called.received.status, called.purged) == (403, [])
