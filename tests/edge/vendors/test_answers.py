"""What the clients of vendors are told when all went well, and what is remembered from one call to the next."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from app.admin.vendors.pace import Pace
from tests.edge.vendors.call import Called, Site, call
from tests.edge.vendors.test_asked import APP, DISTRIBUTION, EDGE, ZONE, batch

FASTLY_ID = re.compile(r"\d+-1700000000-\d+")


@pytest.mark.parametrize("target", ["/service/S/purge/a", "/purge/example.com/"])
def test_fastly_tells_an_id(target: str) -> None:
    told = call("POST", target).json
    assert told == {"status": "ok", "id": told["id"]}
    assert FASTLY_ID.fullmatch(told["id"])


def test_fastly_tells_no_id_of_a_purge_of_everything() -> None:
    assert call("POST", "/service/S/purge_all").json == {"status": "ok"}


@pytest.mark.parametrize(("fields", "body"), [
    ([("surrogate-key", "a b")], b""), ([], {"surrogate_keys": ["a", "b"]}),
])  # fmt: skip
def test_fastly_tells_an_id_for_each_key(fields: list[tuple[str, str]], body: object) -> None:
    told = call("POST", "/service/S/purge", *fields, body=body).json
    assert list(told) == ["a", "b"]
    assert all(FASTLY_ID.fullmatch(one) for one in told.values())


def test_cloudflare_tells_the_zone() -> None:
    told = call("POST", f"{ZONE}/purge_cache", body={"tags": ["a"]}).json
    assert told == {"success": True, "errors": [], "messages": [], "result": {"id": "Z"}}


@pytest.mark.parametrize(("target", "status", "body"), [
    ("/api/v1/purge", 202, {"site_id": "S"}), (f"{EDGE}/invalidate-by-tags{APP}", 200, {"tags": ["a"]}),
])  # fmt: skip
def test_an_empty_answer_has_no_media_type(target: str, status: int, body: object) -> None:
    received = call("POST", target, body=body).received
    assert (received.status, received.body, received.header("content-type")) == (status, b"", None)


def test_akamai_is_done_at_once() -> None:
    told = call("POST", "/ccu/v3/delete/tag/staging", body={"objects": ["a"]}).json
    assert told.pop("purgeId") == told.pop("supportId")
    assert told == {"httpStatus": 201, "estimatedSeconds": 0, "detail": "Request accepted"}


def test_how_many_were_hit_is_told_beside_the_answer() -> None:
    with Site() as site:
        for target in ("/post", "/"):
            assert site.proxied("GET", target).received.status == 200
        hit = site.call("POST", "/service/S/purge/posts").received
        assert (hit.header("swerve-purged"), hit.header("swerve-near")) == ("2", None)


def test_what_was_perhaps_meant_is_told_beside_the_answer() -> None:
    with Site() as site:
        site.proxied("GET", "/post")
        missed = site.call("POST", "/service/S/purge/post-8").received
        assert missed.header("swerve-purged") == "0"
        assert missed.header("swerve-near") == "tag post-7 (spelled alike)"
        at_once = site.call("POST", "/service/S/purge/post-8").received
        assert at_once.header("swerve-near") is None, "it is not looked for time and again"


# How fast.


class Timer:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_pace_is_kept_by_each_name_alone() -> None:
    timer = Timer()
    pace = Pace(2, 5, timer)
    assert [pace.take(["a", "a"]), pace.take(["a"]), pace.take(["b", "a"]), pace.take(["b"])] == [None, None, "a", None]
    timer.now += 4.9
    assert pace.take(["a"]) == "a"
    timer.now += 0.1
    assert [pace.take(["a"]), pace.take(["a"]), pace.take(["a"])] == [None, None, "a"]


def test_a_third_purge_of_a_tag_in_five_seconds_is_too_fast() -> None:
    body = {"site_id": "S", "cache_tags": ["a"]}
    with Site() as site:
        called = [site.call("POST", "/api/v1/purge", body=body) for _ in range(3)]
        assert [one.received.status for one in called] == [202, 202, 429]
        assert called[2].received.header("retry-after") == "5"
        assert "tag a was purged 2 times" in json.loads(called[2].received.body)["message"]
        other = site.call("POST", "/api/v1/purge", body={"site_id": "S", "cache_tags": ["b"]})
        assert other.received.status == 202


# What CloudFront remembers.


def text(called: Called, path: str) -> str | None:
    return ET.fromstring(called.received.body).findtext("/".join(f"{{*}}{name}" for name in path.split("/")))


def texts(called: Called, name: str) -> list[str | None]:
    return [element.text for element in ET.fromstring(called.received.body).iter() if element.tag.endswith(f"}}{name}")]


def test_an_invalidation_is_told_and_can_be_asked_for() -> None:
    with Site() as site:
        made = site.call("POST", DISTRIBUTION, body=batch("/a", "/b*"))
        id = text(made, "Id")
        assert made.received.header("location") == f"http://127.0.0.1:8081{DISTRIBUTION}/{id}"
        assert made.received.header("content-type") == "text/xml; charset=utf-8"
        assert (text(made, "Status"), text(made, "CreateTime")) == ("Completed", "2023-11-14T22:13:20.000000Z")
        assert text(made, "InvalidationBatch/CallerReference") == "r1"
        assert text(made, "InvalidationBatch/Paths/Quantity") == "2"
        assert texts(made, "Path") == ["/a", "/b*"]
        asked = site.call("GET", f"{DISTRIBUTION}/{id}")
        assert (asked.received.status, asked.received.body) == (200, made.received.body)


@pytest.mark.parametrize("place", [f"{DISTRIBUTION}/I0", "/2020-05-31/distribution/OTHER/invalidation/{id}"])
def test_an_invalidation_that_is_not_known_is_not_there(place: str) -> None:
    with Site() as site:
        made = site.call("POST", DISTRIBUTION, body=batch("/a"))
        asked = site.call("GET", place.format(id=text(made, "Id")))
        assert (asked.received.status, text(asked, "Error/Code")) == (404, "NoSuchInvalidation")


def test_the_same_batch_again_is_the_same_invalidation() -> None:
    with Site() as site:
        first = site.call("POST", DISTRIBUTION, body=batch("/a", "/b"))
        again = site.call("POST", DISTRIBUTION, body=batch("/b", "/a"))
        assert again.received.status == 201
        assert again.received.body == first.received.body
        assert again.purged == first.purged == ["delete url * /a", "delete url * /b"]
        other = site.call("POST", DISTRIBUTION, body=batch("/c"))
        assert (other.received.status, text(other, "Error/Code")) == (400, "InvalidationBatchAlreadyExists")
        elsewhere = site.call("POST", DISTRIBUTION.replace("/D/", "/E/"), body=batch("/c"))
        assert elsewhere.received.status == 201


def test_invalidations_are_listed_by_pages_the_newest_first() -> None:
    with Site() as site:
        made = [site.call("POST", DISTRIBUTION, body=batch("/a", reference=f"r{n}")) for n in range(3)]
        newest = [text(one, "Id") for one in reversed(made)]
        page = site.call("GET", f"{DISTRIBUTION}?MaxItems=2")
        assert texts(page, "Id") == newest[:2]
        assert [text(page, name) for name in ("IsTruncated", "Quantity", "NextMarker")] == ["true", "2", newest[1]]
        rest = site.call("GET", f"{DISTRIBUTION}?MaxItems=2&Marker={newest[1]}")
        assert texts(rest, "Id") == newest[2:]
        assert [text(rest, name) for name in ("IsTruncated", "Quantity", "NextMarker")] == ["false", "1", None]


@pytest.mark.parametrize("most", ["0", "101", "a", "-1", "\u00b2"])
def test_a_page_has_a_size(most: str) -> None:
    asked = call("GET", f"{DISTRIBUTION}?MaxItems={most}")
    assert (asked.received.status, text(asked, "Error/Code")) == (400, "InvalidArgument")
