"""Responses to be stored, and what to do with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from app.core.decisions import StoredResponse
from app.core.purging import Kind, Selector
from app.store.base import Store
from tests.core.build import NOW, stored

KEY = "GET http example.com /blog/post?page=2 rsc=1"
HOME, OTHER = "GET http example.com /", "GET http example.org /"
VARY = "200 | cc: max-age=60 | vary: accept-language"


def answer(key: str = KEY, **changes: Any) -> StoredResponse:
    return stored(**{"key": key, "body": b"0123456789", **changes})


def variant(language: str, key: str = KEY, **changes: Any) -> StoredResponse:
    return stored(VARY, f"GET / | lang: {language}", **{"key": key, "body": b"0123456789", **changes})


def by(kind: Kind, value: str = "", host: str | None = None) -> Selector:
    return Selector(kind, value, host)


async def listed(entries: AsyncIterator[StoredResponse]) -> list[StoredResponse]:
    return [one async for one in entries]


async def names(store: Store, selector: Selector | None = None) -> list[str]:
    return sorted([one.key async for one in store.entries(selector)])


async def save(store: Store, *responses: StoredResponse) -> None:
    for one in responses:
        await store.save(one)


def pattern(size: int, seed: int = 0) -> bytes:
    """Bytes that tell where they are from."""
    return b"".join(b"%08x%08x" % (seed, place) for place in range(size // 16 + 1))[:size]


def page(number: int, size: int = 5_000, **changes: Any) -> StoredResponse:
    body = pattern(size, number)
    return answer(f"GET http example.com /{number}", body=body, size=size, number=number, **changes)


async def fill(store: Store, numbers: range, **changes: Any) -> None:
    await save(store, *[page(number, **changes) for number in numbers])


FULL = replace(
    stored("206 | cc: max-age=5, private=set-cookie | cr: bytes 2-5/9 | x-a: \xe9", "GET / | range: bytes=2-5"),
    key=KEY, selecting=(("accept-language", None), ("accept-encoding", "gzip,br")), body=b"\x00\xff45", size=4,
    fetched_under=3, number=2**62, stored_at=NOW + 0.25, failures=2, held_until=NOW + 7.5, tags=("a", "b c", "é"),
    deployment="blue", prerendered=True, requested_range="bytes=2-5", first_byte=2, complete_length=9,
)  # fmt: skip
BLOG = replace(answer(), tags=("a", "b c"))
