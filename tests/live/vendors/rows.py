"""What the clients are asked to purge, what the next visitor gets then, and what they return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.live.vendors.site import Site


@dataclass(frozen=True, slots=True)
class Page:
    """A page of its own for each row: `/N/post`, with the tag tN."""

    site: Site
    number: int

    @property
    def tag(self) -> str:
        return f"t{self.number}"

    @property
    def path(self) -> str:
        return f"/{self.number}/post"

    @property
    def url(self) -> str:
        return f"{self.site.url}{self.path}"

    @property
    def place(self) -> str:
        return f"{self.site.host}{self.path}"


Options = Callable[[Page], dict[str, Any]]
Returned = Callable[[Any, Page], bool]
DELETED, STALE, HIT = "deleted", "stale-purged", "fresh"


@dataclass(frozen=True, slots=True)
class Row:
    """`options` of the client's call; why the next visitor gets what he gets; whether what the call returned is right;
    whether another page was purged as well."""

    name: str
    options: Options
    then: str
    returned: Returned
    every: bool = False


def ok(told: Any, _: Page) -> bool:
    return bool(told["status"] == "ok" and told["id"].count("-") == 2)


def ok_without_id(told: Any, _: Page) -> bool:
    return bool(told["status"] == "ok" and not told.get("id"))


def ok_for_each(told: Any, page: Page) -> bool:
    return list(told) == [page.tag, "none"] and all(told.values())


def zone(told: Any, _: Page) -> bool:
    return bool(told == {"id": "Z"})


def nothing(told: Any, _: Page) -> bool:
    return told in (None, "")


def accepted(told: Any, _: Page) -> bool:
    return (told["httpStatus"], told["estimatedSeconds"]) == (201, 0) and len(told["purgeId"]) == 32


def accepted_once(told: Any, page: Page) -> bool:
    return len(told) == 1 and accepted(told[0], page)


def created(told: Any, page: Page) -> bool:
    invalidation = told["Invalidation"]
    reference = invalidation["InvalidationBatch"]["CallerReference"]
    there = told["Location"].startswith(page.site.admin) and told["Location"].endswith(invalidation["Id"])
    return bool(there) and (told["status"], invalidation["Status"], reference) == (201, "Completed", page.tag)


def completed(told: Any, page: Page) -> bool:
    return bool(told["status"] == "Completed" and told["location"].endswith(told["id"]))


MOBILE, SOFTLY = {"CF-Device-Type": "mobile"}, {"purge_type": "invalidate"}

FASTLY = [
    Row("fastly key", lambda page: {"surrogate_key": page.tag}, DELETED, ok),
    Row("fastly key", lambda page: {"surrogate_key": page.tag, "fastly_soft_purge": 1}, STALE, ok),
    Row("fastly keys", lambda page: {"surrogate_key": f"{page.tag} none"}, DELETED, ok_for_each),
    Row("fastly keys", lambda page: {"purge_response": {"surrogate_keys": [page.tag, "none"]}}, DELETED, ok_for_each),
    Row("fastly all", lambda _: {}, DELETED, ok_without_id, every=True),
    Row("fastly url", lambda page: {"cached_url": page.place}, DELETED, ok),
    Row("fastly url", lambda page: {"cached_url": page.place, "fastly_soft_purge": 1}, STALE, ok),
]
CLOUDFLARE = [
    Row("cloudflare purge", lambda page: {"tags": [page.tag]}, DELETED, zone),
    Row("cloudflare purge", lambda page: {"files": [page.url]}, DELETED, zone),
    Row("cloudflare purge", lambda page: {"prefixes": [page.place[:-2]]}, DELETED, zone),
    Row("cloudflare invalidate", lambda page: {"tags": [page.tag]}, STALE, zone),
]
NPM = [
    *FASTLY,
    Row("fastly PURGE", lambda page: {"path": page.path}, DELETED, ok),
    Row("fastly PURGE", lambda page: {"path": page.path, "softPurge": True}, STALE, ok),
    *CLOUDFLARE,
    Row("cloudflare purge", lambda page: {"files": [{"url": page.url, "headers": MOBILE}]}, DELETED, zone),
    Row("cloudflare purge", lambda page: {"hosts": [page.site.host]}, DELETED, zone, every=True),
    Row("cloudflare purge", lambda _: {"purge_everything": True}, DELETED, zone, every=True),
    Row("cloudflare environment", lambda page: {"tags": [page.tag]}, DELETED, zone),
    Row("netlify purge", lambda page: {"tags": [page.tag]}, DELETED, nothing),
    Row("netlify purge", lambda _: {"tags": []}, HIT, nothing),
    Row("netlify purge", lambda _: {"siteSlug": "any", "deployAlias": "main"}, DELETED, nothing, every=True),
    Row("netlify purge", lambda page: {"domain": page.site.host, "tags": [page.tag]}, DELETED, nothing),
    Row("netlify api", lambda page: {"cache_tags": [page.tag]}, DELETED, nothing),
    Row("cloudfront create", lambda page: {"reference": page.tag, "items": [page.path]}, DELETED, created),
    Row("cloudfront create", lambda page: {"reference": page.tag, "items": [f"/{page.number}/*"]}, DELETED, created),
    Row("cloudfront create", lambda page: {"reference": page.tag, "items": [f"#{page.tag}"]}, DELETED, created),
    Row("cloudfront create", lambda page: {"reference": page.tag, "items": ["/*"]}, DELETED, created, every=True),
    Row("akamai", lambda page: {"path": "/ccu/v3/invalidate/tag/production", "objects": [page.tag]}, STALE, accepted),
    Row("akamai", lambda page: {"path": "/ccu/v3/delete/url/staging", "objects": [page.url]}, DELETED, accepted),
]
PYPI = [
    *FASTLY,
    *CLOUDFLARE,
    Row("cloudfront", lambda page: {"reference": page.tag, "items": [page.path, f"#{page.tag}"]}, DELETED, completed),
    Row("akamai", lambda page: {"path": "/ccu/v3/invalidate/url/production", "objects": [page.url]}, STALE, accepted),
    Row("fastpurge", lambda page: {"kind": "url", "objects": [page.url]}, DELETED, accepted_once),
    Row("fastpurge", lambda page: {"kind": "tag", "objects": [page.tag], **SOFTLY}, STALE, accepted_once),
    Row("fastpurge", lambda _: {"kind": "cpcode", "objects": [12345]}, DELETED, accepted_once, every=True),
]
VERCEL = [
    Row("vercel invalidate", lambda page: {"tags": [page.tag], "target": "production"}, STALE, nothing),
    Row("vercel invalidate", lambda page: {"tags": f"{page.tag},none"}, STALE, nothing),
    Row("vercel invalidate", lambda _: {"tags": "*"}, STALE, nothing, every=True),
    Row("vercel delete", lambda page: {"tags": [page.tag]}, DELETED, nothing),
    Row("vercel delete", lambda page: {"tags": [page.tag], "revalidationDeadlineSeconds": 60}, STALE, nothing),
    Row("vercel function", lambda page: {"function": "invalidateByTag", "tag": page.tag}, STALE, nothing),
    Row("vercel function", lambda page: {"function": "dangerouslyDeleteByTag", "tag": [page.tag]}, DELETED, nothing),
]
