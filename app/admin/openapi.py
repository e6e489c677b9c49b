"""The OpenAPI 3.1 document, from the table of operations and the types of their bodies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from app import __version__
from app.admin.operation import Operation, Parameter

# What any request may meet: the guard's no.
_ALWAYS = (401, 403)
# Health checks have no token.
_OPEN = ("/healthz", "/readyz")

_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. `detail` names what is wrong with which value, and what to write instead.",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    kinds = list(dict.fromkeys(kind for one in operations for kind in (one.tells, one.asks) if kind is not None))
    references, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    schemas = dict(zip(kinds, references, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Swerve's admin side", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {name: _tidy(schema) for name, schema in components.items()} | {"Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(one: Operation, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"operationId": one.name, "summary": one.about}
    if one.path in _OPEN:
        told["security"] = []
    if one.parameters:
        told["parameters"] = [_parameter(parameter) for parameter in one.parameters]
    if one.asks is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schemas[one.asks]}}}
    told["responses"] = {"200": _answer(one, schemas), **_problems(() if one.path in _OPEN else _ALWAYS, one.problems)}
    if one.path == "/readyz":
        told["responses"]["503"] = _answer(one, schemas, "Not ready.")
    return told


def _answer(one: Operation, schemas: Mapping[Any, Any], words: str = "As asked for.") -> dict[str, Any]:
    if one.tells is None:
        return {"description": words, "content": {one.media: {}}}
    if one.media == "text/event-stream":
        words = f"Each event `decision` has {schemas[one.tells]['$ref'].rpartition('/')[2]} as its data."
        return {"description": words, "content": {one.media: {"schema": {"type": "string"}}}}
    return {"description": words, "content": {one.media: {"schema": schemas[one.tells]}}}


def _problems(*statuses: Iterable[int]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": schema}}
    found = sorted({status for some in statuses for status in some})
    return {str(status): {"description": HTTPStatus(status).phrase, "content": content} for status in found}


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": one.place,
        "required": one.place == "path",
        "description": one.about,
        "schema": {"type": one.type},
    }


def _tidy(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Every answer has all its names, and descriptions are one paragraph."""
    tidied = dict(schema)
    if "description" in tidied:
        tidied["description"] = re.sub(r"\s+", " ", tidied["description"])
    return tidied
