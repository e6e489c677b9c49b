"""What is asked for is what the target and Host say, in each of their forms, or it is refused (RFC 9112 §3.2, §3.3)."""

from __future__ import annotations

import pytest

from tests.live.wire import ALSO_HERE, World, both_ways
from tests.live.wire_client import get

REFUSED = "400 open or 400 closed"
HIT = "200 HIT open"
H = 'key="GET http h /a"'

FORMS = {
    "origin-form": (get("/a"), HIT, H),
    "absolute-form": (get("http://h/a"), HIT, H),
    "absolute-form in capitals": (get("HTTP://H/a"), HIT, H),
    "absolute-form with the port": (get("http://h:80/a"), HIT, H),
    "absolute-form of another host": (get("http://other/a"), HIT, 'key="GET http other /a"'),
    "absolute-form of another port": (get("http://h:81/a"), HIT, 'key="GET http h:81 /a"'),
    "absolute-form of an address": (get("http://[::1]:81/a"), HIT, 'key="GET http [::1]:81 /a"'),
    "absolute-form without a path": (get("http://h"), HIT, 'key="GET http h /"'),
    "absolute-form without a path, with a query": (get("http://h?b"), HIT, 'key="GET http h /?b"'),
    "absolute-form with a query": (get("http://h/a?b=http://c/d"), HIT, 'key="GET http h /a?b=http://c/d"'),
    "absolute-form beside a Host that is none": (get("http://h/a", host="a b"), f"{HIT} or {REFUSED}", H),
    "absolute-form beside no Host": (get("http://h/a", host=None), REFUSED, ""),
    "absolute-form beside two Hosts": (get("http://h/a", "Host: h"), REFUSED, ""),
    "absolute-form with a user": (get("http://u:p@h/a"), REFUSED, ""),
    "absolute-form without a host": (get("http:///a"), REFUSED, ""),
    "absolute-form of a host that is none": (get("http://a,b/a"), REFUSED, ""),
    "absolute-form of a port that is none": (get("http://h:x/a"), REFUSED, ""),
    "absolute-form of another scheme": (get("ftp://h/a"), REFUSED, ""),
    "absolute-form of https, in the clear": (get("https://h/a"), f"{REFUSED} or 421 open", ""),  # RFC 9110 §7.4
    "absolute-form of a fragment": (get("http://h/a#b"), REFUSED, ""),
    "authority-form": (get("h:80"), REFUSED, ""),
    "no slash before the path": (get("a"), REFUSED, ""),
    "all there is": (get("*"), REFUSED, ""),
    "a fragment": (get("/a#b"), REFUSED, ""),
    "a fragment behind a query": (get("/a?b#c"), REFUSED, ""),
    "nothing but a fragment": (get("#b"), REFUSED, ""),
    "nothing but a query": (get("?b"), REFUSED, ""),
    "two slashes": (get("//h/a"), "404 open", 'key="GET http h //h/a"'),
    "dots": (get("/x/../a"), "404 open", 'key="GET http h /x/../a"'),
    "a percent-encoded letter": (get("/%61"), "404 open", 'key="GET http h /%61"'),
    "a percent sign alone": (get("/a%"), f"404 open or {REFUSED}", 'key="GET http h /a%"'),
    "a scheme in the path": (get("/http://other/a"), "404 open", 'key="GET http h /http://other/a"'),
    "a query": (get("/a?b"), HIT, 'key="GET http h /a?b"'),
    "a query with another in it": (get("/a?b?c"), HIT, 'key="GET http h /a?b?c"'),
}  # fmt: skip

HOSTS = {
    "its port": (get(host="h:80"), HIT, H),
    "in capitals": (get(host="H"), HIT, H),
    "another port": (get(host="h:81"), HIT, 'key="GET http h:81 /a"'),
    "an address": (get(host="[::1]"), HIT, 'key="GET http [::1] /a"'),
    "with white space around it": (get(host=" \t h \t "), HIT, H),
    "an empty port": (get(host="h:"), f"{HIT} or {REFUSED}", H),
    "none": (get(host=None), REFUSED, ""),
    "an empty one": (get(host=""), REFUSED, ""),
    "twice the same": (get("/a", "Host: h"), REFUSED, ""),
    "twice, in two places": (get("/a", "X: y", "host: h"), REFUSED, ""),
    "two that differ": (get("/a", "Host: other"), REFUSED, ""),
    "two in a list": (get(host="h, h"), REFUSED, ""),
    "two with a space": (get(host="a b"), REFUSED, ""),
    "with a path": (get(host="h/a"), REFUSED, ""),
    "with a query": (get(host="h?a"), REFUSED, ""),
    "with a fragment": (get(host="h#a"), REFUSED, ""),
    "with a user": (get(host="u@h"), REFUSED, ""),
    "with a scheme": (get(host="http://h"), REFUSED, ""),
    "with a port that is none": (get(host="h:x"), REFUSED, ""),
    "with a port that is too large": (get(host="h:65536"), REFUSED, ""),
    "an address without its end": (get(host="[::1"), REFUSED, ""),
    "beyond ASCII": (get(host="\xe4"), REFUSED, ""),
    "in quotes": (get(host='"h"'), REFUSED, ""),
    "a NUL": (get(host="h\0"), REFUSED, ""),
    "a name that only looks like it": (get("/a", "Hosts: h", host=None), REFUSED, ""),
}

