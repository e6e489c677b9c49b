"""Which purges hit which responses: a numbered log."""

from __future__ import annotations

import timeit
from dataclasses import replace

import pytest

from app.core.purge_log import FORGOTTEN, MOST_DEPLOYMENTS, Numbered, PurgeLog
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector
from app.core.slots import SLOT_SIZE, WHOLE, Half, packed_slot, slots_of
from tests.core.build import NOW, row

KEY = "GET http example.com /blog/post?page=2 rsc=1"
TAGS = ("a", "b c")


def by(kind: Kind, value: str = "", host: str | None = None) -> Selector:
    return Selector(kind, value, host)


SOFT, VALIDATE, HARD = (Purge(mode, by(Kind.TAG, "a"), at=NOW) for mode in Mode)
ALL = Purge(Mode.SOFT, EVERYTHING)
OTHER = Purge(Mode.HARD, by(Kind.TAG, "z"))

HITS = [
    #                                              purges               under  hit by
    row("none",                                    [],                  0,     None),
    row("one that came later",                     [SOFT],              0,     SOFT),
    row("one that came before",                    [SOFT],              1,     None),
    row("one for others",                          [OTHER],             0,     None),
    row("the harder of two",                       [HARD, ALL],         0,     HARD),
    row("the harder of two, in the other order",   [ALL, HARD],         0,     HARD),
    row("validation goes before stale",            [VALIDATE, SOFT],    0,     VALIDATE),
    row("the harder one came before",              [HARD, ALL],         1,     ALL),
    row("the later of equals",                     [SOFT, ALL],         0,     ALL),
    row("the same again",                          [SOFT, SOFT, OTHER], 1,     SOFT),
]  # fmt: skip


@pytest.mark.parametrize(("purges", "under", "expected"), HITS)
def test_what_hits(purges: list[Purge], under: int, expected: Purge | None) -> None:
    log = PurgeLog()
    assert [log.purge(purge) for purge in purges] == list(range(1, len(purges) + 1))
    assert log.strongest(KEY, TAGS, under) == expected


def test_what_falls_out_of_the_log_counts_as_purged() -> None:
    log = PurgeLog(length=2)
    for tag in "xyz":
        log.purge(Purge(Mode.SOFT, by(Kind.TAG, tag)))
    assert (len(log), log.floor) == (2, 1)
    assert log.strongest(KEY, TAGS, under=0) == FORGOTTEN
    assert log.strongest(KEY, TAGS, under=1) is None


POST = by(Kind.URL, "/blog/post?page=2", "example.com")
GROUP = by(Kind.TAG, "a", "example.com")

SHARING = [
    #                                                purge                                              has a row
    row("a client's request spoils a URL",           Purge(Mode.VALIDATE, POST),                        False),
    row("the answer to one spoils a group",          Purge(Mode.VALIDATE, GROUP),                       False),
    row("an operator invalidates a tag at a host",   Purge(Mode.SOFT, GROUP),                           True),
    row("an operator deletes a tag at a host",       Purge(Mode.HARD, GROUP),                           True),
    row("a tag at any host",                         Purge(Mode.VALIDATE, by(Kind.TAG, "a")),           True),
    row("an operator invalidates a URL",             Purge(Mode.SOFT, POST),                            True),
    row("an operator deletes a URL",                 Purge(Mode.HARD, POST),                            True),
    row("one that will be another by itself",        Purge(Mode.VALIDATE, POST, deadline=NOW + 1),      True),
    row("a URL at any host",                         Purge(Mode.VALIDATE, by(Kind.URL, POST.value)),    True),
]  # fmt: skip


@pytest.mark.parametrize(("purge", "has_row"), SHARING)
def test_what_goes_to_slots(purge: Purge, has_row: bool) -> None:
    log = PurgeLog()
    number = log.purge(replace(purge, at=NOW))
    assert len(log) == has_row
    assert log.strongest(KEY, TAGS, under=number - 1) == replace(purge, at=NOW)
    assert log.strongest(KEY, TAGS, under=number) is None
    assert log.touched(KEY, number - 1)
    assert not log.touched(KEY, number)


def test_posts_to_any_number_of_urls_do_not_empty_the_cache() -> None:
    log, length = PurgeLog(), 50_000
    log.purge(HARD)
    posts = length + 1
    for place in range(posts):
        log.purge(Purge(Mode.VALIDATE, by(Kind.URL, f"/api/orders/{place}", "example.com"), at=NOW))
    assert (log.number, log.floor, len(log)) == (posts + 1, 0, 1)
    assert log.strongest(KEY, ("a",), under=0) == HARD, "an operator's purge is not forgotten"
    others = [log.strongest(f"GET http example.com /{place}", (), under=1) for place in range(1_000)]
    assert sum(one is not None for one in others) < 60, "a few are validated in vain"
    for place in range(0, posts, 97):
        assert log.strongest(f"GET http example.com /api/orders/{place}", (), under=place + 1) is not None


