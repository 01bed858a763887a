"""The drill at the card station, in small: `yinxu drill cards` plays it at every point and at 200 random moments."""

import pytest

from app.drill import cards

pytestmark = [pytest.mark.journey, pytest.mark.softhsm, pytest.mark.slow]


def test_an_agent_killed_anywhere_leaves_one_good_seal_or_none() -> None:
    outcome = cards.play(most_points=2, at_random=1)

    assert outcome.held, outcome
    assert (outcome.killed, outcome.points) == (3, 2)
    assert outcome.done == outcome.jobs
