"""Properties that hold for generated input: while a hit stands, decide() says the same, whatever the time."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.decisions import Hit
from app.core.observed import Observed
from app.core.reuse import decide
from app.core.rules import RequestDirectives, Rules
from app.core.standing import standing
from tests.core.build import NOW, RFC, head, req, stored
from tests.properties.test_explain import REQUEST_FIELDS, RESPONSE_FIELDS

LIFE = ("cc: max-age=60", "cc: s-maxage=60, stale-while-revalidate=30", "cc: max-age=60, stale-if-error=60")
MOMENTS = st.floats(-50, 250, allow_nan=False)
RULES = (RFC, Rules(request_directives=RequestDirectives.IGNORE, pragma_validates_stale=True))
SOME = st.lists(st.sampled_from(REQUEST_FIELDS), max_size=3)


@given(
    fields=SOME, life=st.sampled_from(LIFE), others=st.lists(st.sampled_from(RESPONSE_FIELDS), max_size=2),
    rules=st.sampled_from(RULES), held=st.floats(0, 200), learned=MOMENTS, later=MOMENTS,
)  # fmt: skip
def test_between_its_bounds_the_decision_is_the_same(
    *, fields: list[str], life: str, others: list[str], rules: Rules, held: float, learned: float, later: float
) -> None:
    request = req(" | ".join(["GET /", *fields]))
    one = stored(" | ".join(["200", life, *others]), "GET /", rules, held_until=NOW + held)
    hit = decide(request, [one], rules, NOW + learned)
    assume(isinstance(hit, Hit))
    assert isinstance(hit, Hit)
    span = standing(hit, request, rules)
    if span is not None and span[0] <= NOW + later < span[1]:
        assert decide(request, [one], rules, NOW + later) == hit


@given(
    fields=SOME, others=SOME, life=st.sampled_from(LIFE), further=st.sampled_from(RESPONSE_FIELDS),
    rules=st.sampled_from(RULES), at=MOMENTS,
)  # fmt: skip
def test_fields_that_were_not_looked_at_change_nothing(
    *, fields: list[str], others: list[str], life: str, further: str, rules: Rules, at: float
) -> None:
    one = stored(f"200 | {life} | {further}", "GET /", rules)
    observed = Observed(head(" | ".join(fields)))
    first = decide(req().with_headers(observed), [one], rules, NOW + at)
    assume(isinstance(first, Hit))
    unseen = [line for line in others if head(line).names().isdisjoint(observed.looked)]
    again = decide(req(" | ".join(["GET /", *fields, *unseen])), [one], rules, NOW + at)
    assert isinstance(first, Hit)
    assert isinstance(again, Hit)
    # A refresh carries them on, for it speaks for who came.
    assert (again.reason, again.stored, again.refresh is None) == (first.reason, first.stored, first.refresh is None)