def test_answers_that_name_any_number_of_groups_do_not_empty_the_cache() -> None:
    log, groups = PurgeLog(), 50_001
    log.purge(HARD)
    for place in range(groups):
        log.purge(Purge(Mode.VALIDATE, by(Kind.TAG, f"order-{place}", "example.com"), at=NOW))
    assert (log.number, log.floor, len(log)) == (groups + 1, 0, 1)
    assert log.strongest(KEY, ("a",), under=0) == HARD, "an operator's purge is not forgotten"
    others = [log.strongest(KEY, (f"post-{place}",), under=1) for place in range(1_000)]
    assert sum(one is not None for one in others) < 60, "a few are validated in vain"
    assert log.strongest(KEY, (), under=1) is None, "what is in no group is not concerned"
    for place in range(0, groups, 97):
        assert log.strongest(KEY, ("x", f"order-{place}"), under=place + 1) is not None


MERGED = [row("a URL", POST, Half.URLS), row("a group", GROUP, Half.GROUPS)]


@pytest.mark.parametrize(("spoiled", "half"), MERGED)
def test_what_others_hold_in_slots_is_merged(spoiled: Selector, half: Half) -> None:
    one, other = PurgeLog(), PurgeLog()
    for log, number, at in ((one, 5, NOW), (other, 7, NOW + 1)):
        log.record(number, Purge(Mode.VALIDATE, spoiled, at=at))
    slots = slots_of(spoiled.name, half)
    for slot in slots:
        one.merge_slots(packed_slot(7, NOW + 1), slot)
        other.merge_slots(packed_slot(5, NOW), slot)
        other.merge_slots(packed_slot(7, NOW + 1), slot)
    one.merge_slots(packed_slot(0, 0.0) + packed_slot(8, NOW), slots[0] + 1)
    for log in (one, other):
        assert log.strongest(KEY, TAGS, under=6) == Purge(Mode.VALIDATE, spoiled, at=NOW + 1)
        assert log.strongest(KEY, TAGS, under=7) is None
        assert [log.touched(KEY, 6), log.touched(KEY, 8)] == [True, False]
    assert (one.number, other.number) == (8, 7)


@pytest.mark.parametrize(("spoiled", "half"), MERGED)
def test_rows_that_others_hold_are_merged_as_a_whole(spoiled: Selector, half: Half) -> None:
    rows = [bytearray(WHOLE), bytearray(WHOLE)]
    for row_, number in zip(rows, (7, 5), strict=True):
        for slot in slots_of(spoiled.name, half):
            row_[slot * SLOT_SIZE : (slot + 1) * SLOT_SIZE] = packed_slot(number, NOW + number)
    for order in (rows, rows[::-1]):
        log = PurgeLog()
        for row_ in order:
            log.merge_slots(bytes(row_))
        assert log.number == 7
        assert log.strongest(KEY, TAGS, under=6) == Purge(Mode.VALIDATE, spoiled, at=NOW + 7)
        assert log.strongest(KEY, TAGS, under=7) is None
        assert [log.touched(KEY, 6), log.touched(KEY, 7)] == [True, False]


def test_a_prefix_falls_out_of_the_log_like_any_other() -> None:
    log = PurgeLog(length=1)
    log.purge(Purge(Mode.HARD, by(Kind.PREFIX, "/blog")))
    log.purge(OTHER)
    assert log.strongest(KEY, TAGS, under=0) == FORGOTTEN
    assert not log.touched(KEY, 2)


def test_a_lookup_costs_no_more_with_many_prefixes_than_with_few() -> None:
    def seconds(log: PurgeLog) -> float:
        return min(timeit.repeat(lambda: log.strongest(KEY, (), under=0), number=10, repeat=5))

    few, many = PurgeLog(), PurgeLog()
    for log, count in ((few, 10), (many, 20_000)):
        for place in range(10_000, 10_000 + count):
            log.purge(Purge(Mode.SOFT, by(Kind.PREFIX, f"/shop/{place}")))
        assert log.strongest(KEY, (), under=0) is None
    assert seconds(many) < 20 * seconds(few)
    blog = Purge(Mode.SOFT, by(Kind.PREFIX, "/blog", "example.com"))
    many.purge(blog)
    assert many.strongest(KEY, (), under=0) == blog


def test_what_is_not_known_counts_as_purged() -> None:
    log = PurgeLog()
    log.raise_floor(7)
    assert (log.number, log.strongest(KEY, TAGS, 6), log.strongest(KEY, TAGS, 7)) == (7, FORGOTTEN, None)


