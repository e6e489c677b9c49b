"""The admin side: who may use it, what it answers, and how it says no."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from app.admin.guard import admin_token, made_token
from app.asgi import Application, build
from app.clock import ManualClock
from app.settings import Settings, load_settings
from app.upstream.origin import Origin
from app.upstream.probe import failure_of
from tests.driver import Client, Received
from tests.origin import ScriptedOrigin

ELSEWHERE = "0.0.0.0:8081"
PAGES = {
    "/blog": {"headers": {"cache-control": "s-maxage=60, stale-while-revalidate=300", "etag": '"1"'}, "body": "post"},
    "/cart": {"headers": {"cache-control": "s-maxage=60", "set-cookie": "session=secret"}, "body": "cart"},
}


def load(**flags: str) -> Settings:
    return load_settings({"origin": "http://localhost:3000", "dialect": "standard", **flags}, {}, Path("/"))


class Running:
    """A cache with a scripted origin, spoken to in process."""

    def __init__(self, settings: Settings) -> None:
        origin = ScriptedOrigin()
        origin.script(PAGES)
        self.clock = ManualClock()
        self.application: Application = build(settings, clock=self.clock, transport=origin)
        self.site = Client(self.application.proxy)
        self.admin = Client(self.application.admin, host="localhost:8081")

    async def visit(self, target: str, **fields: str) -> Received:
        received = await self.site.request(
            "GET", target, [(name.replace("_", "-"), value) for name, value in fields.items()]
        )
        await self.application.around.tasks.drain(1)
        return received

    async def why(self, question: object) -> tuple[int, dict[str, Any]]:
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        received = await self.admin.request("POST", "/v1/why", body=body)
        return received.status, json.loads(received.body)


def run(conversation: Callable[[Running], Awaitable[None]], **flags: str) -> None:
    async def scene() -> None:
        await conversation(Running(load(**flags)))

    asyncio.run(scene())


def got(
    target: str, *fields: tuple[str, str], method: str = "GET", host: str = "localhost:8081", **flags: str
) -> Received:
    async def scene() -> Received:
        running = Running(load(**flags))
        running.admin.host = host
        return await running.admin.request(method, target, list(fields))

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
    async def conversation(running: Running) -> None:
        await running.visit("/blog")
        await running.visit("/blog")
        stats = json.loads((await running.admin.request("GET", "/v1/stats")).body)
        assert (stats["counters"]["requests"], stats["counters"]["results"]) == (2, {"miss": 1, "hit": 1})
        assert (stats["dialect"]["name"], stats["store"]["keys"], stats["flights"]["under_way"]) == ("standard", 1, 0)
        assert 0 < stats["store"]["size"] < stats["store"]["limit"]

    run(conversation)


# Why.


def test_why_a_page_is_stale() -> None:
    async def conversation(running: Running) -> None:
        await running.visit("/blog")
        running.clock.advance(137)
        status, found = await running.why({"url": "/blog"})
        assert status == 200
        assert found["because"].startswith("s-maxage=60 ended 1m17s ago")
        assert found["answer"]["result"] == "stale"
        assert found["says"] == {"x-cache": "STALE"}
        assert found["key"]["text"] == "GET http localhost:8080 /blog"
        assert (found["last_request"]["result"], found["last_request"]["ago"]) == ("miss", 137)
        assert found["in_flight"] is False

    run(conversation)


def test_why_is_no_request() -> None:
    async def conversation(running: Running) -> None:
        await running.visit("/blog")
        running.clock.advance(137)
        await running.why({"url": "/blog"})
        assert running.application.around.journal.counters.origin_requests.total() == 1
        assert running.application.around.journal.counters.requests == 1

    run(conversation)


def test_why_a_page_is_not_stored() -> None:
    async def conversation(running: Running) -> None:
        await running.visit("/cart")
        status, found = await running.why({"url": "/cart"})
        assert (status, found["says"], found["uncacheable"]) == (200, {}, True)
        assert found["last_answer"]["judgement"]["reason"] == "set-cookie"
        assert "secret" not in json.dumps(found)

    run(conversation, dialect="vercel")


def test_without_fields_the_last_such_request_is_explained() -> None:
    async def conversation(running: Running) -> None:
        await running.visit("/blog", cache_control="no-cache", authorization="Bearer secret")
        _, found = await running.why({"url": "/blog"})
        assert (found["request"]["as_last"], found["answer"]["judgement"]["reason"]) == (True, "request-no-cache")
        assert "secret" not in json.dumps(found)
        _, found = await running.why({"url": "/blog", "headers": [["accept", "text/html"]]})
        assert (found["request"]["as_last"], found["answer"]["judgement"]["reason"]) == (False, "fresh")
        _, found = await running.why({"url": "/blog", "method": "HEAD"})
        assert found["request"]["as_last"], "HEAD is answered from what GET has stored"
        _, found = await running.why({"url": "/blog", "method": "POST"})
        assert (found["request"]["as_last"], found["last_request"]) == (False, None)

    run(conversation)


@pytest.mark.parametrize(("question", "key"), [
    ({"url": "/a b?c=ü#d"},                                          "GET http localhost:8080 /a%20b?c=%C3%BC"),
    ({"url": "http://Shop.Example:80"},                              "GET http shop.example /"),
    ({"url": "shop.example:3000/a"},                                 "GET http shop.example:3000 /a"),
    ({"url": "https://shop.example/?q"},                             "GET https shop.example /?q"),
    ({"url": "/", "headers": [["Host", "Shop.Example"]]},            "GET http shop.example /"),
    ({"url": "http://a/", "headers": [["Host", "b"]]},               "GET http a /"),
    ({"url": "/", "headers": [["rsc", "1"]]},                        "GET http localhost:8080 / rsc=1"),
])  # fmt: skip
def test_which_key_is_asked_about(question: dict[str, Any], key: str) -> None:
    async def conversation(running: Running) -> None:
        status, found = await running.why(question)
        assert (status, found["key"]["text"]) == (200, key)

    run(conversation)


@pytest.mark.parametrize(("flags", "key"), [
    ({"listen": "127.0.0.1:9000"},   "GET http localhost:9000 /"),
    ({"listen": "0.0.0.0:9000"},     "GET http localhost:9000 /"),
    ({"listen": "192.0.2.1:9000"},   "GET http 192.0.2.1:9000 /"),
])  # fmt: skip
def test_a_path_is_of_the_site_itself(flags: dict[str, str], key: str) -> None:
    async def conversation(running: Running) -> None:
        assert (await running.why({"url": "/"}))[1]["key"]["text"] == key

    run(conversation, **flags)


def test_a_path_is_of_the_site_that_was_visited_last() -> None:
    async def conversation(running: Running) -> None:
        running.site.host = "shop.example"
        await running.visit("/blog")
        running.site.host = "not a host"
        await running.visit("/")
        assert (await running.why({"url": "/"}))[1]["key"]["text"] == "GET http shop.example /"
        assert (await running.why({"url": "/blog"}))[1]["answer"]["result"] == "hit"
        assert (await running.why({"url": "http://other/blog"}))[1]["answer"]["result"] is None

    run(conversation)


@pytest.mark.parametrize(("question", "words"), [
    (b"nothing",                                        "the body is not JSON"),
    (b"\xff",                                           "the body is not JSON"),
    ([],                                                "the body is a list"),
    ({"url": "/", "header": []},                        "header is unknown; did you mean headers?"),
    ({},                                                "url is missing"),
    ({"url": 1},                                        "url is 1"),
    ({"url": "blog"},                                   "'blog' is no URL"),
    ({"url": "ftp://a/"},                               "is no URL"),
    ({"url": "http://["},                               "is no URL"),
    ({"url": "http://me@a/"},                           "carries a user name"),
    ({"url": "http://ä/"},                              "is no host"),
    ({"url": "/", "method": "get"},                     "method 'get' is no method"),
    ({"url": "/", "method": 1},                         "method 1 is no method"),
    ({"url": "/", "headers": {}},                       "headers is a dict"),
    ({"url": "/", "headers": ["a"]},                    "'a' is no pair"),
    ({"url": "/", "headers": [["a", 1]]},               "is no pair"),
    ({"url": "/", "headers": [["a b", "c"]]},           "'a b' is no field name"),
    ({"url": "/", "headers": [["a", "b\nc"]]},          "has a character that no field carries"),
    ({"url": "/", "headers": [["a", "☃"]]},             "has a character that no field carries"),
    ({"url": "/", "headers": [["host", "a"], ["host", "b"]]}, "headers has 2 Host fields"),
])  # fmt: skip
def test_questions_that_cannot_be_asked(question: object, words: str) -> None:
    async def conversation(running: Running) -> None:
        status, problem = await running.why(question)
        assert (status, problem["title"]) == (400, "Bad Request")
        assert words in problem["detail"]

    run(conversation)


def test_a_question_that_is_too_long() -> None:
    async def conversation(running: Running) -> None:
        status, problem = await running.why({"url": "/" + "a" * 200_000})
        assert status == 413
        assert "larger" in problem["detail"]

    run(conversation)


# Errors.


def test_an_unknown_path() -> None:
    received = got("/v1/what")
    assert received.status == 404
    assert "/v1/why" in detail(received)


def test_a_method_that_a_path_has_not() -> None:
    received = got("/v1/why")
    assert (received.status, received.header("allow")) == (405, "POST")
    assert detail(received) == "GET is not for '/v1/why'; send POST"
