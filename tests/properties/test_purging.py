"""Properties that hold for generated input: the log of purges, beside one that keeps everything and forgets nothing."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.decisions import Hit, StoredResponse
from app.core.freshness import Freshness
from app.core.purge_log import PurgeLog
from app.core.purging import EVERYTHING, HARDNESS, Kind, Mode, Purge, Selector
from app.core.reuse import as_purged, decide
from app.core.rules import Rules, SoftPurge
from tests.core.build import NOW, req, stored

HOSTS = ("a.test", "b.test:81")
TARGETS = ("/", "/x", "/x?q", "/x/y", "/x?_rsc=1")
TAGS = ("s", "t", "s t")

keys = st.builds("GET http {} {} rsc=1".format, st.sampled_from(HOSTS), st.sampled_from(TARGETS))
hosts = st.sampled_from((None, *HOSTS))
selectors = st.one_of(
    st.just(Selector(Kind.ALL)),
    st.builds(lambda host: Selector(Kind.HOST, host=host), st.sampled_from(HOSTS)),
    st.builds(Selector, st.just(Kind.TAG), st.sampled_from(TAGS), hosts),
    st.builds(Selector, st.sampled_from((Kind.URL, Kind.PATH, Kind.PREFIX)), st.sampled_from(TARGETS), hosts),
)
purges = st.lists(st.builds(Purge, st.sampled_from(Mode), selectors), max_size=12)
tags = st.lists(st.sampled_from(TAGS), unique=True).map(tuple)


def hardest(history: list[Purge], key: str, tags: tuple[str, ...], under: int) -> Mode | None:
    """What the purges after that number mean for a response, each looked at."""
    modes = [purge.mode for purge in history[under:] if purge.selector.selects(key, tags)]
    return max(modes, key=HARDNESS.__getitem__, default=None)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(purges, keys, tags, st.integers(0, 12))
def test_the_log_says_what_the_whole_history_says(
    history: list[Purge], key: str, tags: tuple[str, ...], under: int
) -> None:
    log = PurgeLog()
    for purge in history:
        log.purge(purge)
    found = log.strongest(key, tags, under)
    assert (found and found.mode) == hardest(history, key, tags, under)
    if found is not None:
        assert log.touched(key, under), "who is being fetched is spoiled as well"


@settings(max_examples=300, derandomize=True, deadline=None)
@given(purges, keys, tags, st.integers(0, 12), st.integers(1, 4))
def test_a_log_that_forgets_never_makes_less_of_a_purge_than_to_validate(
    history: list[Purge], key: str, tags: tuple[str, ...], under: int, length: int
) -> None:
    log = PurgeLog(length)
    for purge in history:
        log.purge(purge)
    found, expected = log.strongest(key, tags, under), hardest(history, key, tags, under)
    assert len(log) <= length
    if expected is not None:
        assert found is not None
        assert HARDNESS[found.mode] >= min(HARDNESS[expected], HARDNESS[Mode.VALIDATE])


@settings(max_examples=300, derandomize=True, deadline=None)
@given(purges, keys, tags, st.integers(0, 12))
def test_who_shares_slots_with_all_others_is_validated_in_vain_and_nothing_else(
    history: list[Purge], key: str, tags: tuple[str, ...], under: int
) -> None:
    log = PurgeLog()
    with patch("app.core.slots.SLOTS", 1):
        for purge in history:
            log.purge(purge)
        found = log.strongest(key, tags, under)
    modes = [hardest(history, key, tags, under)]
    if any(purge.slots and (tags or purge.selector.kind is Kind.URL) for purge in history[under:]):
        modes.append(Mode.VALIDATE)
    assert (found and found.mode) == max(filter(None, modes), key=HARDNESS.__getitem__, default=None)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(purges, st.randoms(use_true_random=False), keys, tags, st.integers(0, 12))
def test_the_order_in_which_numbered_purges_arrive_does_not_matter(
    history: list[Purge], random: object, key: str, tags: tuple[str, ...], under: int
) -> None:
    one, other = PurgeLog(), PurgeLog()
    numbered = list(enumerate(history, 1))
    for number, purge in numbered:
        one.record(number, purge)
    random.shuffle(numbered)  # type: ignore[attr-defined]
    for number, purge in numbered:
        other.record(number, purge)
    assert one.strongest(key, tags, under) == other.strongest(key, tags, under)
    assert (one.number, list(one)) == (other.number, list(other))


_SECONDS = st.integers(0, 30)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(_SECONDS, _SECONDS, st.integers(-5, 40), st.integers(-5, 80))
def test_what_a_purge_has_expired_is_served_as_if_its_lifetime_had_ended_then(
    lifetime: int, window: int, at: int, now: int
) -> None:
    rules = Rules(soft_purge=SoftPurge.EXPIRE)
    one = stored("200")

    def living(seconds: float) -> StoredResponse:
        return replace(one, freshness=Freshness(NOW, seconds, stale_while_revalidate=window))

    purged = living(lifetime).purged(Purge(Mode.SOFT, EVERYTHING, at=NOW + at))
    found = decide(req(), [purged], rules, NOW + now)
    expected = decide(req(), [living(min(lifetime, at, max(0, now)))], rules, NOW + now)
    assert type(found) is type(expected)
    if isinstance(found, Hit):
        assert found.refresh is not None, "nothing is served as fresh"
    left = as_purged(purged, rules, NOW + now)
    assert as_purged(left, rules, NOW + now) is left
