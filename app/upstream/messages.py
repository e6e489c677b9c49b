"""What goes to the origin and what comes back, in plain values, and the seam behind which it is carried."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

Fields = list[tuple[bytes, bytes]]
OnInformational = Callable[[int, Fields], None]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; None for no limit. `idle` is between pieces of content, `pool` the wait for a free connection."""

    connect: float | None = 5.0
    first_byte: float | None = 60.0
    idle: float | None = 60.0
    write: float | None = 60.0
    pool: float | None = 10.0


@dataclass(slots=True)
class Outgoing:
    """A request: nothing is added to it. Content is sent if a field announces it (RFC 9112 §6)."""

    method: str
    target: bytes
    fields: Sequence[tuple[bytes, bytes]]
    body: AsyncIterable[bytes] | None
    on_informational: OnInformational | None = None


@dataclass(slots=True)
class Answer:
    """`headers` as received: case, order, duplicates. `body` raises UpstreamError if the origin dies in the middle.

    `whole` is all of the content, if all of it was there with the head: then nothing is left to read or to close. If
    it is None, whoever does not read `body` to its end calls `aclose`, else the connection stays taken.
    """

    status: int
    headers: Fields
    body: AsyncIterator[bytes]
    aclose: Callable[[], Awaitable[None]]
    whole: bytes | None = None

    async def leave(self) -> None:
        """Nobody wants the content."""
        if self.whole is None:
            await self.aclose()


@runtime_checkable
class Direct(Protocol):
    """A transport that can be asked without httpx2's Request and Response, which cost as much as all the rest."""

    async def ask(self, request: Outgoing, limits: Timeouts) -> Answer:
        """Raises UpstreamError, or what the request's body raised."""
