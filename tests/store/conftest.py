"""Stores to be tested: one of each kind, and a second handle on those that are shared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.store.base import Store
from tests.store.other_process import Other, other
from tests.store.stores import BOUNDED, KINDS, LASTING, MIB, SHARED, Kind, opened

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]

MAX_SIZE = 64 * MIB


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "shared: for stores that several processes share", "lasting: for stores that outlive their processes",
        "bounded: for stores that keep to a size by themselves", "max_size(bytes): of the store under test",
    ):  # fmt: skip
        config.addinivalue_line("markers", line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every kind; only those that are shared or lasting, where a test is marked so."""
    if "kind" in metafunc.fixturenames:
        names = {mark.name for mark in metafunc.definition.iter_markers()}
        only = {"shared": SHARED, "lasting": LASTING, "bounded": BOUNDED}
        kinds = [kind for kind in KINDS if all(kind in only[name] for name in names & only.keys())]
        metafunc.parametrize("kind", kinds, ids=[kind.name for kind in kinds])


@pytest.fixture
def place(kind: Kind, tmp_path: Path) -> Iterator[str]:
    with kind.place(tmp_path) as where:
        yield where


@pytest.fixture
def run() -> Iterator[Run[Any]]:
    """Waits for one thing, at most half a minute; between two of them the loop stands still."""
    with asyncio.Runner() as runner:
        yield lambda work: runner.run(asyncio.wait_for(work, 30))


@pytest.fixture
def max_size(request: pytest.FixtureRequest) -> int:
    mark = request.node.get_closest_marker("max_size")
    return int(mark.args[0]) if mark else MAX_SIZE


@pytest.fixture
def store(kind: Kind, place: str, max_size: int, run: Run[Any]) -> Iterator[Store]:
    block = opened(kind, place, max_size)
    store = run(block.__aenter__())
    yield store
    run(block.__aexit__(None, None, None))


@pytest.fixture
def second(kind: Kind, place: str, max_size: int, store: Store) -> Iterator[Other]:
    """The same store in another process, opened after `store`."""
    with other(kind, place, max_size) as remote:
        yield remote
