"""The drill at the card station, in small: `yinxu drill cards` plays every point, every row and 200 random moments."""

import pytest

from app.drill import cards

pytestmark = [pytest.mark.journey, pytest.mark.softhsm, pytest.mark.slow]


def test_an_agent_killed_and_a_card_pulled_in_the_middle_of_writing_leave_one_good_seal() -> None:
    outcome = cards.play(at=["written manifest"], rows=["card pulled after blob"])

    assert outcome.held, outcome
    assert (outcome.killed, outcome.pulled, outcome.jobs, outcome.done) == (1, 1, 2, 2)
