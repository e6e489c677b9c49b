"""The memory tier: what is read while it changes is not kept, and who was lent something is told."""

from __future__ import annotations

from app.core.decisions import StoredResponse
from app.store.memory import weight
from app.store.redis.tier import Tier
from tests.store.examples import HOME, KEY, OTHER, answer

OLD, NEW = answer(number=1), answer(number=2)


def tier(room_for: int = 10) -> tuple[Tier, list[str]]:
    one, heard = Tier(room_for * weight([OLD])), list[str]()
    one.watch(heard.append)
    return one, heard


def keep(one: Tier, *kept: StoredResponse, changed: bool = False) -> None:
    key = kept[0].key
    with one.reading(key) as reading:
        one.settle(key, reading, kept, changed=changed)


def test_what_was_read_is_kept_and_that_is_no_change() -> None:
    one, heard = tier()
    keep(one, OLD)
    assert one.get(KEY) == (OLD,)
    assert one.get(HOME) is None
    assert heard == []


def test_what_was_read_before_another_changed_it_is_not_kept() -> None:
    one, heard = tier()
    with one.reading(KEY) as reading:
        one.drop(KEY)
        one.settle(KEY, reading, (OLD,))
    assert one.get(KEY) is None
    assert heard == []


def test_what_was_read_before_we_changed_it_does_not_take_the_place_of_that() -> None:
    one, _ = tier()
    with one.reading(KEY) as reading:
        keep(one, NEW, changed=True)
        one.settle(KEY, reading, (OLD,))
    assert one.get(KEY) is None, "only Redis can tell which came last"


def test_what_was_read_before_everything_was_forgotten_is_not_kept() -> None:
    one, _ = tier()
    with one.reading(KEY) as reading:
        one.forget()
        one.settle(KEY, reading, (OLD,))
    assert one.get(KEY) is None


def test_changes_of_other_keys_do_no_harm() -> None:
    one, _ = tier()
    with one.reading(KEY) as reading:
        one.drop(HOME)
        keep(one, answer(HOME))
        one.settle(KEY, reading, (OLD,))
    assert one.get(KEY) == (OLD,)


def test_a_reading_that_has_ended_leaves_nothing_behind() -> None:
    one, _ = tier()
    keep(one, OLD)
    assert not one._readings


def test_who_was_lent_something_is_told_when_it_is_taken_back_once() -> None:
    one, heard = tier()
    for kept in (OLD, answer(HOME), answer(OTHER)):
        keep(one, kept)
    one.lend(KEY)
    one.lend(HOME)
    one.lend("not there")
    one.take_back()
    one.take_back()
    assert heard == [KEY, HOME]
    assert one.get(KEY) == (OLD,), "it may be trusted again later"


def test_what_was_dropped_needs_not_be_taken_back() -> None:
    one, heard = tier()
    keep(one, OLD)
    one.lend(KEY)
    one.drop(KEY)
    one.take_back()
    assert heard == [KEY]


def test_what_makes_room_is_told_of() -> None:
    one, heard = tier(room_for=1)
    keep(one, OLD)
    keep(one, answer(HOME, body=b"", size=0))
    assert heard == [KEY]
    assert one.get(KEY) is None


def test_what_has_no_room_is_not_kept_and_neither_is_what_it_replaces() -> None:
    one, heard = tier(room_for=1)
    keep(one, OLD)
    keep(one, OLD, NEW)
    assert one.get(KEY) is None
    assert heard == [KEY]
