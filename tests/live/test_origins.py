"""The real origins answer as later tests rely on: what each says about caching, before Swerve is in front."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import httpx2
import pytest

from tests.live import node
from tests.live.origins import Origin, next_app, third_app, vite_app

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def next_origin() -> Iterator[Origin]:
    yield from _started(next_app())


def _started(app: AbstractContextManager[Origin]) -> Iterator[Origin]:
    node.need_node()
    with app as origin:
        yield origin


@pytest.mark.parametrize(
    ("path", "control"),
    [
        ("/", "s-maxage=31536000"),
        ("/isr", "s-maxage=2, stale-while-revalidate=31535998"),
        ("/dynamic", "private, no-cache, no-store, max-age=0, must-revalidate"),
        ("/api/time", "s-maxage=2, stale-while-revalidate=10"),
        ("/api/cookie", "s-maxage=60"),
    ],
)
def test_next_says_how_long(next_origin: Origin, path: str, control: str) -> None:
    response = httpx2.get(next_origin.url + path)
    assert response.status_code == 200
    assert response.headers["cache-control"] == control


def test_vite_serves_the_client_that_reloads() -> None:
    for origin in _started(vite_app()):
        page = httpx2.get(origin.url + "/")
        assert "/@vite/client" in page.text
        assert "import.meta.hot" in httpx2.get(origin.url + "/main.js").text
        assert httpx2.get(origin.url + "/@vite/client").status_code == 200


def test_a_static_server_has_validators() -> None:
    for origin in _started(third_app()):
        response = httpx2.get(origin.url + "/style.css")
        assert response.headers["cache-control"] == "public, max-age=60"
        assert response.headers["etag"]
