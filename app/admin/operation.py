"""An operation of the admin side: what is asked for where, with which answer. One table of them is all there is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access

Answering = Callable[[Access, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the query, or one that `{}` in the path stands for. `type` is a JSON type."""

    name: str
    about: str
    type: str = "string"
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Operation:
    """`asks` and `tells` are the types whose schemas the bodies of the request and the answer have; None: no such body.

    `media` is that of the answer. `problems`: the statuses of errors beside those that any request may get.
    """

    method: str
    path: str
    answering: Answering
    about: str
    tells: Any = None
    asks: Any = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    media: str = "application/json"

    @property
    def name(self) -> str:
        return self.answering.__name__
