"""The admin side: who may use it, what it answers, and how it says no."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import Message

from app.admin.guard import admin_token, made_token
from app.asgi import build
from app.clock import ManualClock
from app.settings import Settings, load_settings
from app.upstream.origin import Origin
from app.upstream.probe import failure_of
from tests.driver import Client, Received
from tests.edge.administered import Administered, run
from tests.origin import ScriptedOrigin

ELSEWHERE = "0.0.0.0:8081"


def load(**flags: str) -> Settings:
    return load_settings({"origin": "http://localhost:3000", "dialect": "standard", **flags}, {}, Path("/"))


def got(
    target: str, *fields: tuple[str, str], method: str = "GET", host: str = "localhost:8081", **flags: str
) -> Received:
    async def scene() -> Received:
        application = build(load(**flags), clock=ManualClock(), transport=ScriptedOrigin())
        return await Client(application.admin, host=host).request(method, target, list(fields))

    return asyncio.run(scene())


def detail(received: Received) -> str:
    assert received.header("content-type") == "application/problem+json"
    problem = json.loads(received.body)
    assert problem["status"] == received.status
    return str(problem["detail"])


# Who may use it.


@pytest.mark.parametrize(
    "host", ["localhost:8081", "localhost", "127.0.0.1:8081", "[::1]:9", "LOCALHOST:1", "127.1.2.3"]
)
def test_loopback_needs_no_token(host: str) -> None:
    assert got("/version", host=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.0.2.1:8081", "", "[::1", "127.0.0.1.nip.io"]
)
def test_a_rebound_name_is_refused(host: str) -> None:
    received = got("/healthz", host=host)
    assert received.status == 403
    assert "Host" in detail(received)


def test_two_hosts_are_refused() -> None:
    assert got("/version", ("host", "localhost")).status == 403


@pytest.mark.parametrize(("origin", "status"), [
    ("http://localhost:3000", 200), ("http://[::1]:1", 200), ("https://evil.example", 403), ("null", 403),
    ("http://[", 403),
])  # fmt: skip
def test_pages_of_this_machine_only(origin: str, status: int) -> None:
    assert got("/version", ("origin", origin)).status == status


def test_elsewhere_a_token_is_needed() -> None:
    received = got("/v1/stats", admin=ELSEWHERE, host="192.0.2.1:8081")
    assert (received.status, received.header("www-authenticate")) == (401, 'Bearer realm="swerve"')
    assert "SWERVE_ADMIN_TOKEN" in detail(received)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_token(path: str) -> None:
    assert got(path, admin=ELSEWHERE, host="192.0.2.1").status == 200


@pytest.mark.parametrize(("value", "status"), [
    ("Bearer pass", 200), ("bearer  pass", 200), ("Bearer wrong", 401), ("Bearer", 401), ("Basic pass", 401),
    ("Bearer \xe9", 401),
])  # fmt: skip
def test_the_bearer_token(value: str, status: int) -> None:
    received = got("/version", ("authorization", value), admin=ELSEWHERE, host="a", admin_token="pass")
    assert received.status == status


def test_a_token_is_asked_for_on_loopback_once_there_is_one() -> None:
    assert got("/version", admin_token="pass").status == 401
    assert got("/version", ("authorization", "Bearer pass"), admin_token="pass").status == 200


def test_the_link_becomes_a_cookie() -> None:
    received = got("/v1/stats?a=1&token=pass&b=", admin=ELSEWHERE, host="a", admin_token="pass")
    assert (received.status, received.header("location")) == (303, "/v1/stats?a=1&b=")
    cookie = received.header("set-cookie") or ""
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert "pass" not in cookie

    pair = cookie.partition(";")[0]
    for fields, status in (
        ([("cookie", f"x=y; {pair}")], 200),
        ([("cookie", pair), ("origin", "http://a")], 200),
        ([("cookie", pair), ("origin", "http://b")], 401),
        ([("cookie", f"{pair}0")], 401),
    ):
        assert got("/version", *fields, admin=ELSEWHERE, host="a", admin_token="pass").status == status


def test_the_link_leads_nowhere_else() -> None:
    received = got("//evil.example/%0d?token=pass", admin=ELSEWHERE, host="a", admin_token="pass")
    assert received.header("location") == "/evil.example/%250d"


@pytest.mark.parametrize(("method", "target"), [("GET", "/version?token=wrong"), ("POST", "/v1/why?token=pass")])
def test_a_link_that_does_not_open(method: str, target: str) -> None:
    assert got(target, method=method, admin=ELSEWHERE, host="a", admin_token="pass").status == 401


def test_which_token() -> None:
    made = made_token(load(admin=ELSEWHERE))
    assert made is not None
    assert len(made) >= 32
    assert admin_token(load(admin=ELSEWHERE)) == made == made_token(load(admin=ELSEWHERE))
    assert (made_token(load()), admin_token(load())) == (None, None)
    assert (
        made_token(load(admin=ELSEWHERE, admin_token="x")),
        admin_token(load(admin=ELSEWHERE, admin_token="x")),
    ) == (None, "x")
    assert build(load(admin=ELSEWHERE), transport=ScriptedOrigin()).made_token == made


@pytest.mark.parametrize(("protocol", "arriving", "answers"), [
    ("websocket", ["connect"],              ["close"]),
    ("lifespan",  ["startup", "shutdown"],  ["startup.complete", "shutdown.complete"]),
])  # fmt: skip
def test_what_is_not_http(protocol: str, arriving: list[str], answers: list[str]) -> None:
    messages, sent = iter(arriving), []

    async def receive() -> Message:
        return {"type": f"{protocol}.{next(messages)}"}

    async def send(message: Message) -> None:
        sent.append(message["type"].removeprefix(f"{protocol}."))

    async def scene() -> None:
        await build(load(), transport=ScriptedOrigin()).admin({"type": protocol, "state": {}}, receive, send)

    asyncio.run(scene())
    assert sent == answers


# Health.


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_alive() -> None:
    received = got("/healthz")
    assert (received.status, received.header("cache-control")) == (200, "no-store")


def test_ready_with_an_origin(listening: socket.socket) -> None:
    received = got("/readyz?origin=1", origin=f"http://127.0.0.1:{listening.getsockname()[1]}")
    assert received.status == 200
    assert json.loads(received.body)["origin"]["reachable"] is True


def test_ready_without_an_origin(listening: socket.socket) -> None:
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    received = got("/readyz", origin=address)
    assert (received.status, json.loads(received.body)["ready"]) == (200, True)
    asked = got("/readyz?origin=1", origin=address)
    state = json.loads(asked.body)
    assert (asked.status, state["ready"], state["origin"]["address"]) == (503, False, address)
    assert "refused the connection" in state["origin"]["detail"]


def test_ready_over_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "o.sock"
    origin = Origin.parse(f"unix:{path}")
    assert asyncio.run(failure_of(origin, 1.0)) is not None
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert asyncio.run(failure_of(origin, 1.0)) is None


# Counters.


def test_stats() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/blog")
        stats = await site.told("GET", "/v1/stats")
        assert (stats["counters"]["requests"], stats["counters"]["results"]) == (2, {"miss": 1, "hit": 1})
        assert (stats["dialect"]["name"], stats["store"]["keys"], stats["flights"]["under_way"]) == ("standard", 1, 0)
        assert 0 < stats["store"]["size"] < stats["store"]["limit"]

    run(talk)


# Errors.


def test_an_unknown_path() -> None:
    received = got("/v1/what")
    assert received.status == 404
    assert "/v1/why" in detail(received)


def test_a_method_that_a_path_has_not() -> None:
    received = got("/v1/why")
    assert (received.status, received.header("allow")) == (405, "POST")
    assert detail(received) == "GET is not for '/v1/why'; send POST"
