"""The OpenAPI document: every route is in it, and what is really answered is as it says."""

from __future__ import annotations

import json
from typing import Any, cast

import jsonschema
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.admin.entries import id_of
from app.admin.openapi import document
from app.admin.orders import Deletion, Invalidation
from app.admin.routes import OPERATIONS
from app.store.base import StoreError
from app.store.memory import MemoryStore
from tests.edge.administered import Administered, run

BLOG = id_of("GET http localhost:8080 /blog")
PREFIX = "#/components/schemas/"


def schemas(told: Any) -> Any:
    return told["components"]["schemas"]


def check(told: Any, schema: Any, content: Any) -> None:
    """Whether JSON is as a schema of the document says."""
    whole = {**schema, "components": told["components"]}
    jsonschema.Draft202012Validator(whole).validate(content)


def strict(told: Any) -> Any:
    """The same document, with no name allowed but those that its schemas have."""
    found = json.loads(json.dumps(told))
    for schema in schemas(found).values():
        if "properties" in schema:
            schema["additionalProperties"] = False
            if schema["title"] not in ("Candidate", "Deletion", "Invalidation", "Moving", "Question"):
                schema["required"] = list(schema["properties"])
    return found


def test_every_operation_is_in_the_document_and_in_the_index() -> None:
    async def talk(site: Administered) -> None:
        told = await site.told("GET", "/openapi.json")
        assert told["openapi"] == "3.1.0"
        documented = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
        admin = cast(Starlette, site.application.serving.admin)
        ours = [one for one in admin.routes if isinstance(one, Route) and one.include_in_schema]
        routed = {(method, one.path) for one in ours for method in one.methods or ()}
        routed = {(method, path) for method, path in routed if method != "HEAD"}
        assert documented == routed
        assert (await site.told("GET", "/"))["paths"] == [f"{one.method} {one.path}" for one in OPERATIONS]
        names = [one["operationId"] for methods in told["paths"].values() for one in methods.values()]
        assert len(set(names)) == len(names)

    run(talk)


def test_every_reference_leads_somewhere_and_every_schema_is_one() -> None:
    told = document(OPERATIONS)
    references = {one["$ref"] for one in objects(told) if "$ref" in one}
    assert {one.removeprefix(PREFIX) for one in references} <= schemas(told).keys()
    for schema in schemas(told).values():
        jsonschema.Draft202012Validator.check_schema(schema)


def objects(value: Any) -> list[dict[str, Any]]:
    match value:
        case dict():
            return [value, *(found for one in value.values() for found in objects(one))]
        case list() | tuple():
            return [found for one in value for found in objects(one)]
        case _:
            return []


REAL: list[tuple[str, str, Any, int]] = [
    ("GET", "/", None, 200),
    ("GET", "/healthz", None, 200),
    ("GET", "/readyz", None, 200),
    ("GET", "/readyz?origin=1", None, 503),
    ("GET", "/version", None, 200),
    ("GET", "/v1/stats", None, 200),
    ("GET", "/v1/entries", None, 200),
    ("GET", "/v1/entries?limit=1", None, 200),
    ("GET", "/v1/entries?limit=x", None, 400),
    ("GET", f"/v1/entries/{BLOG}", None, 200),
    ("GET", "/v1/entries/x", None, 404),
    ("DELETE", f"/v1/entries/{BLOG}", None, 200),
    ("POST", "/v1/invalidate", {"tags": ["blog"], "deadline": 10}, 200),
    ("POST", "/v1/invalidate", {"tags": ["blogs"], "dry_run": True}, 200),
    ("POST", "/v1/invalidate", {}, 400),
    ("POST", "/v1/delete", {"all": True}, 200),
    ("POST", "/v1/delete", b"x" * 2**21, 413),
    ("GET", "/v1/deployments", None, 200),
    ("POST", "/v1/deployments", {"id": "v1"}, 200),
    ("GET", "/v1/clock", None, 200),
    ("POST", "/v1/clock", {"advance": 60}, 200),
    ("POST", "/v1/clock", {"advance": "1h"}, 400),
    ("POST", "/v1/prerendered", {"urls": ["/blog"], "within": 90}, 200),
    ("POST", "/v1/prerendered", {"urls": ["blog"], "within": 90}, 400),
    ("POST", "/v1/why", {"url": "/blog", "headers": [["accept", "*/*"]]}, 200),
    ("POST", "/v1/why", {"url": "/cart"}, 200),
    ("POST", "/v1/why", {"url": "/unseen"}, 200),
    ("POST", "/v1/table", {"url": "/blog", "dialects": ["nginx", "vercel"]}, 200),
    ("POST", "/v1/table", {"url": "/shop", "headers": [["accept", "*/*"]]}, 200),
    ("POST", "/v1/table", {"url": "/blog", "dialects": ["nginz"]}, 400),
    ("GET", "/v1/decisions", None, 200),
    ("GET", "/v1/config", None, 200),
    ("POST", "/v1/reload", None, 400),
    ("POST", "/v1/reset", None, 200),
    ("GET", "/openapi.json", None, 200),
]


