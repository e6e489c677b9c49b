"""Deployments: which one is current, and that there is a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.operation import Operation
from app.admin.problems import Problem, answer
from app.admin.reading import body_of, json_object
from app.core.purging import Kind, Mode, Purge, Selector
from app.settings_table import parse_deployment


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment by its id."""

    id: str


@dataclass(frozen=True, slots=True)
class Deployments:
    """The `current` one, whose responses alone are served beside those that outlive deployments; None: there are none.
    `known`: all that were announced, the latest last."""

    current: str | None
    known: tuple[str, ...]


async def deployments(access: Access, _request: Request) -> Response:
    return answer(_told(access))


async def deploy(access: Access, request: Request) -> Response:
    given: dict[str, Any] = json_object(await body_of(request), ["id"], '{"id": "v42"}')
    name = given.get("id")
    if not isinstance(name, str) or not name:
        raise Problem(400, f"id is {name!r}; write the deployment's id, like v42 or a commit's hash")
    try:
        selector = Selector(Kind.DEPLOYMENT, parse_deployment(name))
    except ValueError as error:
        raise Problem(400, f"id: {error}") from None
    announced = Purge(Mode.SOFT, selector, at=access.now())
    await access.purging.carry_out([announced])
    return answer(_told(access))


def _told(access: Access) -> Deployments:
    log = access.store.log
    return Deployments(log.deployment, tuple(sorted(log.deployments, key=log.deployments.__getitem__)))


OPERATIONS = (
    Operation("GET", "/v1/deployments", deployments, "the current deployment, and all announced", Deployments),
    Operation("POST", "/v1/deployments", deploy, "announce that this deployment is the current one from now on",
        Deployments, Deployment, problems=(400, 413, 503)),
)  # fmt: skip
