"""What the next response is told by: numbers in order, and texts by chance of which none comes twice in a run."""

from __future__ import annotations

import pytest

from app.endless import BASE_32, BASE_64, HEXADECIMAL, Chance, Numbers


@pytest.mark.parametrize("first", [0, 1, 998, 1_000, 12_345_678])
def test_numbers_follow_each_other(first: int) -> None:
    numbers = Numbers(first)
    assert [numbers.said() for _ in range(2_500)] == [b"%d" % number for number in range(first, first + 2_500)]


def test_a_run_that_has_not_ended_is_not_begun_anew() -> None:
    numbers, chance = Numbers(990), Chance(HEXADECIMAL, 12)
    for source in (numbers, chance):
        before = list(source.texts), source.said()
        source.refill()
        assert (list(source.texts), source.said()) != before
        assert list(source.texts) == before[0]
    assert numbers.said() == b"992"


@pytest.mark.parametrize("digits", [HEXADECIMAL, BASE_32, BASE_64])
@pytest.mark.parametrize("length", [1, 2, 3, 12, 54])
def test_texts_by_chance_have_their_length_and_digits(digits: bytes, length: int) -> None:
    chance = Chance(digits, length)
    texts = [chance.said() for _ in range(100)]
    assert {len(text) for text in texts} == {length}
    assert set(b"".join(texts)) <= set(digits)


@pytest.mark.parametrize("digits", [HEXADECIMAL, BASE_32, BASE_64])
def test_no_text_comes_again_among_many(digits: bytes) -> None:
    chance = Chance(digits, 12)
    assert len({chance.said() for _ in range(5_000)}) == 5_000


@pytest.mark.parametrize("digits", [HEXADECIMAL, BASE_32, BASE_64])
def test_all_but_the_last_digits_are_drawn_anew_when_time_has_passed(digits: bytes) -> None:
    chance, begun = Chance(digits, 12), set[bytes]()
    for _ in range(100):
        chance.turn(0.0)
        begun.add(chance.said()[:6])
    assert len(begun) == 100


def test_two_kinds_of_text_have_endings_in_another_order() -> None:
    orders = {Chance(HEXADECIMAL, 12).said()[-3:] for _ in range(40)}
    assert len(orders) > 1