@pytest.mark.parametrize(
    ("method", "target", "content", "status"), REAL, ids=[" ".join(map(str, one[:2])) for one in REAL]
)
def test_what_is_answered_is_as_documented(method: str, target: str, content: Any, status: int) -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog", "/blog?page=2", "/cart", "/blog")
        site.clock.advance(61)
        told = strict(await site.told("GET", "/openapi.json"))
        path = target.partition("?")[0].replace(BLOG, "{id}").replace("entries/x", "entries/{id}")
        operation = told["paths"][path][method.lower()]
        if isinstance(content, dict) and status == 200:
            check(told, operation["requestBody"]["content"]["application/json"]["schema"], content)
        got, answered = await site.ask(method, target, content)
        assert got == status
        (described,) = operation["responses"][str(status)]["content"].values()
        check(told, described["schema"], answered)

    run(talk, origin="http://127.0.0.1:9")


PURGING = [
    ("DELETE", f"/v1/entries/{BLOG}", None), ("POST", "/v1/invalidate", {"tags": ["blog"]}),
    ("POST", "/v1/delete", {"tags": ["blog"]}), ("POST", "/v1/deployments", {"id": "v1"}),
    ("POST", "/v1/clock", {"advance": 60}), ("POST", "/v1/reset", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "content"), PURGING, ids=[" ".join(one[:2]) for one in PURGING])
def test_that_a_store_has_not_acknowledged_it_is_documented(
    method: str, target: str, content: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_store: object, _purge: object) -> int:
        raise StoreError("away")

    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        told = strict(await site.told("GET", "/openapi.json"))
        monkeypatch.setattr(MemoryStore, "purge", away)
        got, answered = await site.ask(method, target, content)
        assert (got, answered["detail"]) == (503, "not acknowledged: away; ask again once the store is back")
        responses = told["paths"][target.replace(BLOG, "{id}")][method.lower()]["responses"]
        check(told, responses["503"]["content"]["application/problem+json"]["schema"], answered)

    run(talk)


def test_every_operation_is_really_asked() -> None:
    asked = {(method, target.partition("?")[0].replace(BLOG, "{id}")) for method, target, _, _ in REAL}
    assert {(one.method, one.path) for one in OPERATIONS} - asked == {("GET", "/v1/stream"), ("GET", "/metrics")}


def test_a_streamed_decision_is_as_documented() -> None:
    async def talk(site: Administered) -> None:
        await site.visit("/blog")
        told = strict(await site.told("GET", "/openapi.json"))
        (decision,) = (await site.told("GET", "/v1/decisions"))["decisions"]
        check(told, {"$ref": f"{PREFIX}Decision"}, decision)

    run(talk)


def test_an_invalidation_may_say_all_that_a_deletion_may() -> None:
    told = schemas(document(OPERATIONS))
    extra = told[Invalidation.__name__]["properties"].keys() - told[Deletion.__name__]["properties"].keys()
    assert extra == {"deadline"}
