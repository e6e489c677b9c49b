"""The configuration in force: every setting with where it was written, and the rules that follow from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.health import DialectName
from app.admin.operation import Operation
from app.admin.problems import answer
from app.core.timeline import HIDDEN, is_secret
from app.settings_table import SETTINGS

_USERINFO = re.compile(r"(?<=://)[^/]*@")

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """Durations in seconds, sizes in bytes; None: not set. `written`: in which flag, variable or file; None: it is the
    default."""

    name: str
    value: Value
    written: str | None


@dataclass(frozen=True, slots=True)
class Config:
    """`rules` are those of the dialect with the operator's over them. `status_fields`: the response fields in which the
    dialect says what happened. Secrets are hidden."""

    settings: tuple[SettingInForce, ...]
    dialect: DialectName
    status_fields: tuple[str, ...]
    rules: dict[str, Any]


async def config(access: Access, _request: Request) -> Response:
    settings, dialect = access.settings, access.around.dialect
    rows = (
        SettingInForce(row.name, told(row.name, getattr(settings, row.name)), settings.written.get(row.name))
        for row in SETTINGS
    )
    rules = {name: _plain(value) for name, value in asdict(access.rules).items()}
    status_fields = tuple(one.name for one in dialect.fields if one.words)
    return answer(Config(tuple(rows), DialectName(dialect.name, dialect.as_of), status_fields, rules))


def told(name: str, value: object) -> Value:
    """A setting's value as JSON, without secrets."""
    match value:
        case None | bool() | int() | float():
            return value
        case str() | Path():
            return HIDDEN if is_secret(name) and isinstance(value, str) else _USERINFO.sub(f"{HIDDEN}@", str(value))
        case _:
            return str(getattr(value, "name", value))


def _plain(value: Any) -> Any:
    """As JSON has it: sets sorted, the rest as it is."""
    match value:
        case Enum():
            return value.value
        case dict():  # one rule holds a secret, the operator's token for previews
            return {name: HIDDEN if name == "token" and one else _plain(one) for name, one in value.items()}
        case frozenset():
            return sorted(map(_plain, value))
        case str() | None:
            return value
        case Iterable():
            return [_plain(one) for one in value]
        case _:
            return value


OPERATIONS = (
    Operation("GET", "/v1/config", config, "every setting with where it was written, and the rules in force", Config),
)
