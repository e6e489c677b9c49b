"""Code that purges at a CDN works here: each vendor's published client, its base URL changed, against a running Swerve.

Each row stores a page, has a client purge it, and looks at what the client returned, what the next visitor gets, and
that another page was left alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.live.node import need_node
from tests.live.vendors.clients import Clients, Failed, of_npm, of_pypi, running
from tests.live.vendors.rows import DELETED, FASTLY, HIT, NPM, PYPI, STALE, VERCEL, Page, Row
from tests.live.vendors.site import TOKEN, Seen, Site, site

pytestmark = pytest.mark.live

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def standard() -> Iterator[Site]:
    with site("--purge-method", "open", dialect="standard") as one:
        yield one


@pytest.fixture(scope="module")
def vercel() -> Iterator[Site]:
    with site(dialect="vercel") as one:
        yield one


@pytest.fixture(scope="module")
def npm(standard: Site) -> Iterator[Clients]:
    need_node()
    with running(of_npm(), standard.admin, standard.url, TOKEN) as clients:
        yield clients


@pytest.fixture(scope="module")
def npm_at_vercel(vercel: Site) -> Iterator[Clients]:
    need_node()
    with running(of_npm(), vercel.admin, vercel.url, TOKEN) as clients:
        yield clients


@pytest.fixture(scope="module")
def pypi(standard: Site) -> Iterator[Clients]:
    with running(of_pypi(), standard.admin, standard.url, TOKEN) as clients:
        yield clients


def purge(row: Row, where: Site, clients: Clients) -> tuple[Seen, Seen]:
    """The stored page, and what is seen of it after the purge."""
    page, other = Page(where, next(NUMBERS)), Page(where, next(NUMBERS))
    stored, _ = where.stored(page.path), where.stored(other.path)
    told = clients.call(row.name, **row.options(page))
    assert row.returned(told, page), told
    seen = where.visit(page.path)
    assert seen.why == row.then
    assert (seen.body == stored.body) == (row.then != DELETED)
    assert where.visit(other.path).why == (row.then if row.every else HIT)
    return stored, seen


def named(row: Row) -> str:
    return row.name


@pytest.mark.parametrize("row", NPM, ids=named)
def test_clients_of_npm(row: Row, standard: Site, npm: Clients) -> None:
    purge(row, standard, npm)


@pytest.mark.parametrize("row", PYPI, ids=named)
def test_clients_of_pypi(row: Row, standard: Site, pypi: Clients) -> None:
    purge(row, standard, pypi)


@pytest.mark.parametrize("row", VERCEL, ids=named)
def test_clients_of_vercel(row: Row, vercel: Site, npm_at_vercel: Clients) -> None:
    stored, seen = purge(row, vercel, npm_at_vercel)
    assert (stored.cache, seen.cache) == ("HIT", {STALE: "STALE", DELETED: "REVALIDATED"}[row.then])


# fmt: off
HABITS: list[tuple[str, Callable[[Page], dict[str, str]], str, str]] = [
    ("PURGE",     lambda _: {},                                                     DELETED, '"status": "ok"'),
    ("PURGE",     lambda page: {"xkey": f"{page.tag} none"},                        DELETED, "Invalidated 1 objects"),
    ("PURGE",     lambda page: {"xkey_softpurge": page.tag},                        STALE,   "Invalidated 1 objects"),
    ("PURGEKEYS", lambda page: {"xkey_softpurge": page.tag},                        STALE,   "Invalidated 1 objects"),
    ("BAN",       lambda _: {},                                                     DELETED, "Invalidated 1 objects"),
    ("BAN",       lambda page: {"x_ban_url": page.path},                            DELETED, "Invalidated 1 objects"),
    ("BAN",       lambda page: {"x_host": ".*", "x_url": ".*", "x_cache_tags": f"(^|,)({page.tag}|none)(,|$)"},
                                                                                    DELETED, "Invalidated 1 objects"),
]
# fmt: on


@pytest.mark.parametrize(("method", "fields", "then", "told"), HABITS)
def test_what_is_customary_in_front_of_varnish(
    method: str, fields: Callable[[Page], dict[str, str]], then: str, told: str, standard: Site
) -> None:
    """As PHP applications send it, whose clients are none of npm and PyPI."""
    page, other = Page(standard, next(NUMBERS)), Page(standard, next(NUMBERS))
    standard.stored(page.path), standard.stored(other.path)
    status, body, _ = standard.ask(method, page.path, **fields(page))
    assert (status, told in body) == (200, True)
    assert (standard.visit(page.path).why, standard.visit(other.path).why) == (then, HIT)


def test_a_regular_expression_is_refused_in_words(standard: Site) -> None:
    page = Page(standard, next(NUMBERS))
    standard.stored(page.path)
    status, body, _ = standard.ask("BAN", "/", x_url=f"^/{page.number}/")
    assert (status, "only exact matches are made" in body) == (400, True)
    assert standard.visit(page.path).why == HIT


def test_the_proxys_own_port_asks_for_the_token_where_it_is_told_to() -> None:
    with site("--purge-method", "token", dialect="standard") as guarded:
        page = Page(guarded, next(NUMBERS))
        guarded.stored(page.path)
        assert guarded.ask("PURGE", page.path)[0] == 401
        assert guarded.visit(page.path).why == HIT
        assert guarded.ask("PURGE", page.path, x_purge_token=TOKEN)[0] == 200
        assert guarded.visit(page.path).why == DELETED


def test_a_soft_purge_is_refreshed_behind_the_visitor(standard: Site, npm: Clients) -> None:
    _, seen = purge(FASTLY[1], standard, npm)
    path = seen.body.split()[0]
    for _ in range(500):
        if (fresh := standard.visit(path)).why == HIT:
            break
    assert fresh.body == f"{path} 2"


def test_images_made_from_a_source(vercel: Site, npm_at_vercel: Clients) -> None:
    source, other = (f"/_next/image?url=%2F{name}.png" for name in ("a", "b"))
    paths = [source + "&w=640&q=75", source + "&w=1080&q=75", other + "&w=640&q=75"]
    for path in paths * 2:
        vercel.visit(path)
    npm_at_vercel.call("vercel images", srcImages=["/a.png"])
    assert [vercel.visit(path).why for path in paths] == [DELETED, DELETED, HIT]


def test_an_invalidation_is_found_again(npm: Clients) -> None:
    made = npm.call("cloudfront create", reference="again", items=["/a", "/b*"])["Invalidation"]
    assert npm.call("cloudfront get", id=made["Id"])["Invalidation"] == made
    listed = npm.call("cloudfront list")["InvalidationList"]
    assert listed["Items"][0] == {name: made[name] for name in ("Id", "CreateTime", "Status")}
    assert npm.call("cloudfront create", reference="again", items=["/a", "/b*"])["Invalidation"] == made


# fmt: off
REFUSED = [
    ("fastly key",         {"surrogate_key": "a b"},                         400, "no key has a space"),
    ("cloudflare purge",   {"tags": []},                                     400, "1012"),
    ("cloudflare purge",   {"files": ["/a"]},                                400, "which is no URL"),
    ("netlify api",        {"cache_tag": ["a"]},                             400, "did you mean cache_tags?"),
    ("netlify purge",      {"domain": "a b"},                                None, "400"),
    ("vercel delete",      {"tags": ["a"] * 17},                             400, "send at most 16"),
    ("cloudfront create",  {"reference": "r", "items": ["a"]},               400, "InvalidArgument"),
    ("cloudfront get",     {"id": "I0"},                                     404, "NoSuchInvalidation"),
    ("akamai",             {"path": "/ccu/v3/delete/tag/production", "objects": []}, 400, "objects is empty"),
]
# fmt: on


@pytest.mark.parametrize(("name", "options", "status", "words"), REFUSED)
def test_what_a_client_shows_when_it_is_refused(
    name: str, options: dict[str, Any], status: int | None, words: str, npm: Clients
) -> None:
    with pytest.raises(Failed) as failed:
        npm.call(name, **options)
    assert failed.value.status == status
    assert words in str(failed.value)


def test_a_client_is_told_to_slow_down(npm: Clients) -> None:
    for _ in range(2):
        npm.call("netlify purge", tags=["often"])
    with pytest.raises(Failed, match="429"):
        npm.call("netlify purge", tags=["often"])


STRANGERS: list[tuple[str, dict[str, Any]]] = [
    ("fastly all", {}),
    ("cloudflare purge", {"tags": ["a"]}),
    ("cloudflare environment", {"tags": ["a"]}),
    ("netlify purge", {}),
    ("vercel invalidate", {"tags": ["a"]}),
    ("cloudfront list", {}),
    ("akamai", {"path": "/ccu/v3/delete/tag/staging", "objects": ["a"]}),
]


def test_clients_without_the_token_are_refused(standard: Site) -> None:
    need_node()
    with running(of_npm(), standard.admin, standard.url, "another") as strangers:
        for name, options in STRANGERS:
            with pytest.raises(Failed) as failed:
                strangers.call(name, **options)
            assert "401" in f"{failed.value.status} {failed.value}"
