"""What is wrong with a call is said in the vendor's own shape, names the field, and purges nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from tests.driver import Received
from tests.edge.vendors.call import call
from tests.edge.vendors.test_asked import APP, DISTRIBUTION, EDGE, ZONE, batch


def fastly(received: Received) -> tuple[object, str]:
    told = json.loads(received.body)
    assert set(told) == {"msg", "detail"}
    return None, told["detail"]


def cloudflare(received: Received) -> tuple[object, str]:
    told = json.loads(received.body)
    assert (told["success"], told["messages"], told["result"]) == (False, [], None)
    (error,) = told["errors"]
    return error["code"], error["message"]


def netlify(received: Received) -> tuple[object, str]:
    told = json.loads(received.body)
    assert told["code"] == received.status
    return None, told["message"]


def vercel(received: Received) -> tuple[object, str]:
    error = json.loads(received.body)["error"]
    return error["code"], error["message"]


def akamai(received: Received) -> tuple[object, str]:
    assert received.header("content-type") == "application/api-problem+json"
    told = json.loads(received.body)
    assert told["httpStatus"] == received.status
    assert set(told) == {"supportId", "httpStatus", "title", "detail", "describedBy"}
    return None, told["detail"]


def cloudfront(received: Received) -> tuple[object, str]:
    root = ET.fromstring(received.body)
    names = ["{*}Error/{*}Type", "{*}Error/{*}Code", "{*}Error/{*}Message", "{*}RequestId"]
    kind, code, message, request = (root.findtext(name) for name in names)
    assert kind == "Sender"
    assert request
    return code, message or ""


Shape = Callable[[Received], tuple[object, str]]
BULK, PURGE, ENVIRONMENT = "/service/S/purge", f"{ZONE}/purge_cache", f"{ZONE}/environments/E/invalidate_cache"
TAGS, DELETE = f"{EDGE}/invalidate-by-tags{APP}", f"{EDGE}/dangerously-delete-by-tags{APP}"
IMAGES = f"{EDGE}/invalidate-by-src-images{APP}"
TAG, URL = "/ccu/v3/delete/tag/production", "/ccu/v3/invalidate/url/production"
SECONDS = "revalidationDeadlineSeconds"
MALFORMED, INVALID, TOO_MANY = "MalformedXML", "InvalidArgument", "TooManyInvalidationsInProgress"
ENTITIES = b'<!DOCTYPE a [<!ENTITY b "c">]>' + batch("/a").partition(b"?>")[2]
TWO_BYTES = batch("/a").decode().replace("UTF-8", "UTF-16").encode("utf-16")
OTHER_NAME = batch("/a").replace(b"<Paths>", b"<Tags/><Paths>")
ONE_OF_TWO = batch("/a").replace(b"<Quantity>1<", b"<Quantity>2<")

# fmt: off
REFUSED: dict[tuple[Shape, str, int, object], list[tuple[object, str]]] = {
    (fastly, BULK, 400, None): [
        (b"",                                           "no keys; send the header Surrogate-Key"),
        (b"{",                                          "not JSON"),
        ([],                                            "the body is a list; write an object"),
        ({"surrogate_key": ["a"]},                      "did you mean surrogate_keys?"),
        ({"surrogate_keys": "a"},                       "surrogate_keys is a str; write a list"),
        ({"surrogate_keys": []},                        "surrogate_keys is empty"),
        ({"surrogate_keys": ["a", 7]},                  "surrogate_keys holds 7"),
        ({"surrogate_keys": ["\ud800"]},                "surrogate_keys holds a tag that no field carries"),
        ({"surrogate_keys": ["a" * 1025]},              "at most 1024 bytes"),
        ({"surrogate_keys": ["a"] * 257},               "at most 256"),
        ({"surrogate_keys": ["a b"]},                   "no key has a space"),
    ],
    (fastly, "/service/S/purge/a b", 400, None):        [(b"", "no key has a space")],
    (fastly, "/service/S/purge/", 400, None):           [(b"", "surrogate_keys holds ''")],
    (fastly, "/purge/", 400, None):                     [(b"", "the URL is ''")],
    (fastly, "/purge/ftp://h/a", 400, None):            [(b"", "no URL")],
    (fastly, "/purge/http://u@h/a", 400, None):         [(b"", "no URL")],
    (fastly, "/purge/http://[::1/a", 400, None):        [(b"", "no URL")],

    (cloudflare, PURGE, 400, 1012): [
        ({},                                            "names nothing; send one of files, tags, hosts"),
        ({"tags": ["a"], "hosts": ["h"]},               "names hosts and tags; send one of"),
        ({"tags": []},                                  "tags is empty"),
    ],
    (cloudflare, PURGE, 400, 1003): [
        (b"",                                           "not JSON"),
        ({"tag": ["a"]},                                "tag is unknown; did you mean tags?"),
        ({"tags": ["a"] * 101},                         "at most 100"),
        ({"files": ["/a"]},                             "files has '/a'"),
        ({"files": ["http://h/\ud800"]},                "files is"),
        ({"files": [{"headers": {}}]},                  "files: url is None"),
        ({"files": [{"url": "http://h/", "header": 7}]},   "did you mean headers?"),
        ({"files": [{"url": "http://h/", "headers": []}]}, "headers is no object"),
        ({"prefixes": ["http://h/a"]},                  "without scheme and query"),
        ({"prefixes": ["h/a?b"]},                       "without scheme and query"),
        ({"prefixes": ["/a"]},                          "prefixes is ''"),
        ({"hosts": ["h/a"]},                            "hosts has 'h/a'"),
    ],
    (cloudflare, ENVIRONMENT, 400, 1003):               [({"purge_everything": False}, "write true")],
    (cloudflare, PURGE, 413, 1003):                     [(b" " * 2**20 + b"{}", "more than 1048576 bytes")],

    (netlify, "/api/v1/purge", 400, None): [
        ({"cache_tags": ["a"]},                         "no site; send one of site_id, site_slug, domain"),
        ({"site_id": "S", "tags": ["a"]},               "tags is unknown"),
        ({"site_id": 7},                                "site_id is 7"),
        ({"site_id": "S", "cache_tags": "a"},           "cache_tags is a str"),
        ({"site_id": "S", "cache_tags": [""]},          "cache_tags holds ''"),
        ({"domain": "a b"},                             "domain has 'a b'"),
    ],

    (vercel, TAGS.partition("?")[0], 400, "bad_request"): [({"tags": ["a"]}, "projectIdOrName")],
    (vercel, TAGS, 400, "bad_request"): [
        ({},                                            "tags is missing"),
        ({"tags": []},                                  "tags is empty"),
        ({"tags": ["a"] * 17},                          "at most 16"),
        ({"tags": ["a" * 257]},                         "at most 256 bytes"),
        ({"tags": "a,,b"},                              "tags holds ''"),
        ({"tags": 7},                                   "tags is a int"),
        ({"tags": "a", "target": "staging"},            "production or preview"),
        ({"tags": "a", SECONDS: 1},                     f"{SECONDS} is unknown"),
    ],
    (vercel, DELETE, 400, "bad_request"): [
        ({"tags": "a", SECONDS: 1.5},                   "write whole seconds"),
        ({"tags": "a", SECONDS: True},                  "write whole seconds"),
        ({"tags": "a", SECONDS: -1},                    "write whole seconds"),
        ({"tags": "a", SECONDS: 10**400},               "write whole seconds, at most"),
    ],
    (vercel, IMAGES, 400, "bad_request"): [
        ({"srcImages": [7]},                            "srcImages is 7"),
        ({"srcImages": ["/a"], "target": "preview"},    "target is unknown"),
    ],

    (akamai, "/ccu/v3/purge/tag/staging", 404, None):   [({"objects": ["a"]}, "'purge' is unknown")],
    (akamai, "/ccu/v3/delete/tags/staging", 404, None): [({"objects": ["a"]}, "did you mean tag?")],
    (akamai, "/ccu/v3/delete/tag/prod", 404, None):     [({"objects": ["a"]}, "known: production, staging")],
    (akamai, TAG, 400, None): [
        ({},                                            "objects is a NoneType; write a list"),
        ({"objects": []},                               "objects is empty"),
        ({"objects": ["a" * 129]},                      "at most 128 bytes"),
        ({"objects": ["a"], "hostname": "h"},           "hostname is unknown"),
    ],
    (akamai, URL, 400, None):                           [({"objects": ["/a"]}, "objects has '/a'")],
    (akamai, "/ccu/v3/delete/cpcode/staging", 400, None): [({"objects": ["a"]}, "no CP code")],
    (akamai, TAG, 413, None):                           [({"objects": ["a" * 50_000]}, "more than 50000 bytes")],

    (cloudfront, DISTRIBUTION, 400, MALFORMED): [
        (b"",                                           "not XML"),
        (b"<a/>",                                       "write an InvalidationBatch"),
        (ENTITIES,                                      "declarations"),
        (TWO_BYTES,                                     "declarations"),
        (OTHER_NAME,                                    "Tags is unknown"),
    ],
    (cloudfront, DISTRIBUTION, 400, "InconsistentQuantities"): [(ONE_OF_TWO, "Quantity is 2, and Items has 1")],
    (cloudfront, DISTRIBUTION, 400, INVALID): [
        (batch("/a", reference=""),                     "CallerReference is missing"),
        (batch(),                                       "Items is empty"),
        (batch("a"),                                    "begin it with /"),
        (batch("/a*b"),                                 "at its end or not at all"),
        (batch("#a*"),                                  "no comma and no *"),
        (batch("#"),                                    "is no tag"),
    ],
    (cloudfront, DISTRIBUTION, 400, TOO_MANY): [
        (batch(*["/a*"] * 16),                          "more than 15"),
        (batch(*["/a"] * 3001),                         "at most 3000"),
    ],
}
# fmt: on


@pytest.mark.parametrize(("place", "row"), [(place, row) for place, rows in REFUSED.items() for row in rows])
def test_a_call_is_refused(place: tuple[Shape, str, int, object], row: tuple[object, str]) -> None:
    (shape, target, status, code), (body, words) = place, row
    called = call("POST", target, body=body)
    assert called.received.status == status, called.received.body
    said, detail = shape(called.received)
    assert words in detail
    assert said == code
    assert called.purged == []


@pytest.mark.parametrize("keys", ["a " * 257, " "])
def test_keys_in_a_field_are_refused_alike(keys: str) -> None:
    called = call("POST", BULK, ("surrogate-key", keys))
    assert (called.received.status, called.purged) == (400, [])


@pytest.mark.parametrize("target", ["/service/S/purge_all", PURGE, "/api/v1/purge", DISTRIBUTION])
def test_other_methods_have_no_place_there(target: str) -> None:
    assert call("PUT", target).received.status == 405


@pytest.mark.parametrize("target", ["/service/S/version", f"{ZONE}/dns_records", "/api/v1/sites", "/v9/projects"])
def test_the_rest_of_a_vendors_api_is_not_there(target: str) -> None:
    called = call("POST", target)
    assert called.received.status == 404
    assert called.json["detail"].partition("; see ")[2].startswith("/ /healthz ")
