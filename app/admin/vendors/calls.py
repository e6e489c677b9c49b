"""A call of a vendor's client, what may be wrong with it, and what a vendor's rules are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from starlette.responses import Response

from app.admin.purges import Purged
from app.core.messages import Headers
from app.core.purging import Mode, Purge, Selector


class Fault(StrEnum):
    """What is wrong with a call: each vendor has a status and a code of its own for it."""

    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    MISSING = "missing"
    VALUE = "value"
    COUNT = "count"  # of items, where the vendor wants it to be told and right
    TOO_MANY = "too-many"
    TOO_LARGE = "too-large"
    TOO_FAST = "too-fast"
    CONFLICT = "conflict"
    NOT_THERE = "not-there"


class Rejected(Exception):
    """`detail` names the field, what is wrong with it, and what to write instead."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault, self.detail = fault, detail


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `target` as it was sent, `path` the parts of it that the route names, decoded; `query` the first
    value of each. `now`: HTTP time. `id`: 32 hexadecimal digits of its own."""

    target: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Headers
    body: bytes
    now: float
    id: str

    def purge(self, mode: Mode, selector: Selector, deadline: float | None = None) -> Purge:
        return Purge(mode, selector, deadline, at=self.now)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`purges` says what a call asks for, `answer` what its client is told once it is done. Both raise Rejected."""

    path: str
    purges: Callable[[Call], Sequence[Purge]]
    answer: Callable[[Call, Purged], Response]
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Vendor:
    """`refuse` says no in the vendor's shape. `largest`: bytes of body."""

    endpoints: tuple[Endpoint, ...]
    refuse: Callable[[Call, Rejected], Response]
    largest: int = 2**20
