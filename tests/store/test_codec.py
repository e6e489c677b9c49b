"""Stored responses and purges as bytes: read as they were written, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.decisions import StoredResponse
from app.core.directives import Directives
from app.core.freshness import Freshness
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector
from app.core.rules import LifetimeSource
from app.store import codec
from tests.core.build import NOW, stored
from tests.store.examples import FULL

# No surrogates: MessagePack's strings are UTF-8, and what comes from the wire is Latin-1.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
whole = st.integers(-(2**63), 2**63 - 1)
times = st.floats(allow_nan=False)
seconds = st.none() | st.integers(-1, 2**31)
flags = st.booleans()

directives = st.builds(
    Directives, source=words, no_store=flags, no_cache=flags, private=flags, public=flags, must_revalidate=flags,
    proxy_revalidate=flags, must_understand=flags, immutable=flags, only_if_cached=flags,
    no_cache_fields=st.frozensets(words, max_size=3), private_fields=st.frozensets(words, max_size=3),
    max_age=seconds, s_maxage=seconds, stale_while_revalidate=seconds, stale_if_error=seconds, max_stale=seconds,
    min_fresh=seconds,
)  # fmt: skip
freshnesses = st.builds(Freshness, times, times, st.none() | st.sampled_from(LifetimeSource), times, times)
hosts = st.none() | st.text("abc.:1", min_size=1, max_size=12)
selectors = st.builds(Selector, st.sampled_from(Kind), words, hosts)
purges = st.builds(Purge, st.sampled_from(Mode), selectors, st.none() | times, times)
responses = st.builds(
    StoredResponse,
    key=words, selecting=st.lists(st.tuples(words, st.none() | words), max_size=3).map(tuple),
    status=st.integers(100, 999),
    head=st.binary(max_size=50), control=directives, freshness=freshnesses, body=st.binary(max_size=50), size=whole,
    first_byte=st.none() | whole, complete_length=st.none() | whole, requested_range=st.none() | words,
    fetched_under=whole, number=whole, stored_at=times, failures=whole, held_until=times,
    tags=st.lists(words, max_size=3).map(tuple), deployment=st.none() | words, prerendered=flags,
    purge=st.none() | purges,
)  # fmt: skip


@given(responses)
def test_a_response_is_read_as_it_was_written(one: StoredResponse) -> None:
    data = codec.encode(one)
    assert codec.decode(data) == one
    assert codec.decode(memoryview(data)) == one


@given(responses, st.binary())
def test_a_body_may_be_kept_elsewhere(one: StoredResponse, body: bytes) -> None:
    data = codec.encode(one, body=False)
    assert codec.decode(data) == replace(one, body=b"")
    assert codec.decode(data, body) == replace(one, body=body)


@given(purges)
def test_a_purge_is_read_as_it_was_written(purge: Purge) -> None:
    assert codec.decode_purge(codec.encode_purge(purge)) == purge


@pytest.mark.parametrize(("name", "one", "other"), [("s_maxage", 1, 0), ("max_age", 0, None)])
def test_directives_that_look_alike_are_told_apart(name: str, one: Any, other: Any) -> None:
    """1 is True and 0 is False, for who remembers what it has read before."""
    for value in (one, other, one):
        control = Directives(**{"public": True, name: value})
        found = codec.decode(codec.encode(stored(control=control)))
        assert found is not None
        assert repr(found.control) == repr(control)


EXAMPLE = replace(FULL, purge=Purge(Mode.SOFT, EVERYTHING, deadline=NOW + 5, at=NOW))


def test_what_another_version_has_written_is_not_there() -> None:
    for version in {*range(256)} - {codec.VERSION}:
        assert codec.decode(bytes([version]) + codec.encode(EXAMPLE)[1:]) is None
        assert codec.decode_purge(bytes([version]) + codec.encode_purge(Purge(Mode.SOFT, EVERYTHING))[1:]) is None


def test_what_is_cut_off_anywhere_is_not_there() -> None:
    data, purge = codec.encode(EXAMPLE), codec.encode_purge(Purge(Mode.HARD, Selector(Kind.TAG, "a b"), 1.0, 2.0))
    assert [codec.decode(data[:length]) for length in range(len(data))] == [None] * len(data)
    assert [codec.decode_purge(purge[:length]) for length in range(len(purge))] == [None] * len(purge)


@given(st.binary())
def test_what_is_no_response_is_not_there(data: bytes) -> None:
    assert codec.decode(bytes([codec.VERSION]) + data) is None
    assert codec.decode_purge(bytes([codec.VERSION]) + data) is None
    assert codec.decode(data) is None


@given(st.integers(1, 10**6), st.integers(1, 255))
def test_a_byte_that_was_changed_makes_another_response_or_none(place: int, change: int) -> None:
    data = bytearray(codec.encode(EXAMPLE))
    data[place % len(data)] ^= change
    found = codec.decode(bytes(data))
    assert found is None or isinstance(found, StoredResponse)
