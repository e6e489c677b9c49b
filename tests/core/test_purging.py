"""What purges name, and what they are called."""

from __future__ import annotations

import pytest

from app.core.purge_log import PurgeLog
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector, paths_of, without_flight
from tests.core.build import row, stored

KEY = "GET http example.com /blog/post?page=2 rsc=1"
TAGS = ("a", "b c")


def by(kind: Kind, value: str = "", host: str | None = None) -> Selector:
    return Selector(kind, value, host)


NAMED = [
    #                                       selector                                           selects
    row("everything",                       EVERYTHING,                                        True),
    row("its host",                         by(Kind.HOST, host="example.com"),                 True),
    row("another host",                     by(Kind.HOST, host="example.org"),                 False),
    row("its URL",                          by(Kind.URL, "/blog/post?page=2", "example.com"),  True),
    row("its URL at any host",              by(Kind.URL, "/blog/post?page=2"),                 True),
    row("its URL at another host",          by(Kind.URL, "/blog/post?page=2", "example.org"),  False),
    row("its URL, as a payload of the page", by(Kind.URL, "/blog/post?page=2&_rsc=x"),         True),
    row("another query",                    by(Kind.URL, "/blog/post?page=3"),                 False),
    row("a URL without its query",          by(Kind.URL, "/blog/post"),                        False),
    row("its path",                         by(Kind.PATH, "/blog/post"),                       True),
    row("its path at its host",             by(Kind.PATH, "/blog/post", "example.com"),        True),
    row("its path at another host",         by(Kind.PATH, "/blog/post", "example.org"),        False),
    row("a path above",                     by(Kind.PATH, "/blog"),                            False),
    row("a prefix",                         by(Kind.PREFIX, "/blog"),                          True),
    row("a prefix at its host",             by(Kind.PREFIX, "/blog/", "example.com"),          True),
    row("a prefix at another host",         by(Kind.PREFIX, "/blog", "example.org"),           False),
    row("a prefix that reaches into the query", by(Kind.PREFIX, "/blog/post?p"),               True),
    row("no prefix of it",                  by(Kind.PREFIX, "/blog/posts"),                    False),
    row("a tag",                            by(Kind.TAG, "a"),                                 True),
    row("a tag with a space",               by(Kind.TAG, "b c"),                               True),
    row("a tag at its host",                by(Kind.TAG, "a", "example.com"),                  True),
    row("a tag at another host",            by(Kind.TAG, "a", "example.org"),                  False),
    row("a part of a tag",                  by(Kind.TAG, "b"),                                 False),
    row("a deployment is no purge",         by(Kind.DEPLOYMENT, "d1"),                         False),
]  # fmt: skip


@pytest.mark.parametrize(("selector", "selects"), NAMED)
def test_selectors(selector: Selector, selects: bool) -> None:
    assert selector.selects(KEY, TAGS) is selects
    log = PurgeLog()
    log.purge(Purge(Mode.HARD, selector))
    assert (log.strongest(KEY, TAGS, under=0) is not None) is selects, "the log says the same"
    assert Selector.named(selector.name).name == selector.name


WORDS = [
    #                      selector                                   words
    row("everything",      EVERYTHING,                                "all"),
    row("a host",          by(Kind.HOST, host="example.com"),         "host example.com"),
    row("a path",          by(Kind.PATH, "/a"),                       "path /a"),
    row("a URL at a host", by(Kind.URL, "/a?b", "example.com"),       "url example.com/a?b"),
    row("a tag",           by(Kind.TAG, "a"),                         "tag a"),
    row("a tag at a host", by(Kind.TAG, "a", "example.com"),          "tag a at example.com"),
]  # fmt: skip


@pytest.mark.parametrize(("selector", "words"), WORDS)
def test_words(selector: Selector, words: str) -> None:
    assert selector.words == words


@pytest.mark.parametrize("name", ["", "tag", "tag *", "frob * x"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        Selector.named(name)


PAGES = [
    #                                        target               the page
    row("no query",                          "/a",                "/a"),
    row("another query",                     "/a?b=_rsc",         "/a?b=_rsc"),
    row("its payload",                       "/a?_rsc=1x2",       "/a"),
    row("its payload, without a hash",       "/a?_rsc",           "/a"),
    row("its payload, among others",         "/a?b=1&_rsc=1&c=2", "/a?b=1&c=2"),
    row("a name that only begins so",        "/a?_rscx=1",        "/a?_rscx=1"),
]  # fmt: skip


@pytest.mark.parametrize(("target", "page"), PAGES)
def test_a_page_and_its_payloads_are_one(target: str, page: str) -> None:
    assert without_flight(target) == page


PATHS = [
    #                                        target                            paths
    row("a page",                            "/a?b",                           ("/a",)),
    row("its data",                          "/_next/data/B1/a/b.json?x=1",    ("/_next/data/B1/a/b.json", "/a/b")),
    row("the data of the first page",        "/_next/data/B1/index.json",      ("/_next/data/B1/index.json", "/")),
    row("no data",                           "/_next/data/B1/a.txt",           ("/_next/data/B1/a.txt",)),
]  # fmt: skip


@pytest.mark.parametrize(("target", "paths"), PATHS)
def test_a_page_and_its_data_have_one_path(target: str, paths: tuple[str, ...]) -> None:
    assert paths_of(target) == paths


def test_a_response_is_as_the_purge_left_it() -> None:
    one, deletion = stored(), Purge(Mode.HARD, by(Kind.TAG, "a"))
    assert one.purged(None) is one
    assert one.purged(deletion).purge == deletion
    assert one.purged(deletion).purged(None) == one
