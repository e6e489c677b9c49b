"""The configuration in force: every setting with where it was written, and the rules that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.health import DialectName
from app.admin.operation import Operation
from app.admin.problems import answer
from app.admin.rules import RouteInForce, in_force, told
from app.settings_table import SETTINGS
from app.shown import Value, shown


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """Durations in seconds, sizes in bytes; None: not set. `written`: in which flag, variable or file; None: it is the
    default."""

    name: str
    value: Value
    written: str | None


@dataclass(frozen=True, slots=True)
class Config:
    """`rules` are those of the dialect with the operator's over them, `routes` the paths for which others hold, in the
    order in which they are tried. `status_fields`: the response fields in which the dialect says what happened. Secrets
    are hidden."""

    settings: tuple[SettingInForce, ...]
    dialect: DialectName
    status_fields: tuple[str, ...]
    rules: dict[str, Any]
    routes: tuple[RouteInForce, ...]


async def config(access: Access, _request: Request) -> Response:
    settings, dialect = access.settings, access.around.dialect
    rows = (
        SettingInForce(row.name, shown(row.name, getattr(settings, row.name)), settings.written.get(row.name))
        for row in SETTINGS
    )
    routes = tuple(in_force(one, access.rules) for one in access.around.ruling.routes)
    status_fields = tuple(one.name for one in dialect.fields if one.words)
    return answer(
        Config(tuple(rows), DialectName(dialect.name, dialect.as_of), status_fields, told(access.rules), routes)
    )


OPERATIONS = (
    Operation("GET", "/v1/config", config, "every setting with where it was written, and the rules in force", Config),
)