def test_what_falls_out_of_the_log_does_not_make_known_what_is_not() -> None:
    log = PurgeLog(length=1)
    log.purge(HARD)
    log.raise_floor(7)
    log.purge(OTHER)
    assert (log.floor, log.strongest(KEY, TAGS, under=6)) == (7, FORGOTTEN)


def test_purges_that_arrive_out_of_order() -> None:
    log = PurgeLog()
    log.record(5, HARD)
    log.record(3, replace(HARD, at=NOW - 9.0))
    log.record(4, ALL)
    assert (log.number, list(log)) == (5, [Numbered(4, ALL), Numbered(5, HARD)])
    log.raise_floor(9)
    log.record(8, OTHER)
    assert len(log) == 2, "it is covered by the floor"


TOUCHED = [
    #                                        purges                                         number  touched
    row("nothing since",                     [HARD],                                        1,      False),
    row("any tag: it may be its own",        [OTHER],                                       0,      True),
    row("its path",                          [Purge(Mode.SOFT, by(Kind.PATH, "/blog/post"))], 0,    True),
    row("another path",                      [Purge(Mode.SOFT, by(Kind.PATH, "/blog"))],    0,      False),
    row("a tag before, another path since",  [OTHER, Purge(Mode.SOFT, by(Kind.PATH, "/x"))], 1,     False),
    row("any group: it may be its own",      [Purge(Mode.VALIDATE, GROUP)],                 0,      True),
    row("another URL that a client spoils",  [Purge(Mode.VALIDATE, by(Kind.URL, "/x", "example.com"))], 0, False),
]  # fmt: skip


@pytest.mark.parametrize(("purges", "number", "touched"), TOUCHED)
def test_what_may_touch_a_fetch_in_flight(purges: list[Purge], number: int, touched: bool) -> None:
    log = PurgeLog()
    for purge in purges:
        log.purge(purge)
    assert log.touched(KEY, number) is touched


def test_the_deployment_that_was_announced_last_is_the_current_one() -> None:
    log = PurgeLog()
    current = [log.deployment]
    for name in ("blue", "green", "blue"):
        log.purge(Purge(Mode.SOFT, by(Kind.DEPLOYMENT, name)))
        current.append(log.deployment)
    assert current == [None, "blue", "green", "blue"]
    assert set(log.deployments) == {"blue", "green"}


def test_so_many_deployments_are_known() -> None:
    log = PurgeLog()
    for number in range(MOST_DEPLOYMENTS + 5):
        log.purge(Purge(Mode.SOFT, by(Kind.DEPLOYMENT, f"d{number}")))
    assert len(log.deployments) == MOST_DEPLOYMENTS
    assert log.deployment == f"d{MOST_DEPLOYMENTS + 4}"
    assert "d0" not in log.deployments


def test_the_clock_is_as_it_was_moved_last() -> None:
    log = PurgeLog()
    assert (log.offset, list(log.in_force)) == (0, [])
    log.record(2, Purge(Mode.SOFT, by(Kind.CLOCK, "3600.0")))
    log.record(1, Purge(Mode.SOFT, by(Kind.CLOCK, "60.0")))
    assert (log.offset, set(log.lasting), len(log)) == (3600, {2}, 1)
    assert log.strongest(KEY, TAGS, under=0) is None, "it purges nothing"
    log.record(3, Purge(Mode.SOFT, by(Kind.DEPLOYMENT, "blue")))
    assert (set(log.lasting), len(log)) == ({2, 3}, 2)
    assert list(log.in_force) == [by(Kind.DEPLOYMENT, "blue"), by(Kind.CLOCK, "3600.0")]
    log.record(4, Purge(Mode.SOFT, by(Kind.CLOCK, "0.0")))
    assert (log.offset, len(log), [*log.in_force]) == (0, 2, [by(Kind.DEPLOYMENT, "blue")])


def test_one_mode_of_a_name_may_fall_out_and_another_stay() -> None:
    log = PurgeLog(length=2)
    for purge in (SOFT, HARD, OTHER):
        log.purge(purge)
    assert log.strongest(KEY, TAGS, under=1) == HARD
    assert log.strongest(KEY, TAGS, under=2) is None


def test_which_purges_delete_at_a_time() -> None:
    log = PurgeLog()
    for selector, mode, deadline in (("a", Mode.HARD, None), ("b", Mode.SOFT, NOW + 9), ("c", Mode.VALIDATE, None)):
        log.purge(Purge(mode, Selector(Kind.TAG, selector), deadline))
    assert [{one.number for one in log.deletions(now)} for now in (NOW, NOW + 9)] == [{1}, {1, 2}]
