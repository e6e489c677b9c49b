"""A site whose pages change, are confirmed and are purged in every way, and what its clients may see of it.

Every 200 of the origin has a number of its own, its serial. After a deletion no lower serial than the next may be seen;
after a successful unsafe request no lower version than the one that it made.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import NamedTuple

from tests.live.raw_client import Answer
from tests.live.raw_origin import Wire
from tests.live.routed_origin import Handler, RoutedOrigin, ok, response
from tests.live.routed_origin import field as field_of

# What the pages say of their lifetimes, in turn. All have an ETag.
LIFETIMES = (
    "s-maxage=3600",
    "s-maxage=0, stale-while-revalidate=60",  # each hit refreshes
    "s-maxage=0",  # each hit is confirmed first
    "s-maxage=1, stale-while-revalidate=1",
    "s-maxage=1",
)
PAGES = 2 * len(LIFETIMES)
# One page is too large for a row of the disk store.
LARGE, LARGE_SIZE = 0, 70_000


class Page(NamedTuple):
    """Pages alike in lifetime lie in one part of the site, at two hosts."""

    number: int

    @property
    def host(self) -> str:
        return f"site-{self.number % 2}.example"

    @property
    def part(self) -> str:
        return f"/part-{self.number % len(LIFETIMES)}/"

    @property
    def path(self) -> str:
        return f"{self.part}{self.number}"

    @property
    def target(self) -> str:
        return f"{self.path}?q=1"

    @property
    def tag(self) -> str:
        return f"page-{self.number}"


SITE = tuple(map(Page, range(PAGES)))


class Told(NamedTuple):
    """What a body says of itself."""

    page: int
    serial: int
    version: int

    @property
    def body(self) -> bytes:
        line = f"{self.page} {self.serial} {self.version}\n".encode()
        size = LARGE_SIZE if self.page == LARGE else 300 + self.serial * 7919 % 3000
        return (line * (size // len(line) + 1))[:size]

    @classmethod
    def by(cls, line: bytes) -> Told:
        """Raises ValueError."""
        page, serial, version = map(int, line.split())
        return cls(page, serial, version)


class Floor(NamedTuple):
    """The least that may be seen by whoever asks after `since`."""

    since: float
    serial: int = 0
    version: int = 0


@dataclass(slots=True)
class Race:
    """What the origin says now, what has been purged since, and what the clients saw."""

    random: Random
    grace: float  # seconds
    serial: int = 0
    versions: Counter[int] = field(default_factory=Counter)
    floors: dict[int, list[Floor]] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    confirmed: int = 0
    wrong: list[str] = field(default_factory=list)
    over: bool = False

    def origin(self) -> RoutedOrigin:
        return RoutedOrigin({page.path: self._page(page.number) for page in SITE})

    def _page(self, number: int) -> Handler:
        async def handler(wire: Wire, head: bytes) -> None:
            method = head.split(b" ", 1)[0]
            answer = self._changed(number) if method == b"POST" else self._answer(number, head)
            await asyncio.sleep(self.random.choice((0.001, 0.004, 0.02)))  # in flight while purges come
            await wire.send(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == b"HEAD" else answer)

        return handler

    def _answer(self, number: int, head: bytes) -> bytes:
        if field_of(head, "if-none-match") == self._tag(number):
            self.confirmed += 1
            return response(b"", *self._lines(number), status="304 Not Modified")
        return self._whole(number)

    def _changed(self, number: int) -> bytes:
        """The answer to a POST, which may be kept for whoever GETs the page."""
        self.versions[number] += 1
        return self._whole(number, f"Content-Location: {SITE[number].target}")

    def _whole(self, number: int, *more: str) -> bytes:
        self.serial += 1
        told = Told(number, self.serial, self.versions[number])
        return ok(told.body, *self._lines(number), f"X-Told: {told.page} {told.serial} {told.version}", *more)

    def _lines(self, number: int) -> Sequence[str]:
        lifetime, tag = LIFETIMES[number % len(LIFETIMES)], SITE[number].tag
        return (
            f"Cache-Control: {lifetime}",
            f"Cache-Tag: {tag}",
            f"ETag: {self._tag(number)}",
            "Content-Type: text/plain",
        )

    def _tag(self, number: int) -> str:
        return f'W/"{self.versions[number]}"'

    def change(self, hit: Collection[Page]) -> None:
        """Change some of the pages that are about to be purged. Of the others the origin confirms what it said before,
        also where that is deleted."""
        self.versions.update(page.number for page in hit if self.random.random() < 0.5)

    def forbid(self, hit: Collection[Page], **least: int) -> None:
        """From now on."""
        floor = Floor(monotonic(), **least)
        for page in hit:
            self.floors[page.number] = [*self.floors.get(page.number, [])[-5:], floor]

    def seen(self, page: Page, kind: str, answer: Answer, asked: float) -> None:
        """An answer to a request of that kind that was sent at `asked`."""
        self.answered[answer.header("x-cache") or ""] += 1
        self.asked[kind] += 1
        try:
            told = self._told(kind, answer)
        except ValueError as error:
            self.wrong.append(f"{kind} {page.path}: {answer.status}, {len(answer.body)} bytes: {error}")
            return
        for floor in self.floors.get(page.number, ()):
            if asked > floor.since + self.grace and (told.serial < floor.serial or told.version < floor.version):
                late = asked - floor.since
                self.wrong.append(f"{kind} {page.path}: {told} under {floor}, {late:.3f} s later: {answer.fields}")
        if kind == "POST":
            self.forbid([page], version=told.version)

    @staticmethod
    def _told(kind: str, answer: Answer) -> Told:
        """What was served. Raises ValueError where it is not whole."""
        if kind == "HEAD":
            told, whole = Told.by((answer.header("x-told") or "").encode()), answer.status == 200
        else:
            told = Told.by(answer.body.partition(b"\n")[0])
            part = told.body[: len(answer.body)] if answer.status == 206 else told.body
            whole = answer.status in (200, 206) and answer.body == part
        if not whole or (answer.status == 206 and kind != "range"):
            raise ValueError("not whole")
        return told


def named(random: Random, turn: int) -> tuple[Mapping[str, list[str]], tuple[Page, ...]]:
    """By tag, URL, path, prefix and host in turn: what to write, and the pages that it names."""
    one = random.choice(SITE)
    ways: tuple[tuple[Mapping[str, list[str]], tuple[Page, ...]], ...] = (
        ({"tags": [one.tag]}, (one,)),
        ({"urls": [random.choice([one.target, f"http://{one.host}{one.target}"])]}, (one,)),
        ({"paths": [one.path]}, (one,)),
        ({"prefixes": [one.part]}, tuple(page for page in SITE if page.part == one.part)),
        ({"hosts": [one.host]}, tuple(page for page in SITE if page.host == one.host)),
    )
    return ways[turn % len(ways)]