OLD = {
    "with a Host": (get(version="1.0"), "200 HIT closed", H),
    "without a Host": (get(version="1.0", host=None), "200 HIT closed", 'key="GET http 127.0.0.1:PORT /a"'),
    "with an empty Host": (
        get(version="1.0", host=""), "200 HIT closed or 400 closed", 'key="GET http 127.0.0.1:PORT /a"',
    ),
    "with a Host that is none": (get(version="1.0", host="a b"), "400 closed", ""),
    "with two Hosts": (get("/a", "Host: h", version="1.0"), "400 closed", ""),
    "that would stay": (get("/a", "Connection: keep-alive", version="1.0"), "200 HIT closed or 200 HIT open", H),
    "HEAD": (get(version="1.0", method="HEAD"), "200 HIT closed", H),
}  # fmt: skip

TABLE = (
    {f"target: {name}": row for name, row in FORMS.items()}
    | {f"host: {name}": row for name, row in HOSTS.items()}
    | {f"HTTP/1.0: {name}": row for name, row in OLD.items()}
)
SITE = {path: {"headers": {"cache-control": "max-age=60"}, "body": path} for path in ("/", "/a?b", "/a?b?c")}


@both_ways(site=SITE)
@pytest.mark.parametrize(("data", "right", "key"), TABLE.values(), ids=TABLE)
async def test_what_is_asked_for(world: World, data: bytes, right: str, key: str) -> None:
    heard = await world.settled(data)
    assert heard.said(data.partition(b" ")[0].decode()) in right.split(" or ")
    (answer,) = heard.answers(data.partition(b" ")[0].decode())
    if answer.status < 400 or answer.status == 404:
        assert key in (answer.get("cache-status") or "").split("; ")
    cut = await world.told(data[:-2], data[-2:])
    assert cut == heard
    assert (await world.told(get())).said() == HIT


@both_ways()
async def test_the_host_of_an_absolute_form_goes_to_the_origin(world: World) -> None:
    await world.settled(get("http://other:81/a"))
    assert [request.headers["host"] for request in world.origin.requests] == ["other:81"]
    assert (await world.told(get(host="other:81"))).said() == HIT, "one response for both forms"
    assert (await world.told(get())).answers()[0].get("cache-status") != "other:81"


METHODS = {
    "CONNECT": (get("h:80", method="CONNECT"), "400 closed or 405 closed or 405 open"),
    "CONNECT with a path": (get("/a", method="CONNECT"), "400 closed or 405 closed or 405 open"),
    "TRACE": (get("/a", method="TRACE"), "405 open or 405 closed"),
    "OPTIONS of all": (get("*", method="OPTIONS"), "404 open"),
    "HEAD of all": (get("*", method="HEAD"), REFUSED),
    "OPTIONS that may go no further": (get("/a", "Max-Forwards: 0", method="OPTIONS"), "204 ERROR open"),
    "a method of WebDAV": (get("/a", method="PROPFIND"), "200 BYPASS open"),
    "DELETE": (get("/a", method="DELETE"), "200 BYPASS open"),
}


@both_ways()
@pytest.mark.parametrize(("data", "right"), METHODS.values(), ids=METHODS)
async def test_other_methods(world: World, data: bytes, right: str) -> None:
    method = data.partition(b" ")[0].decode()
    assert (await world.settled(data)).said(method) in right.split(" or ")
    assert (await world.told(get("/b"))).said() == HIT


@both_ways()
async def test_a_client_of_http_1_0_asks_the_address_that_it_called(world: World) -> None:
    request = get(version="1.0", host=None)
    first = await world.settled(request)
    async with world.calling(ALSO_HERE) as client:
        await client.send(request)
        other = await client.ends()
    assert b'key="GET http 127.0.0.1:PORT /a"' in first.data
    assert b'key="GET http 127.0.0.2:PORT /a"' in other.data
    assert other.said() == "200 MISS closed"
