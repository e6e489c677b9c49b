"""For how long memory stands without word from Redis, and what is told of it."""

from __future__ import annotations

from app.store.redis.trust import Trust


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


def trust() -> tuple[Trust, Hand]:
    hand = Hand()
    return Trust(0.25, hand), hand


def test_nothing_is_trusted_before_the_first_word() -> None:
    one, _ = trust()
    assert not one.stands()
    assert one[0] == one[0] == 0, "and that is no news"


def test_it_stands_for_so_long_after_the_last_word() -> None:
    one, hand = trust()
    one.extend(hand.time)
    hand.time += 0.25
    assert one.stands()
    hand.time += 0.001
    assert not one.stands()


def test_a_word_counts_from_when_it_was_true() -> None:
    one, hand = trust()
    one.extend(hand.time - 0.2)
    hand.time += 0.051
    assert not one.stands()


def test_an_earlier_word_that_comes_late_takes_nothing_away() -> None:
    one, hand = trust()
    one.extend(hand.time)
    one.extend(hand.time - 10)
    assert one.stands()


def test_who_compares_hears_of_the_end_without_any_timer() -> None:
    one, hand = trust()
    one.extend(hand.time)
    before = one[0]
    hand.time += 0.2
    assert one[0] == before
    hand.time += 0.2
    assert one[0] != before
    after = one[0]
    hand.time += 10
    assert one[0] == after, "once"
    assert one.losses == 1


def test_it_can_be_had_again_and_lost_again() -> None:
    one, hand = trust()
    for _ in range(3):
        one.extend(hand.time)
        assert one.stands()
        hand.time += 1
        assert one[0]
    assert one.losses == 3


def test_it_can_be_withdrawn() -> None:
    one, hand = trust()
    one.extend(hand.time)
    before = one[0]
    one.withdraw()
    assert one[0] != before
    assert not one.stands()
