"""What the calls of each vendor's client purge: one row a call, as it was captured from the client."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.dialects import CONFIG
from tests.edge.vendors.call import Fields, call

KEY, SOFT = ("fastly-key", "any"), ("fastly-soft-purge", "1")
ZONE = "/client/v4/zones/Z"
EDGE, APP = "/v1/edge-cache", "?projectIdOrName=my-app"
DISTRIBUTION = "/2020-05-31/distribution/D/invalidation"
NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"


def batch(*items: str, reference: str = "r1", namespace: str = f' xmlns="{NAMESPACE}"') -> bytes:
    paths = "".join(f"<Path>{item}</Path>" for item in items)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><InvalidationBatch{namespace}>'
        f"<Paths><Quantity>{len(items)}</Quantity><Items>{paths}</Items></Paths>"
        f"<CallerReference>{reference}</CallerReference></InvalidationBatch>"
    ).encode()


# fmt: off
IN_THE_TARGET: list[tuple[str, Fields, list[str]]] = [
    ("/service/S/purge_all",                 (KEY,),                          ["delete all *"]),
    ("/service/S/purge_all",                 (SOFT,),                         ["delete all *"]),
    ("/service/S/purge/post-7",              (KEY,),                          ["delete tag * post-7"]),
    ("/service/S/purge/post-7",              (SOFT,),                         ["invalidate tag * post-7"]),
    ("/service/S/purge/post-7",              (("fastly-soft-purge", "0"),),   ["invalidate tag * post-7"]),
    ("/service/S/purge/a/b",                 (),                              ["delete tag * a/b"]),
    ("/service/S/purge",                     (("surrogate-key", "a b"),),     ["delete tag * a", "delete tag * b"]),
    ("/purge/www.example.com/a?x=1&y",      (),                              ["delete url www.example.com /a?x=1&y"]),
    ("/purge/http://www.example.com:80/a",   (SOFT,),                         ["invalidate url www.example.com /a"]),
    ("/purge/https://www.example.com:443",   (),                              ["delete url www.example.com /"]),
    ("/purge/LOCALHOST:8080/a",              (),                              ["delete url localhost:8080 /a"]),
]

IMAGE = [
    "invalidate url * /_vercel/image?url=%2Fa%20b.png", "invalidate prefix * /_vercel/image?url=%2Fa%20b.png&",
    "invalidate url * /_next/image?url=%2Fa%20b.png",   "invalidate prefix * /_next/image?url=%2Fa%20b.png&",
]
SECONDS = "revalidationDeadlineSeconds"

IN_THE_BODY: dict[tuple[str, int], list[tuple[object, list[str]]]] = {
    ("/service/S/purge", 200): [
        ({"surrogate_keys": ["a", "b"]},                    ["delete tag * a", "delete tag * b"]),
        ({"surrogate_keys": ["a", "a"]},                    ["delete tag * a"]),
    ],
    (f"{ZONE}/purge_cache", 200): [
        ({"tags": ["a", "b"]},                              ["delete tag * a", "delete tag * b"]),
        ({"files": ["https://h.example/x?y=1#z"]},          ["delete url h.example /x?y=1"]),
        ({"files": [{"url": "http://h/x", "headers": {"CF-Device-Type": "mobile"}}]}, ["delete url h /x"]),
        ({"files": ["http://h/caf\u00e9"]},                 ["delete url h /caf%C3%A9"]),
        ({"files": ["http://h/blog?_rsc=abc"]},             ["delete url h /blog"]),
        ({"hosts": ["www.example.com"]},                    ["delete host www.example.com"]),
        ({"prefixes": ["www.example.com/blog/"]},           ["delete prefix www.example.com /blog/"]),
        ({"prefixes": ["www.example.com", "h:8080/"]},      ["delete host www.example.com", "delete host h:8080"]),
        ({"purge_everything": True},                        ["delete all *"]),
    ],
    (f"{ZONE}/invalidate_cache", 200): [
        ({"tags": ["a"]},                                   ["invalidate tag * a"]),
        ({"purge_everything": True},                        ["invalidate all *"]),
    ],
    (f"{ZONE}/environments/E/purge_cache", 200):            [({"hosts": ["h"]}, ["delete host h"])],
    (f"{ZONE}/environments/E/invalidate_cache", 200):       [({"hosts": ["h"]}, ["invalidate host h"])],
    ("/api/v1/purge", 202): [
        ({"site_id": "S", "cache_tags": ["a", "b"]},        ["delete tag * a", "delete tag * b"]),
        ({"site_slug": "s", "deploy_alias": "main"},        ["delete all *"]),
        ({"site_id": "S", "cache_tags": []},                []),
        ({"site_id": "S", "cache_tags": None},              ["delete all *"]),
        ({"domain": "example.com"},                         ["delete host example.com"]),
        ({"domain": "example.com", "cache_tags": ["a"]},    ["delete tag example.com a"]),
    ],
    (f"{EDGE}/invalidate-by-tags{APP}&teamId=t", 200): [
        ({"tags": ["a", "b"], "target": "production"},      ["invalidate tag * a", "invalidate tag * b"]),
        ({"tags": "a, b"},                                  ["invalidate tag * a", "invalidate tag * b"]),
        ({"tags": ["*"]},                                   ["invalidate all *"]),
    ],
    (f"{EDGE}/dangerously-delete-by-tags{APP}", 200): [
        ({"tags": "a"},                                     ["delete tag * a"]),
        ({"tags": ["a"], SECONDS: 10},                      ["invalidate tag * a until 10"]),
        ({"tags": ["a"], SECONDS: 0},                       ["delete tag * a"]),
    ],
    (f"{EDGE}/invalidate-by-src-images{APP}", 200):         [({"srcImages": ["/a b.png"]}, IMAGE)],
    (f"{EDGE}/dangerously-delete-by-src-images{APP}", 200): [
        ({"srcImages": ["/a b.png"], SECONDS: 5},           [f"{purge} until 5" for purge in IMAGE]),
        ({"srcImages": ["/a b.png"]},                       [one.replace("invalidate", "delete") for one in IMAGE]),
    ],
    ("/ccu/v3/invalidate/url/production", 201):             [
        ({"objects": ["https://www.example.com/a"]},        ["invalidate url www.example.com /a"]),
    ],
    ("/ccu/v3/delete/url/staging", 201):                    [
        ({"objects": ["https://www.example.com/a"]},        ["delete url www.example.com /a"]),
    ],
    ("/ccu/v3/invalidate/tag/production", 201):             [
        ({"objects": ["a", "b"]},                           ["invalidate tag * a", "invalidate tag * b"]),
    ],
    ("/ccu/v3/delete/tag/production", 201):                 [({"objects": ["a"]}, ["delete tag * a"])],
    ("/ccu/v3/delete/cpcode/production", 201):              [({"objects": [12345, "67"]}, ["delete all *"])],
    (DISTRIBUTION, 201): [
        (batch("/a", "/b?x=1"),                             ["delete url * /a", "delete url * /b?x=1"]),
        (batch("/b/*", "/c*"),                              ["delete prefix * /b/", "delete prefix * /c"]),
        (batch("/*"),                                       ["delete all *"]),
        (batch("#a&amp;b"),                                 ["delete tag * a&b"]),
        (batch("/a", namespace=""),                         ["delete url * /a"]),
    ],
}
# fmt: on


@pytest.mark.parametrize(("target", "fields", "purged"), IN_THE_TARGET)
def test_a_call_without_a_body_purges(target: str, fields: Fields, purged: list[str]) -> None:
    called = call("POST", target, *fields)
    assert (called.received.status, called.purged) == (200, purged)


@pytest.mark.parametrize(
    ("target", "status", "body", "purged"),
    [(*place, *row) for place, rows in IN_THE_BODY.items() for row in rows],
)
def test_a_call_purges(target: str, status: int, body: object, purged: list[str]) -> None:
    called = call("POST", target, body=body)
    assert called.received.status == status, called.received.body
    assert called.purged == purged
    assert called.received.header("swerve-purged") == "0"
    assert called.received.header("cache-control") == "no-store"


def test_a_soft_purge_of_keys_in_a_body() -> None:
    called = call("POST", "/service/S/purge", SOFT, body={"surrogate_keys": ["a"]})
    assert called.purged == ["invalidate tag * a"]


def test_a_tag_that_is_no_ascii_is_named_byte_for_byte_too() -> None:
    told = call("POST", f"{ZONE}/purge_cache", body={"tags": ["caf\u00e9"]})
    assert told.purged == ["delete tag * caf\u00e9", "delete tag * caf\u00c3\u00a9"]


def test_tags_are_named_as_they_are_kept(tmp_path: Path) -> None:
    """In lower case where their case makes no difference."""
    text = (CONFIG / "dialects" / "standard.toml").read_text()
    folding = tmp_path / "folding.toml"
    folding.write_text(text.replace('{ field = "Cache-Tag" }', '{ field = "Cache-Tag", fold_case = true }'))
    body = {"tags": ["Post-7", "a"]}
    assert call("POST", f"{ZONE}/purge_cache", body=body).purged == ["delete tag * Post-7", "delete tag * a"]
    told = call("POST", f"{ZONE}/purge_cache", body=body, dialect=str(folding))
    assert set(told.purged) == {"delete tag * Post-7", "delete tag * post-7", "delete tag * a"}
