"""What the next response is told by: numbers in order, and texts by chance of which none comes twice in a row."""

from __future__ import annotations

from itertools import islice

import pytest

from app.endless import BASE_32, BASE_64, HEXADECIMAL, Chance, numbers


@pytest.mark.parametrize("first", [0, 1, 998, 1_000, 12_345_678])
def test_numbers_follow_each_other(first: int) -> None:
    assert list(islice(numbers(first), 2_500)) == [b"%d" % number for number in range(first, first + 2_500)]


@pytest.mark.parametrize("digits", [HEXADECIMAL, BASE_32, BASE_64])
@pytest.mark.parametrize("length", [1, 2, 3, 12, 54])
def test_texts_by_chance_have_their_length_and_digits(digits: bytes, length: int) -> None:
    chance = Chance(digits, length)
    texts = [chance.drawn() + ending for ending in islice(chance.endings, 100)]
    assert {len(text) for text in texts} == {length}
    assert set(b"".join(texts)) <= set(digits)


@pytest.mark.parametrize("digits", [HEXADECIMAL, BASE_32, BASE_64])
def test_no_ending_comes_again_among_a_thousand(digits: bytes) -> None:
    endings = list(islice(Chance(digits, 12).endings, 3_000))
    assert all(len(set(endings[start : start + 1_000])) == 1_000 for start in range(2_001))


def test_two_kinds_of_text_have_endings_in_another_order() -> None:
    orders = {tuple(islice(Chance(HEXADECIMAL, 12).endings, 20)) for _ in range(20)}
    assert len(orders) > 1
