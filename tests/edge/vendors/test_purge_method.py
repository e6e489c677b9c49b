"""PURGE and BAN on the proxy's own port: what they purge, whom they obey, and when they are an origin's business."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.config_error import ConfigError
from app.core.reasons import Reason
from app.request_log import line_of
from app.settings import load_settings
from app.store.base import StoreError
from app.store.memory import MemoryStore
from tests.edge.vendors.call import Fields, Site, built, proxied, purged, settings
from tests.wired import WiredClient, WiredServer

HERE = "url example.com /a?x=1"
FOS = (("x-host", ".*"), ("x-url", ".*"), ("x-content-type", ".*"))


def fos(**named: str) -> Fields:
    """A ban as FOSHttpCache sends it: every field is there."""
    return tuple((name, named.get(name.replace("-", "_"), value)) for name, value in (*FOS, ("x-cache-tags", ".*")))


# fmt: off
ASKED: list[tuple[str, Fields, list[str]]] = [
    ("PURGE",     (),                                                 [f"delete {HERE}"]),
    ("PURGE",     (("fastly-soft-purge", "1"),),                      [f"invalidate {HERE}"]),
    ("PURGE",     (("xkey", "a b"),),                                 ["delete tag * a", "delete tag * b"]),
    ("PURGE",     (("xkey", "a, b"), ("xkey", "c")),                  [f"delete tag * {tag}" for tag in "abc"]),
    ("PURGE",     (("xkey-purge", "a"),),                             ["delete tag * a"]),
    ("PURGE",     (("xkey-softpurge", "a"),),                         ["invalidate tag * a"]),
    ("PURGEKEYS", (("xkey-softpurge", "a b"),),                       ["invalidate tag * a", "invalidate tag * b"]),
    ("PURGE",     (("x-magento-tags-pattern", r"((^|,)cat_p_1(,|$))|((^|,)cat_c(,|$))"),),
                                                                      ["delete tag * cat_p_1", "delete tag * cat_c"]),
    ("PURGE",     (("x-magento-tags-pattern", ".*"),),                ["delete all *"]),
    ("BAN",       (),                                                 [f"delete {HERE}"]),
    ("BAN",       (("x-ban-url", "/b"), ("x-ban-host", "h:80")),      ["delete url h /b"]),
    ("BAN",       (("x-ban-url", "/b?y=1.5"),),                       ["delete url * /b?y=1.5"]),
    ("BAN",       (("x-ban-url", "^/b$"),),                           ["delete url * /b"]),
    ("BAN",       (("x-ban-host", "h"),),                             ["delete host h"]),
    ("BAN",       (("cache-tags", "a"),),                             ["delete tag * a"]),
    ("BAN",       (("cache-tags", "a b,c|d"),),                       [f"delete tag * {tag}" for tag in "abcd"]),
    ("BAN",       fos(),                                              ["delete all *"]),
    ("BAN",       fos(x_url="/b"),                                    ["delete url * /b"]),
    ("BAN",       fos(x_host="^(h|i)$"),                              ["delete host h", "delete host i"]),
    ("BAN",       fos(x_host="^(h)$", x_url="/b"),                    ["delete url h /b"]),
    ("BAN",       fos(x_cache_tags=r"(^|,)(a\-1|b)(,|$)"),            ["delete tag * a-1", "delete tag * b"]),
    ("BAN",       fos(x_cache_tags=r"(a|b)(,.+)?$"),                  ["delete tag * a", "delete tag * b"]),
    ("BAN",       fos(x_cache_tags=r"(^|,)(a)(,|$)", x_host="^(h)$"), ["delete tag h a"]),
]

REFUSED: list[tuple[str, Fields, str]] = [
    ("PURGEKEYS", (),                                                 "names no keys"),
    ("BAN",       (("x-ban-url", "^/b"),),                            "'^/b' is a regular expression"),
    ("BAN",       (("x-ban-url", "/b/.*"),),                          "only exact matches are made"),
    ("BAN",       (("x-ban-url", r"/b\d"),),                          "is a regular expression"),
    ("BAN",       (("x-ban-url", "b"),),                              "begin it with /"),
    ("BAN",       (("x-ban-host", "a b"),),                           "no host"),
    ("BAN",       fos(x_cache_tags="(^|,)(a.*)(,|$)"),                "write the tag itself"),
    ("BAN",       fos(x_cache_tags="((^|,)a(,|$))|((^|,)b.+(,|$))"),  "is a regular expression"),
    ("BAN",       fos(x_cache_tags="a", x_url="/b"),                  "send one of them"),
    ("BAN",       fos(x_content_type="text/html"),                    "media type"),
]
# fmt: on


@pytest.mark.parametrize(("method", "fields", "wanted"), ASKED)
def test_a_request_purges(method: str, fields: Fields, wanted: list[str]) -> None:
    called = proxied(method, "/a?x=1", *fields)
    assert called.received.status == 200, called.received.body
    assert called.purged == wanted
    assert called.received.header("swerve-purged") == "0"


@pytest.mark.parametrize(("method", "fields", "words"), REFUSED)
def test_a_request_is_refused(method: str, fields: Fields, words: str) -> None:
    called = proxied(method, "/a?x=1", *fields)
    assert (called.received.status, called.purged) == (400, [])
    assert words in called.received.body.decode()


def test_a_purge_of_a_url_is_told_an_id_and_one_by_keys_how_many() -> None:
    assert proxied("PURGE", "/").json["status"] == "ok"
    assert proxied("PURGE", "/", ("xkey", "a")).received.body == b"Invalidated 0 objects\n"
    assert proxied("BAN", "/").received.body == b"Invalidated 0 objects\n"


# Who hears of them.


@pytest.mark.parametrize(("method", "fields", "status", "reason", "words"), [
    ("PURGE", (),                              200, Reason.PURGE,         "a purge was carried out"),
    ("PURGE", (("origin", "http://x.test"),),  403, Reason.PURGE_REFUSED, "web pages may not purge"),
    ("BAN",   (("x-ban-url", "^/b"),),         400, Reason.PURGE_REFUSED, "'^/b' is a regular expression"),
])  # fmt: skip
def test_each_is_on_the_log_with_a_reason(method: str, fields: Fields, status: int, reason: Reason, words: str) -> None:
    application = built(purge_method="open")
    with Site(application) as site:
        site.proxied(method, "/a?x=1", *fields)
    [event] = application.around.journal.events
    line = line_of(event, "standard")
    assert (line["method"], line["host"], line["path"]) == (method, "example.com", "/a?x=1")
    assert (line["status"], line["reason"], line["level"]) == (status, reason, "info" if status == 200 else "error")
    assert words in line["detail"]
    assert application.around.journal.counters.reasons == {reason: 1}


def test_what_the_store_does_not_acknowledge_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_store: object, _purge: object) -> int:
        raise StoreError("it is away")

    monkeypatch.setattr(MemoryStore, "purge", away)
    called = proxied("PURGE", "/")
    assert (called.received.status, called.purged) == (503, [])
    assert b"not acknowledged: it is away" in called.received.body


# Whom they obey.


@pytest.mark.parametrize(("fields", "status"), [
    ((), 401), ((("authorization", "Bearer other"),), 401), ((("x-purge-token", "\u00e9"),), 401),
    ((("authorization", "Bearer t0ken"),), 200), ((("fastly-key", "t0ken"),), 200),
    ((("x-purge-token", "t0ken"),), 200),
])  # fmt: skip
def test_with_a_token_only_who_shows_it(fields: Fields, status: int) -> None:
    called = proxied("PURGE", "/", *fields, purge_method="token", token="t0ken")
    assert (called.received.status, len(called.purged)) == (status, status == 200)


def test_web_pages_may_not() -> None:
    called = proxied("PURGE", "/", ("origin", "http://example.com"))
    assert (called.received.status, called.purged) == (403, [])


@pytest.mark.parametrize("host", ["", "a b", "a/b"])
def test_without_a_host_nothing_is_named(host: str) -> None:
    called = proxied("PURGE", "/", host=host)
    assert (called.received.status, called.purged) == (400, [])


def test_a_token_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="purge_method is token and there is no admin token"):
        settings(purge_method="token")
    made = {"origin": "http://localhost:3000", "purge_method": "token", "admin": "0.0.0.0:8081"}
    assert load_settings(made, {}, Path("/")).purge_method == "token"


def test_a_word_that_is_none_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="write one of off, open, token"):
        settings(purge_method="on")


# When they are an origin's business.


def test_they_are_passed_on_by_default() -> None:
    called = proxied("PURGE", "/a", purge_method="off")
    assert called.received.status == 404  # the scripted origin's
    assert called.purged == []


def test_other_methods_are_passed_on_always() -> None:
    assert proxied("GET", "/a").received.status == 404


@pytest.mark.parametrize(("method", "how", "status", "wanted"), [
    ("BAN", "open", 200, ["delete url example.com /a"]),
    ("PURGEKEYS", "open", 200, ["delete tag * a"]),
    ("PURGE", "open", 200, ["delete tag * a"]),
    ("BANG", "open", 400, []),
    ("BAN", "off", 400, []),
])  # fmt: skip
def test_our_server_reads_what_its_parser_does_not_know(method: str, how: str, status: int, wanted: list[str]) -> None:
    application = built(purge_method=how)

    async def scene() -> int:
        client = WiredClient(WiredServer(application, settings(purge_method=how)), host="example.com")
        fields = [] if method == "BAN" else [("xkey", "a")]
        return (await client.request(method, "/a", fields)).status

    assert asyncio.run(scene()) == status
    assert purged(application) == wanted
