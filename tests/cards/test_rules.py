"""The law of jobs: what may follow what, whatever is tried."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cards import rules
from app.refusal import Refusal

STATES = [*rules.OPEN_STATES, *rules.ENDED_STATES]


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_whatever_is_tried_a_job_ends_at_most_once(tries: list[str]) -> None:
    state, ended = "ordered", 0
    for wanted in tries:
        try:
            rules.check_step(state, wanted)  # type: ignore[arg-type]
        except Refusal:
            continue
        state = wanted
        ended += wanted in rules.ENDED_STATES

    assert ended <= 1
    assert (ended == 1) == (state in rules.ENDED_STATES)


def test_what_was_authorised_is_never_cancelled() -> None:
    """A seal may be on the card already; only the station's word ends the job."""
    with pytest.raises(Refusal, match="authorised"):
        rules.check_step("authorised", "cancelled")


@given(st.integers(-600, 600))
def test_a_request_is_fresh_for_two_minutes_around_its_time(seconds: int) -> None:
    now = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    try:
        rules.check_fresh(now + dt.timedelta(seconds=seconds), now)
        fresh = True
    except Refusal:
        fresh = False

    assert fresh == (abs(seconds) <= 120)


@pytest.mark.parametrize(
    ("role", "keeping", "unit", "person", "code"),
    [
        ("maker", "unit", 1, None, None),
        ("maker", "unit", None, 2, "card.maker_needs_unit"),
        ("maker", "unit", 1, 2, "card.maker_needs_unit"),
        ("seal", "unit", 1, None, None),
        ("seal", "unit", None, 2, "card.unit_needed"),
        ("seal", "personal", 1, 2, None),
        ("seal", "personal", 1, None, "card.personal_needs_person"),
    ],
)
def test_a_card_belongs_to_whom_its_role_and_keeping_say(
    role: str, keeping: str, unit: int | None, person: int | None, code: str | None
) -> None:
    """D2: the maker is an institution. A18, A19: a unit's card, or a person's."""
    try:
        rules.check_owner(unit, person, role, keeping)
        found = None
    except Refusal as refusal:
        found = refusal.code

    assert found == code
